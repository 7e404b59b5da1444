"""Files with random content to upload."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from pathlib import Path

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class Sample:
    """A file, its length and the SHA-256 of its content."""

    path: Path
    length: int
    digest: str


def write_sample(path: Path, length: int, *, seed: int = 0) -> Sample:
    """Write a file of this length whose content no other seed has."""
    content = random.Random(seed)  # noqa: S311 - a test must be repeatable
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for start in range(0, length, MIB):
            block = content.randbytes(min(MIB, length - start))
            digest.update(block)
            file.write(block)
    return Sample(path, length, digest.hexdigest())
