"""When a client that does not read is cut off."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tusd_py.serving.readers import Reader


class Transport:
    """A connection whose unread bytes a test sets."""

    unread = 0
    aborted = False

    def get_write_buffer_size(self) -> int:
        return self.unread

    def get_extra_info(self, name: str) -> None:
        assert name == "socket"

    def abort(self) -> None:
        self.aborted = True


class Loop:
    """An event loop whose one timer a test lets run out."""

    def __init__(self) -> None:
        self.seconds: float | None = None
        self._callback: Callable[[], None] | None = None

    def call_later(self, seconds: float, callback: Callable[[], None]) -> "Loop":
        self.seconds, self._callback = seconds, callback
        return self

    def cancel(self) -> None:
        self.seconds = self._callback = None

    def run_out(self) -> None:
        assert self._callback is not None
        callback = self._callback
        self.cancel()
        callback()


@pytest.fixture
def transport() -> Transport:
    return Transport()


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def reader(transport: Any, loop: Any) -> Reader:  # noqa: ANN401 - stand-ins
    assert not isinstance(loop, asyncio.AbstractEventLoop)
    return Reader(transport, loop)


def test_where_nothing_waits_there_is_nothing_to_watch(reader: Reader, loop: Loop) -> None:
    reader.watch(60)

    assert loop.seconds is None


def test_who_takes_nothing_is_cut_off(reader: Reader, transport: Transport, loop: Loop) -> None:
    transport.unread = 100
    reader.watch(60)
    loop.run_out()

    assert transport.aborted


def test_who_takes_something_has_as_long_again(
    reader: Reader, transport: Transport, loop: Loop
) -> None:
    transport.unread = 100
    reader.watch(60)
    transport.unread = 99
    loop.run_out()

    assert not transport.aborted
    assert 60 == loop.seconds
    loop.run_out()
    assert transport.aborted


def test_who_took_all_and_got_more_is_not_cut_off(
    reader: Reader, transport: Transport, loop: Loop
) -> None:
    transport.unread = 100
    reader.watch(60)
    reader.progressed()
    transport.unread = 200
    loop.run_out()

    assert not transport.aborted


def test_who_took_all_is_watched_no_more(reader: Reader, transport: Transport, loop: Loop) -> None:
    transport.unread = 100
    reader.watch(60)
    transport.unread = 0
    loop.run_out()

    assert (None, False) == (loop.seconds, transport.aborted)


def test_the_shorter_time_counts(reader: Reader, transport: Transport, loop: Loop) -> None:
    transport.unread = 100
    for seconds in (60, 1, 60):
        reader.watch(seconds)

    assert 1 == loop.seconds


class File:
    """What waits in a file."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.idle = True


def test_what_waits_in_a_file_counts_like_what_waits_in_memory(reader: Reader, loop: Loop) -> None:
    reader.file = File(100)
    reader.watch(60)

    assert 60 == loop.seconds


def test_who_takes_nothing_of_a_file_is_cut_off(
    reader: Reader, transport: Transport, loop: Loop
) -> None:
    reader.file = File(100)
    reader.watch(60)
    loop.run_out()

    assert transport.aborted


def test_who_takes_a_byte_of_a_file_has_as_long_again(
    reader: Reader, transport: Transport, loop: Loop
) -> None:
    reader.file = file = File(100)
    reader.watch(60)
    file.left = 99
    loop.run_out()

    assert (60, False) == (loop.seconds, transport.aborted)


def test_who_waits_for_the_disk_is_not_cut_off(
    reader: Reader, transport: Transport, loop: Loop
) -> None:
    reader.file = file = File(100)
    reader.watch(60)
    file.idle = False
    loop.run_out()

    assert (60, False) == (loop.seconds, transport.aborted)


def test_who_gets_another_file_has_time_for_it(
    reader: Reader, transport: Transport, loop: Loop
) -> None:
    reader.file = File(100)
    reader.watch(60)
    reader.file = File(1000)
    loop.run_out()

    assert (60, False) == (loop.seconds, transport.aborted)


def test_a_file_that_was_sent_is_watched_no_more(
    reader: Reader, transport: Transport, loop: Loop
) -> None:
    reader.file = File(100)
    reader.watch(60)
    reader.file = None
    loop.run_out()

    assert (None, False) == (loop.seconds, transport.aborted)
