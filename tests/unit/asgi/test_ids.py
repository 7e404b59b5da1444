import copy
import os

import pytest

from tusd_py.asgi.ids import RandomIds


def test_no_two_ids_are_alike_in_what_is_random() -> None:
    make = RandomIds()
    random = {make()[-32:] for _ in range(1000)}

    assert len(random) == 1000


def test_ids_begin_with_their_time_so_that_they_sort_by_it() -> None:
    make = RandomIds()
    times = [make()[:-32] for _ in range(1000)]

    assert times == sorted(times)
    assert {len(time) for time in times} == {12}


def test_a_process_that_was_forked_does_not_use_its_parents_bits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parent = RandomIds()
    parent()
    child = copy.copy(parent)
    of_parent = parent()
    monkeypatch.setattr(os, "getpid", lambda: -1)

    assert child()[-32:] != of_parent[-32:]
