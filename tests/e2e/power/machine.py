"""A disk whose power can be cut, and a server on it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.server import REPOSITORY, ServerDied, ServerProcess
from tests.support.tools import require_tool

PATIENCE = 20.0


class Power:
    """The power of a mounted disk.

    Args:
        disk: The process that holds it.
        folder: Where it is mounted.
    """

    def __init__(self, disk: subprocess.Popen[str], folder: Path) -> None:
        self.folder = folder
        self._disk = disk

    def cut_after(self, changes: int, *, seed: int | None = None) -> None:
        """Let the power go after so many changes of the disk.

        Args:
            changes: Counted from now.
            seed: Decides what else had reached the disk by itself; None is nothing.
        """
        self._order(f"cut {changes} {-1 if seed is None else seed}")

    def cut(self) -> None:
        """Take the power away now, unless it is gone, and wait until it is."""
        self._order("off")
        self.wait_for_the_cut()

    def wait_for_the_cut(self) -> None:
        """Wait until the power is gone."""
        assert self._answer() == "cut"

    def switch_on(self) -> None:
        """Give the power back; nobody may use the disk any more."""
        self._order("on")
        assert self._answer() == "on"

    def fail(self, call: str, name: str) -> None:
        """Let the next call, ``write`` or ``sync``, of a file with this name fail."""
        self._order(f"fail {call} {name}")
        assert self._answer() == "fail"

    def protect(self) -> None:
        """Let the disk be read only from now on, as Linux does with one that has errors."""
        self._order("protect")
        assert self._answer() == "protect"

    def failed(self) -> bool:
        """Whether all calls that were to fail have failed."""
        self._order("failed")
        return self._answer() == "yes"

    def _order(self, order: str) -> None:
        assert self._disk.stdin is not None
        self._disk.stdin.write(f"{order}\n")
        self._disk.stdin.flush()

    def _answer(self) -> str:
        assert self._disk.stdout is not None
        return self._disk.stdout.readline().strip()


class PoweredServer(ServerProcess):
    """A server on a disk that loses power.

    Attributes:
        power: The disk's.
        boot: Numbers the boots of the machine.
        missing: The sync that it leaves out.
    """

    def __init__(self, power: Power) -> None:
        super().__init__(power.folder / "data")
        # What it wrote is of interest when the disk is gone.
        self.log_file = power.folder.with_name("server.log")
        self.power = power
        self.boot = 1
        self.missing = "nothing"

    def command(self) -> list[str]:
        python, _, _, *arguments = super().command()
        module = "tests.e2e.power.server"
        return [python, "-m", module, f"boot-{self.boot}", self.missing, *arguments]

    def boot_again(self) -> None:
        """Start as after the loss of power, which has happened."""
        self.kill()
        self.power.switch_on()
        self.boot += 1
        self.start()


@contextmanager
def mounted(folder: Path) -> Iterator[Power]:
    """Mount an empty disk at a new folder."""
    require_tool("fusermount3")
    if not Path("/dev/fuse").exists():
        pytest.skip("a file system in user space takes /dev/fuse")
    folder.mkdir()
    disk = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.power.mount", str(folder)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with disk:
        try:
            _wait_until_mounted(folder, disk)
            yield Power(disk, folder)
        finally:
            # Files that are still open do not hold it up.
            disk.terminate()
            disk.wait(PATIENCE)


def _wait_until_mounted(folder: Path, disk: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not folder.is_mount():
        if disk.poll() is not None or time.monotonic() > deadline:
            raise ServerDied("The disk was not mounted.")
        time.sleep(0.01)
