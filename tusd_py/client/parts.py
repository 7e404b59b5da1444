"""How a file is divided among parallel uploads."""

from itertools import pairwise
from typing import Final

from tusd_py.quantities import MiB

from .state import SavedPart
from .transfer import Part

# A smaller part costs more in requests than it gains.
_LEAST_PART: Final = MiB


def divided(size: int, parallel: int) -> tuple[SavedPart, ...]:
    """The parts of a file of so many bytes: as many as asked for, or fewer of 1 MiB."""
    count = max(1, min(parallel, size // _LEAST_PART))
    edges = [size * number // count for number in range(count + 1)]
    return tuple(SavedPart(start, end - start, None) for start, end in pairwise(edges))


def cover(parts: tuple[SavedPart, ...], size: int) -> bool:
    """Whether parts that were remembered are those of a file of so many bytes."""
    start = 0
    for part in parts:
        if part.start != start or part.length < 0:
            return False
        start += part.length
    return bool(parts) and start == size


def numbered(parts: tuple[SavedPart, ...]) -> list[Part]:
    """What is to be brought to each upload."""
    return [
        Part(number=number, start=part.start, length=part.length, url=part.url)
        for number, part in enumerate(parts)
    ]
