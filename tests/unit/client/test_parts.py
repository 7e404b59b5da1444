"""How a file is divided."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tusd_py.client.parts import cover, divided
from tusd_py.client.state import SavedPart
from tusd_py.quantities import GiB, MiB


@given(size=st.integers(0, 10 * GiB), parallel=st.integers(1, 64))
def test_parts_are_the_whole_file_and_of_nearly_one_size(size: int, parallel: int) -> None:
    parts = divided(size, parallel)

    assert cover(parts, size)
    lengths = [part.length for part in parts]
    assert max(lengths) - min(lengths) <= 1
    assert len(parts) <= parallel
    assert len(parts) == 1 or min(lengths) >= MiB


def test_as_many_as_are_asked_for() -> None:
    assert 8 == len(divided(8 * MiB, 8))


def test_what_is_no_division_of_a_file_is_seen() -> None:
    first, second = SavedPart(0, 10, None), SavedPart(10, 5, None)

    assert cover((first, second), 15)
    assert not cover((first, second), 16)
    assert not cover((second, first), 15)
    assert not cover((), 0)
