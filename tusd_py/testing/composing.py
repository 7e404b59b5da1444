"""What every storage promises that builds uploads from others."""

from collections.abc import AsyncIterator
from typing import Protocol

import pytest

from tusd_py.storage import Composing, Storage

from .storage import publish, store, stored
from .uploads import CREATED_AT, a_final, a_part

ONE, TWO = b"first part, ", b"second part"


class ComposingStorage(Storage, Composing, Protocol):
    """A storage that builds an upload from others."""


@pytest.mark.anyio
class ComposingContract:
    """The promises of ``tusd_py.storage.Composing``. Override ``storage``."""

    @pytest.fixture
    def storage(self) -> ComposingStorage:
        """A new storage with nothing in it, not started."""
        raise NotImplementedError("Override the fixture 'storage'.")

    @pytest.fixture
    async def started(self, storage: ComposingStorage) -> AsyncIterator[ComposingStorage]:
        """The storage with two parts in it."""
        await storage.start(durable=True)
        await store(storage, a_part("p1", ONE), ONE)
        await store(storage, a_part("p2", TWO), TWO)
        yield storage
        await storage.close()

    async def test_it_says_that_it_composes(self, started: ComposingStorage) -> None:
        assert isinstance(started, Composing)

    async def test_parts_come_in_order(self, started: ComposingStorage) -> None:
        parts = [a_part("p2", TWO), a_part("p1", ONE), a_part("p2", TWO)]

        size = await started.compose(a_final("final"), parts)

        target = a_final("final", length=size, offset=size)
        assert await stored(started, target) == TWO + ONE + TWO
        assert size == len(TWO + ONE + TWO)

    async def test_the_parts_stay(self, started: ComposingStorage) -> None:
        await started.compose(a_final("final"), [a_part("p1", ONE), a_part("p2", TWO)])

        assert await stored(started, a_part("p1", ONE)) == ONE
        assert await stored(started, a_part("p2", TWO)) == TWO

    async def test_it_is_not_published_yet(self, started: ComposingStorage) -> None:
        other = a_part("other", b"other", path="finished/final")
        await started.compose(a_final("final"), [a_part("p1", ONE)])

        await store(started, other, b"other")
        await publish(started, other)

        finished = other._replace(finished_at=CREATED_AT)
        assert await stored(started, finished) == b"other"

    async def test_it_can_be_published(self, started: ComposingStorage) -> None:
        size = await started.compose(a_final("final"), [a_part("p1", ONE), a_part("p2", TWO)])
        target = a_final("final", length=size, offset=size)

        await publish(started, target)

        assert await stored(started, target._replace(finished_at=CREATED_AT)) == ONE + TWO

    async def test_a_part_without_bytes_adds_nothing(self, started: ComposingStorage) -> None:
        parts = [a_part("nothing", b""), a_part("p1", ONE), a_part("nothing", b"")]

        size = await started.compose(a_final("final"), parts)

        assert size == len(ONE)
        assert await stored(started, a_final("final", offset=size)) == ONE

    async def test_parts_without_bytes_make_an_empty_upload(
        self, started: ComposingStorage
    ) -> None:
        size = await started.compose(a_final("final", length=0), [a_part("nothing", b"")])

        assert size == 0
        assert await started.size(a_final("final", length=0)) == 0

    async def test_doing_it_again_gives_the_same(self, started: ComposingStorage) -> None:
        parts = [a_part("p1", ONE), a_part("p2", TWO)]
        await started.compose(a_final("final"), parts)

        size = await started.compose(a_final("final"), parts)

        assert size == len(ONE + TWO)
        assert await stored(started, a_final("final", offset=size)) == ONE + TWO

    async def test_doing_it_again_when_its_size_is_known_gives_the_same(
        self, started: ComposingStorage
    ) -> None:
        parts = [a_part("p1", ONE), a_part("p2", TWO)]
        size = await started.compose(a_final("final"), parts)

        again = await started.compose(a_final("final", length=size, offset=size), parts)

        assert again == size
        assert await stored(started, a_final("final", offset=size)) == ONE + TWO

    async def test_what_an_attempt_left_behind_is_replaced(self, started: ComposingStorage) -> None:
        await store(started, a_final("final"), b"half of something longer than both parts")

        size = await started.compose(a_final("final"), [a_part("p1", ONE)])

        assert size == len(ONE)
        assert await stored(started, a_final("final", offset=size)) == ONE

    async def test_large_parts_are_whole(self, started: ComposingStorage) -> None:
        data = bytes(range(256)) * 12_000
        await store(started, a_part("large", data), data)

        size = await started.compose(a_final("final"), [a_part("large", data), a_part("p1", ONE)])

        assert size == len(data + ONE)
        assert await stored(started, a_final("final", offset=size)) == data + ONE
