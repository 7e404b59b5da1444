"""File systems of their own for tests, which take root to mount."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from .tools import require_tool


@contextmanager
def memory_mounted(folder: Path, *, size: int) -> Iterator[Path]:
    """An empty file system of so many bytes in memory."""
    with _mounted(["-t", "tmpfs", "-o", f"size={size}", "tmpfs"], folder):
        yield folder


@contextmanager
def image_mounted(folder: Path, *make: str, size: int) -> Iterator[Path]:
    """An empty file system of so many bytes in a sparse file beside a new folder.

    Args:
        folder: Where it is mounted.
        make: The command that makes it, without the file.
        size: Of the file, in bytes.
    """
    command = [require_tool(make[0]), *make[1:]]
    image = folder.with_name(f"{folder.name}.image")
    with image.open("wb") as file:
        file.truncate(size)
    subprocess.run([*command, image], check=True)
    with _mounted(["-o", "loop", str(image)], folder):
        yield folder


def remount(folder: Path, options: str) -> None:
    """Change the options of a mounted file system."""
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


@contextmanager
def _mounted(arguments: Sequence[str], folder: Path) -> Iterator[None]:
    if os.geteuid() != 0:
        pytest.skip("mounting a file system takes root")
    folder.mkdir()
    subprocess.run(["mount", *arguments, folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)
