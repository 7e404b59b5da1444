"""Numbers of several processes: real processes, real files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.support.metrics import Page, parsed
from tests.support.server import REPOSITORY
from tusd_py.metrics.exposition import page
from tusd_py.metrics.shared import SharedMeters, clean, readings
from tusd_py.metrics.table import DIGEST, SIZE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no locks of the kernel")

COUNTING = """
import sys
from pathlib import Path
from tusd_py.metrics.shared import shared_meters
meters = shared_meters(Path(sys.argv[1]))
meters.received.add(10)
meters.transfers.set(1)
meters.publish()
print("counted", flush=True)
for line in sys.stdin:
    meters.received.add(int(line))
    meters.publish()
    print("counted", flush=True)
"""


class Process:
    """Another process that counts."""

    def __init__(self, process: subprocess.Popen[str], asked: IO[str], said: IO[str]) -> None:
        self._process = process
        self._asked = asked
        self._said = said

    def wait(self) -> None:
        assert "counted\n" == self._said.readline()

    def count(self, size: int) -> None:
        self._asked.write(f"{size}\n")
        self._asked.flush()
        self.wait()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def counting(folder: Path) -> Iterator[Process]:
    with subprocess.Popen(
        [sys.executable, "-c", COUNTING, str(folder)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        other = Process(process, process.stdin, process.stdout)
        try:
            other.wait()
            yield other
        finally:
            other.kill()


def read(meters: SharedMeters) -> Page:
    return parsed(page(readings(meters), {}, "1", "")[0].decode())


def test_what_others_publish_is_seen(tmp_path: Path) -> None:
    mine = SharedMeters(tmp_path)
    with counting(tmp_path) as other:
        mine.received.add(3)
        page = read(mine)
        assert (13, 1, 2) == (
            page.get("received_bytes_total"),
            page.get("transfers_active"),
            page.get("processes"),
        )
        other.count(100)
        assert 113 == read(mine).get("received_bytes_total")


def test_what_a_dead_process_counted_stays_and_its_gauges_go(tmp_path: Path) -> None:
    mine = SharedMeters(tmp_path)
    with counting(tmp_path) as other:
        other.kill()
        page = read(mine)

    assert (10, 0, 1) == (
        page.get("received_bytes_total"),
        page.get("transfers_active"),
        page.get("processes"),
    )


def test_who_takes_the_place_of_a_dead_process_counts_on(tmp_path: Path) -> None:
    for _ in range(3):
        with counting(tmp_path) as other:
            other.kill()
    mine = SharedMeters(tmp_path)
    before = read(mine)
    mine.received.add(5)
    mine.transfers.set(7)
    after = read(mine)

    assert (30, 0) == (before.get("received_bytes_total"), before.get("transfers_active"))
    assert (35, 7) == (after.get("received_bytes_total"), after.get("transfers_active"))
    assert ["0.meters"] == [file.name for file in tmp_path.iterdir()]


def test_what_is_cleaned_is_forgotten(tmp_path: Path) -> None:
    with counting(tmp_path) as other:
        other.kill()
    clean(tmp_path)

    assert [] == [*tmp_path.iterdir()]
    clean(tmp_path / "not there")


@pytest.mark.parametrize(
    "left",
    [b"", b"x" * 100, bytes(len(DIGEST) + SIZE * 8), DIGEST + bytes(8), DIGEST + bytes(SIZE * 9)],
)
def test_files_of_another_version_are_not_read_and_begun_anew(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "1.meters").write_bytes(left)
    mine = SharedMeters(tmp_path)
    assert 1 == len(readings(mine))

    with counting(tmp_path):
        assert 10 == read(mine).get("received_bytes_total")
    assert 2 == len([*tmp_path.iterdir()])
