"""Logging: where the library's lines go, and how the command line sets it up.

A library does not print. Until the application configures structlog, our lines go through the
standard ``logging`` module: the message is the event's name, the facts are attributes of the
record. Once structlog is configured, by the application or by ``configure``, they go there.
"""

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import StringIO
from typing import Any, BinaryIO, Final, Literal, TextIO, cast

import structlog
from structlog.typing import EventDict, ExcInfo, FilteringBoundLogger, Processor, WrappedLogger

Rendering = Literal["console", "json"]

# The keys of logging's own calls, and those of its records, which facts must not overwrite.
_CALL_KEYS: Final = frozenset(structlog.stdlib.LOG_KWARG_NAMES) | {"event"}
_RECORD_KEYS: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}

# These tell little that our own lines don't, and aiosqlite tells it per statement.
_TALKATIVE: Final[Mapping[str, int]] = {
    "uvicorn": logging.WARNING,
    "aiosqlite": logging.INFO,
    "httpx": logging.WARNING,
    "httpcore": logging.INFO,
}


class _Logger:
    """Finds its way out at each line, for an application may configure structlog after import."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._plain = structlog.wrap_logger(
            logging.getLogger(name),
            processors=[
                structlog.stdlib.filter_by_level,
                _spare_record_keys,
                structlog.stdlib.render_to_log_kwargs,
            ],
            wrapper_class=structlog.stdlib.BoundLogger,
            context_class=dict,
        ).bind()
        self.renew()

    def renew(self) -> None:
        """Forget what structlog cached from an earlier configuration."""
        self._structured = structlog.get_logger(self._name)

    def __getattr__(self, method: str) -> Callable[..., Any]:
        target = self._structured if structlog.is_configured() else self._plain
        found: Callable[..., Any] = getattr(target, method)
        return found


_loggers: dict[str, _Logger] = {}


def get_logger(name: str) -> FilteringBoundLogger:
    """Give a module its logger; ``name`` starts with ``tusd_py``."""
    if name not in _loggers:
        _loggers[name] = _Logger(name)
    return cast("FilteringBoundLogger", _loggers[name])


def rendering(log_format: str, stream: TextIO) -> Rendering:
    """Tell how lines of this format look on this stream."""
    if log_format == "json" or (log_format != "console" and not stream.isatty()):
        return "json"
    return "console"


def configure(log_format: str, level: str, stream: TextIO) -> None:
    """Set up the whole process's logging; for a program, never for a library.

    Lines of the standard ``logging`` module, such as uvicorn's, come out in the same form.

    Args:
        log_format: A ``config.LogFormat``.
        level: A ``config.LogLevel``; the format ``none`` raises it to ``warning``.
        stream: Takes the lines.
    """
    lowest = logging.getLevelNamesMapping()[level.upper()]
    if log_format == "none":
        lowest = max(lowest, logging.WARNING)
    wanted = rendering(log_format, stream)
    preparing = _JSON_PREPARING if wanted == "json" else _CONSOLE_PREPARING
    renderer = _to_json if wanted == "json" else _console(colors=stream.isatty())
    factory = structlog.BytesLoggerFactory(cast("BinaryIO", _Unfailing(stream.buffer)))
    structlog.configure(
        processors=[*preparing, renderer, cast("Processor", _encode)],
        wrapper_class=structlog.make_filtering_bound_logger(lowest),
        context_class=dict,
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    for logger in _loggers.values():
        logger.renew()
    _take_over_logging(lowest, _Handler(factory(), [*preparing, renderer]))


class _Unfailing:
    """A file for lines that may get lost: a full disk or a broken pipe must not fail an upload."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, line: bytes) -> None:
        with suppress(OSError, ValueError):
            self._file.write(line)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._file.flush()


class _Handler(logging.Handler):
    """Writes records of the standard library's loggers as if they were ours."""

    def __init__(self, out: structlog.BytesLogger, processors: list[Processor]) -> None:
        super().__init__()
        self._out = out
        self.setFormatter(
            structlog.stdlib.ProcessorFormatter(
                foreign_pre_chain=[structlog.stdlib.add_logger_name],
                processors=[
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    *processors,
                ],
                use_get_message=True,
            )
        )

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._out.msg(_encode(None, "", self.format(record)))
        except Exception:
            self.handleError(record)


def _take_over_logging(lowest: int, handler: logging.Handler) -> None:
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(lowest)
    for name, cap in _TALKATIVE.items():
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.setLevel(max(lowest, cap))
    # We write one line per request ourselves.
    access = logging.getLogger("uvicorn.access")
    access.handlers.clear()
    access.propagate = False
    access.disabled = True


def _spare_record_keys(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    # logging raises KeyError when a fact is called as an attribute of its records.
    return {
        f"{key}_" if key in _RECORD_KEYS and key not in _CALL_KEYS else key: value
        for key, value in event.items()
    }


def _escape(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    # Text from clients must not move the cursor of whoever watches.
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = _visible(value)
    return event


def _visible(text: str, keep: str = "") -> str:
    return "".join(
        char if char.isprintable() or char in keep else ascii(char)[1:-1] for char in text
    )


def _trace(out: TextIO, exc_info: ExcInfo) -> None:
    plain = StringIO()
    structlog.dev.plain_traceback(plain, exc_info)
    out.write(_visible(plain.getvalue(), keep="\n"))


# An encoder made once: json.dumps makes one for each line that has a default.
_json = json.JSONEncoder(separators=(",", ":"), default=str).encode


def _to_json(_: WrappedLogger, __: str, event: EventDict) -> str:
    first = {key: event.pop(key) for key in ("timestamp", "level", "event")}
    return _json({**first, **event})


def _console(*, colors: bool) -> Processor:
    return structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=_trace)


def _encode(_: WrappedLogger, __: str, line: str) -> bytes:
    return line.encode("utf-8", "backslashreplace")


_STAMP: Final[tuple[Processor, ...]] = (
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
_JSON_PREPARING: Final[tuple[Processor, ...]] = (*_STAMP, structlog.processors.format_exc_info)
_CONSOLE_PREPARING: Final[tuple[Processor, ...]] = (*_STAMP, _escape)
