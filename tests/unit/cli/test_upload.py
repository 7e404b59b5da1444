"""``tusd-py upload``: what is wrong is told before anything is sent; progress has several forms."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from tests.unit.cli.fakes import Run
from tusd_py.cli.bar import Bar
from tusd_py.cli.progress import Events, Lines, described, reporter, short_size
from tusd_py.client import GaveUp, Phase, Progress, Uploaded, Uploader

URL = "http://127.0.0.1:1/files/"
HALF = Progress(phase=Phase.UPLOADING, sent=5_000_000, total=10_000_000, rate=2e6, time_left=2.5)
PAUSED = Progress(phase=Phase.PAUSED, sent=5_000_000, total=10_000_000, why="Connection refused")
DONE = Uploaded(url="http://example.com/1", size=10_000_000, resumed_at=7, seconds=1.23456)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "a.bin"
    file.write_bytes(b"hello")
    return file


def test_all_that_is_wrong_is_told_together(run: Run, file: Path, tmp_path: Path) -> None:
    done = run(
        *("upload", "--chunk-size", "big", "--metadata", "x", "--parallel", "0"),
        *(str(file), str(tmp_path), str(tmp_path / "missing"), "ftp://example.com"),
    )

    assert (2, "") == (done.exit_code, done.stdout)
    assert [
        f"{tmp_path} is a folder. Upload its files one by one.",
        f"{tmp_path / 'missing'}: there is no such file.",
        '--chunk-size: "big" is not a size such as 5GB or 512MiB.',
        "--parallel must be above zero.",
        '--metadata: "x" is not of the form NAME=VALUE.',
        '"ftp://example.com" is not a URL such as https://example.com/files/.',
    ] == done.stderr.splitlines()


@pytest.mark.parametrize("args", [[], [URL]])
def test_a_file_and_a_url_are_needed(run: Run, args: list[str]) -> None:
    done = run("upload", *args)

    assert (2, 1) == (done.exit_code, len(done.stderr.splitlines()))


def test_a_checksum_that_nobody_knows_is_refused(run: Run, file: Path) -> None:
    done = run("upload", "--checksum", "rot13", str(file), URL)

    assert 2 == done.exit_code
    assert "--checksum must be one of sha1, sha256" in done.stderr


def test_a_token_that_no_header_can_carry_is_refused(run: Run, file: Path) -> None:
    done = run("upload", "--token", "a\nb", str(file), URL)

    assert (2, "The header 'Authorization' cannot be sent.\n") == (done.exit_code, done.stderr)


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (HALF, "5.0 MB of 10.0 MB, 2.0 MB/s, 2s left"),
        (PAUSED, "5.0 MB of 10.0 MB, paused: Connection refused"),
        (Progress(phase=Phase.COMPARING, sent=0, total=10), "0 B of 10 B, comparing"),
    ],
)
def test_a_look_is_one_line(progress: Progress, line: str) -> None:
    assert line == described(progress)


@pytest.mark.parametrize(
    ("size", "shown"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_234_567, "1.2 MB"), (10**15, "1.0 PB")],
)
def test_sizes_are_short(size: int, shown: str) -> None:
    assert shown == short_size(size)


def test_lines_come_every_five_seconds_and_at_each_pause(
    capsys: pytest.CaptureFixture[str],
) -> None:
    times = iter([0.0, 1.0, 4.9, 5.0, 5.1, 5.2, 5.3])
    lines = Lines(lambda: next(times))
    lines.begin("a.bin")
    for progress in (HALF, HALF, HALF, PAUSED, PAUSED, HALF):
        lines.progress(progress)
    lines.finished(DONE)

    out, err = capsys.readouterr()
    assert "http://example.com/1\n" == out
    assert ["2.0 MB/s", "paused"] == [
        line.split(", ")[1].partition(":")[0] for line in err.split("\n")[:-1]
    ]


def test_json_has_what_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    events = Events()
    events.begin("a.bin")
    for progress in (HALF, PAUSED, Progress(phase=Phase.FINISHED, sent=1, total=1)):
        events.progress(progress)
    events.finished(DONE)
    events.failed(GaveUp(1.0, "no"), "why")

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ["uploading", "paused", "uploaded", "failed"] == [event["event"] for event in told]
    assert {"a.bin"} == {event["file"] for event in told}
    assert "why" not in told[0]
    assert ("Connection refused", 7) == (told[1]["why"], told[2]["resumed_at"])
    assert ("gave-up", True) == (told[3]["code"], told[3]["resumable"])


def test_a_bar_shows_name_share_and_reason(capsys: pytest.CaptureFixture[str]) -> None:
    screen = io.StringIO()
    bar = Bar(Console(file=screen, force_terminal=True, width=120))
    bar.begin("[red]a.bin")
    bar.progress(HALF)
    bar.progress(PAUSED)
    bar.finished(DONE)
    bar.close()

    shown = screen.getvalue()
    assert "[red]a.bin" in shown
    assert "50%" in shown
    assert "paused: Connection refused" in shown
    assert "http://example.com/1\n" == capsys.readouterr().out


def test_without_a_terminal_there_are_lines() -> None:
    assert isinstance(reporter(as_json=False), Lines)
    assert isinstance(reporter(as_json=True), Events)


def test_a_defect_in_one_file_does_not_stop_the_next(
    run: Run, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def upload(_: Uploader, path: Path, **__: object) -> Uploaded:
        if path == file:
            raise RecursionError("https://example.com/secret")
        return Uploaded(url="https://example.com/1", size=1, resumed_at=0, seconds=1.0)

    monkeypatch.setattr(Uploader, "upload", upload)
    other = tmp_path / "other"
    other.touch()

    done = run("upload", "--no-links", str(file), str(other), "http://127.0.0.1:1/")

    assert (1, "https://example.com/1\n") == (done.exit_code, done.stdout)
    assert "This is a defect of tusd-py: RecursionError in test_upload.py, line" in done.stderr
    assert "secret" not in done.stderr
