"""Free memory as it is on a machine at work."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

_BLOCK: Final = bytes(1024 * 1024)
# Server and sockets take pages too, beside those of the file.
_HEADROOM: Final = 1.25
_PROBE_SIZE: Final = 256 * len(_BLOCK)
_PROBE_IDLE_SECONDS: Final = 3.0


def claim(folder: Path, size: int) -> None:
    """Have memory at hand for files of `size` bytes in all, right before they are written.

    A virtual machine may give its free pages back to the host within a second, and then pays
    for each when it takes it again: up to ten times what the write itself costs. A file written
    and removed takes them back beforehand. Elsewhere it changes nothing.
    """
    _write_and_remove(folder, int(size * _HEADROOM))


def cost_of_idle_memory(folder: Path) -> float:
    """Return how many times longer a file takes to write after a pause than right after another.

    Near 1 on most machines. Where it is high, `claim` helps trials of up to a second, and longer
    ones pay: slow servers more than fast ones.
    """
    time.sleep(_PROBE_IDLE_SECONDS)
    after_pause = _write_and_remove(folder, _PROBE_SIZE)
    at_once = min(_write_and_remove(folder, _PROBE_SIZE) for _ in range(3))
    return after_pause / at_once


def _write_and_remove(folder: Path, size: int) -> float:
    scratch = folder / "scratch"
    start = time.perf_counter()
    with scratch.open("wb", buffering=0) as file:
        for _ in range(size // len(_BLOCK)):
            file.write(_BLOCK)
    seconds = time.perf_counter() - start
    scratch.unlink()
    return seconds
