import asyncio
import hashlib
import socket
import threading
from collections.abc import Iterator, Sequence

import pytest

from tusd_py.errors import StorageError, StorageFull
from tusd_py.streaming import DirectSink
from tusd_py.streaming.inlet import Inlet
from tusd_py.streaming.verified import HashingSink, hashing
from tusd_py.testing.script import CollectingSink

LONG = 30.0


async def test_what_passes_through_is_hashed_in_order() -> None:
    digest, inner = hashlib.sha256(), CollectingSink()
    sink = HashingSink(inner, digest.update)
    await sink.write([b"012", b"", b"34"])
    await sink.write([b"56789"])

    assert bytes(inner.data) == b"0123456789"
    assert digest.digest() == hashlib.sha256(b"0123456789").digest()


async def test_the_offset_is_that_of_the_inner_sink() -> None:
    inner = CollectingSink()
    inner.data += b"0123"
    sink = HashingSink(inner, lambda _: None)
    before = sink.offset
    await sink.write([b"45"])

    assert (before, sink.offset) == (4, 6)


async def test_hashing_does_not_happen_on_the_event_loop() -> None:
    threads: list[threading.Thread] = []
    sink = HashingSink(CollectingSink(), lambda _: threads.append(threading.current_thread()))
    await sink.write([b"a", b"b"])

    assert len(threads) == 2
    assert threading.current_thread() not in threads


async def test_a_failure_of_the_inner_sink_is_passed_on() -> None:
    sink = HashingSink(CollectingSink(room=2), lambda _: None)
    with pytest.raises(StorageFull):
        await sink.write([b"012"])

    assert sink.offset == 2


async def test_the_event_loop_runs_on_while_it_hashes() -> None:
    leave = threading.Event()

    def hash_slowly(_: bytes) -> None:
        leave.wait(LONG)

    writing = asyncio.create_task(HashingSink(CollectingSink(), hash_slowly).write([b"a"]))
    await asyncio.sleep(0)
    waits = not writing.done()
    leave.set()
    await writing

    assert waits


class PlainSink:
    """A sink that takes batches only."""

    offset = 0

    async def write(self, batch: Sequence[bytes]) -> None:
        self.offset += sum(map(len, batch))


@pytest.fixture
def inlet() -> Iterator[Inlet]:
    """Six bytes that have come."""
    theirs, ours = socket.socketpair()
    with theirs, ours:
        theirs.sendall(b"456789")
        yield Inlet(ours.fileno(), 6)


async def test_what_is_taken_from_a_socket_is_hashed_in_order(inlet: Inlet) -> None:
    digest, inner = hashlib.sha256(), CollectingSink()
    sink = hashing(inner, digest.update)
    assert isinstance(sink, DirectSink)
    await sink.write([b"0123"])
    await asyncio.to_thread(sink.take, inlet, 5)
    await asyncio.to_thread(sink.take, inlet, 5)
    await asyncio.to_thread(sink.settle)

    assert bytes(inner.data) == b"0123456789"
    assert digest.digest() == hashlib.sha256(b"0123456789").digest()


async def test_the_next_bytes_are_taken_while_the_last_are_hashed(inlet: Inlet) -> None:
    leave, inner = threading.Event(), CollectingSink()

    def hash_slowly(_: bytes) -> None:
        leave.wait(LONG)

    sink = hashing(inner, hash_slowly)
    assert isinstance(sink, DirectSink)
    await asyncio.to_thread(sink.take, inlet, 3)
    await asyncio.to_thread(sink.take, inlet, 3)
    taken = inner.offset
    settling = asyncio.create_task(asyncio.to_thread(sink.settle))
    await asyncio.sleep(0)
    waits = not settling.done()
    leave.set()
    await settling

    assert (6, True) == (taken, waits)


async def test_bytes_that_cannot_be_read_back_are_an_error_at_the_end(inlet: Inlet) -> None:
    class Forgetful(CollectingSink):
        def read_back(self, offset: int, size: int) -> bytes:
            raise StorageError(f"{size} bytes at {offset} are gone")

    sink = hashing(Forgetful(), lambda _: None)
    assert isinstance(sink, DirectSink)
    await asyncio.to_thread(sink.take, inlet, 6)
    with pytest.raises(StorageError):
        await asyncio.to_thread(sink.settle)


def test_only_who_can_take_bytes_from_a_socket_looks_as_if() -> None:
    assert not isinstance(hashing(PlainSink(), lambda _: None), DirectSink)
