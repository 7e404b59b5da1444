"""Peers that come as a binary which a variable names."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from benchmarks.errors import UnavailableError


def binary_named_by(variable: str) -> str:
    """Return the path in an environment variable.

    Raises:
        UnavailableError: it is not set, or there is no such file.
    """
    path = os.environ.get(variable, "")
    if not path:
        raise UnavailableError(f"{variable} does not name its binary")
    if not Path(path).is_file():
        raise UnavailableError(f"{variable} names no file")
    return path


def build_of(binary: str) -> str:
    """Name a build that does not know its own version."""
    with Path(binary).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return f"build without a version, SHA-256 {digest[:12]}"
