"""How many bytes one request has."""

from __future__ import annotations

import pytest

from tusd_py.client import Options
from tusd_py.client.steps import Steps
from tusd_py.quantities import KB, MiB

OF_LINK = {"192.0.2.1": None, "198.51.100.1": 512 * KB, None: None}


def steps(**options: object) -> Steps:
    return Steps(Options(**options), OF_LINK.__getitem__)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "cable", "radio"),
    [
        ({}, None, 512 * KB),
        ({"chunk_size": MiB}, MiB, MiB),
        ({"checksum": "sha256"}, 8 * MiB, 512 * KB),
        ({"checksum": "sha256", "chunk_size": MiB}, MiB, MiB),
    ],
)
def test_what_was_chosen_counts_and_otherwise_the_link(
    options: dict[str, object], cable: int | None, radio: int | None
) -> None:
    found = steps(**options)
    assert [cable, radio, cable] == [found.most(local) for local in OF_LINK]


@pytest.mark.parametrize(
    ("offset", "then"), [(100, 512 * KB), (101, None), (199, None), (200, 512 * KB)]
)
def test_a_server_that_keeps_a_part_of_a_request_gets_all_in_one(
    offset: int, then: int | None
) -> None:
    found = steps()
    found.broken(100, 200, offset)
    assert then == found.most("198.51.100.1")


def test_what_is_verified_is_kept_whole_or_not_at_all() -> None:
    found = steps(checksum="sha256")
    found.broken(100, 200, 150)
    assert 512 * KB == found.most("198.51.100.1")
