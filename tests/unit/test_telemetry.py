"""The library is silent until asked; the command line's lines are fast, whole and harmless."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import NoReturn

import pytest
import structlog
from structlog.testing import LogCapture

from tusd_py import telemetry
from tusd_py.telemetry import configure, get_logger

log = get_logger("tusd_py.test")


class Stream(io.TextIOWrapper):
    """A stream that may be a terminal, and shows what was written."""

    def __init__(self, *, terminal: bool = False) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal

    def text(self) -> str:
        self.seek(0)
        return self.read()

    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.text().splitlines()]


def fail(error: Exception) -> NoReturn:
    raise error


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name in ("uvicorn", "aiosqlite"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    access = logging.getLogger("uvicorn.access")
    access.propagate, access.disabled = True, False


def test_a_library_that_nobody_configured_speaks_through_logging(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, "tusd_py"):
        log.info("upload.created", upload_id="abc", length=5)
    (record,) = caplog.records
    assert ("tusd_py.test", "upload.created") == (record.name, record.getMessage())
    assert {"upload_id": "abc", "length": 5}.items() <= record.__dict__.items()


def test_a_library_that_nobody_configured_shows_nothing_below_warning(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    log.info("upload.created")
    log.debug("upload.read")
    assert [] == caplog.records
    assert ("", "") == tuple(capfd.readouterr())


@pytest.mark.parametrize("name", ["name", "filename", "args", "module", "message", "process"])
def test_facts_may_be_called_like_attributes_of_a_log_record(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    log.warning("upload.odd", **{name: "mine"})
    assert "mine" == caplog.records[0].__dict__[f"{name}_"]


def test_an_exception_reaches_logging(caplog: pytest.LogCaptureFixture) -> None:
    try:
        fail(KeyError("x"))
    except KeyError:
        log.exception("hook.failed")
    assert caplog.records[0].exc_info
    assert KeyError is caplog.records[0].exc_info[0]


def test_structlog_is_used_once_the_application_configured_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log.warning("before")
    captured = LogCapture()
    structlog.configure(processors=[captured])
    log.info("upload.created", length=5)
    assert [{"event": "upload.created", "length": 5, "log_level": "info"}] == captured.entries
    assert ["before"] == caplog.messages


def test_json_lines_hold_the_facts_and_the_time_in_utc() -> None:
    stream = Stream()
    configure("json", "info", stream)
    log.info("upload.created", upload_id="ü\n\x1b", length=5)
    (line,) = stream.lines()
    assert ["timestamp", "level", "event", "upload_id", "length"] == list(line)
    assert str(line["timestamp"]).endswith("Z")
    assert ("info", "upload.created", "ü\n\x1b", 5) == tuple(line.values())[1:]


def test_a_value_that_json_does_not_know_is_written_as_text() -> None:
    stream = Stream()
    configure("json", "info", stream)
    log.info("upload.created", path=io, lone="\udc80")
    assert 1 == len(stream.lines())


@pytest.mark.parametrize(
    ("log_format", "terminal", "expected"),
    [
        ("auto", True, "console"),
        ("auto", False, "json"),
        ("none", True, "console"),
        ("none", False, "json"),
        ("json", True, "json"),
        ("console", False, "console"),
    ],
)
def test_the_form_follows_the_stream_unless_it_is_chosen(
    log_format: str, terminal: bool, expected: str
) -> None:
    assert expected == telemetry.rendering(log_format, Stream(terminal=terminal))


def test_console_lines_are_plain_where_there_is_no_terminal() -> None:
    stream = Stream()
    configure("console", "info", stream)
    log.info("upload.created", length=5)
    assert "upload.created" in stream.text()
    assert "length=5" in stream.text()
    assert "\x1b" not in stream.text()


def test_text_from_a_client_cannot_move_the_cursor() -> None:
    stream = Stream()
    configure("console", "info", stream)
    log.warning("upload.odd", name="a\x1b[2J\rb")
    try:
        fail(ValueError("\x1b[2J"))
    except ValueError:
        log.exception("hook.failed")
    assert not set("\x1b\r") & set(stream.text())
    assert "\\x1b[2J" in stream.text()


@pytest.mark.parametrize(("level", "shown"), [("debug", 4), ("info", 3), ("error", 1)])
def test_lines_below_the_level_are_left_out(level: str, shown: int) -> None:
    stream = Stream()
    configure("json", level, stream)
    log.debug("a")
    log.info("b")
    log.warning("c")
    log.error("d")
    assert shown == len(stream.lines())


def test_the_format_none_leaves_warnings() -> None:
    stream = Stream()
    configure("none", "info", stream)
    log.info("request")
    log.warning("upload.odd")
    logging.getLogger("somebody").info("else")
    assert ["upload.odd"] == [line["event"] for line in stream.lines()]


@pytest.mark.parametrize("name", ["tusd_py.test", "uvicorn.error"])
def test_exceptions_are_rendered_whoever_logs_them(name: str) -> None:
    stream = Stream()
    configure("json", "info", stream)
    logger = log if name.startswith("tusd_py") else logging.getLogger(name)
    try:
        fail(KeyError("lost"))
    except KeyError:
        logger.exception("it failed")
    (line,) = stream.lines()
    assert ("error", "it failed") == (line["level"], line["event"])
    assert "KeyError: 'lost'" in str(line["exception"])


def test_records_of_others_come_out_in_the_same_form() -> None:
    stream = Stream()
    configure("json", "info", stream)
    logging.getLogger("asyncio").warning("slow: %s", "callback")
    (line,) = stream.lines()
    assert "slow: callback" == line["event"]
    assert "asyncio" == line["logger"]
    assert "warning" == line["level"]


def test_uvicorn_writes_no_line_per_request() -> None:
    stream = Stream()
    configure("json", "debug", stream)
    access = logging.getLogger("uvicorn.access")
    access.info("GET /")
    assert not access.hasHandlers()
    assert [] == stream.lines()


def test_a_log_that_cannot_be_written_fails_nobody() -> None:
    stream = Stream()
    configure("json", "info", stream)
    log.info("before")
    stream.close()
    log.info("after")
    logging.getLogger("somebody").error("else")


def test_configuring_again_moves_loggers_that_were_used() -> None:
    first, second = Stream(), Stream()
    configure("json", "info", first)
    log.info("one")
    configure("json", "info", second)
    log.info("two")
    assert ["one"] == [line["event"] for line in first.lines()]
    assert ["two"] == [line["event"] for line in second.lines()]
