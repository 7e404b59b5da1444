"""What waits in memory for who reads a download."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from tests.support.buffers import usual
from tusd_py.config import Streaming
from tusd_py.quantities import KiB, MiB
from tusd_py.streaming.budget import BufferBudget
from tusd_py.streaming.buffers import UNKNOWN
from tusd_py.streaming.pieces import Pieces


@pytest.fixture
def budget() -> BufferBudget:
    return BufferBudget(64 * MiB)


async def some() -> AsyncGenerator[bytes, None]:
    yield b"first"
    yield b"next"


def test_no_more_is_read_than_there_is_room_for(budget: BufferBudget) -> None:
    rooms = iter([MiB, 100 * KiB, 0])
    pieces = Pieces(usual(budget), lambda: next(rooms))

    expected = [UNKNOWN, 100 * KiB, Streaming().min_buffer_size]
    assert expected == [pieces.next_size() for _ in range(3)]


async def test_a_piece_is_held_until_the_next_one_is_asked_for(budget: BufferBudget) -> None:
    told: list[int] = []
    pieces = Pieces(usual(budget), lambda: 0, lambda: told.append(budget.held))
    held = [budget.held async for _ in pieces.counted(some())]

    assert [5, 4] == held
    assert [5, 0, 4, 0] == told


async def test_what_nobody_wants_any_more_is_not_held(budget: BufferBudget) -> None:
    given_up: list[str] = []

    async def endless() -> AsyncGenerator[bytes, None]:
        try:
            while True:
                yield b"piece"
        finally:
            given_up.append("all")

    async with aclosing(Pieces(usual(budget), lambda: 0).counted(endless())) as pieces:
        await anext(pieces)
        held = budget.held

    assert (5, 0, ["all"]) == (held, budget.held, given_up)
