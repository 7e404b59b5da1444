import asyncio
import hashlib
import socket
import threading
from collections.abc import Sequence

import pytest

from tusd_py.errors import StorageFull
from tusd_py.streaming import DirectSink
from tusd_py.streaming.inlet import Inlet
from tusd_py.streaming.verified import HashingSink, hashing
from tusd_py.testing.script import CollectingSink


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
        leave.wait(30)

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


async def test_what_is_taken_from_a_socket_is_hashed_too() -> None:
    digest, inner = hashlib.sha256(), CollectingSink()
    sink = hashing(inner, digest.update)
    theirs, ours = socket.socketpair()
    with theirs, ours:
        theirs.sendall(b"456789")
        await sink.write([b"0123"])
        assert isinstance(sink, DirectSink)
        await asyncio.to_thread(sink.take, Inlet(ours.fileno(), 6), 6)

    assert bytes(inner.data) == b"0123456789"
    assert digest.digest() == hashlib.sha256(b"0123456789").digest()


def test_only_who_can_take_bytes_from_a_socket_looks_as_if() -> None:
    assert not isinstance(hashing(PlainSink(), lambda _: None), DirectSink)
