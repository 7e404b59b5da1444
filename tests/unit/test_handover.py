"""Which bodies are handed over, and which connections."""

import errno
import os
import resource
import socket
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tusd_py.serving import handover
from tusd_py.serving.handover import HandedOver, duplicate_of, missing

LENGTH = handover.SMALLEST + 100


def request(*headers: tuple[bytes, bytes], **facts: Any) -> Any:  # noqa: ANN401 - uvicorn's
    """A request of which the first hundred bytes of the body were read and not received."""
    scope = {"headers": headers or [(b"content-length", b"%d" % LENGTH)]}
    defaults = {"scope": scope, "body": bytes(100), "more_body": True, "disconnected": False}
    return SimpleNamespace(**(defaults | facts))


def test_the_rest_of_a_body_is_worth_it_from_a_size_on() -> None:
    assert handover.SMALLEST == missing(request(), 100, None)
    assert 0 == missing(request(), 101, None)


@pytest.mark.parametrize(
    "facts", [{"more_body": False}, {"disconnected": True}], ids=["whole", "gone"]
)
def test_nothing_is_missing_where_nothing_more_will_come(facts: dict[str, bool]) -> None:
    assert 0 == missing(request(**facts), 100, None)


@pytest.mark.parametrize(("limit", "expected"), [(100, 0), (101, handover.SMALLEST)])
def test_what_was_read_already_may_be_all_that_is_wanted(limit: int, expected: int) -> None:
    assert expected == missing(request(), 100, limit)


@pytest.mark.parametrize(
    "headers",
    [
        [(b"transfer-encoding", b"chunked")],
        [(b"transfer-encoding", b"chunked"), (b"content-length", b"10000000")],
        [(b"content-length", b"10000000"), (b"content-length", b"10000000")],
        [(b"content-length", b"+10000000")],
        [(b"content-length", b"10000000, 10000000")],
    ],
)
def test_a_body_has_one_length_that_is_beyond_doubt(headers: list[tuple[bytes, bytes]]) -> None:
    assert 0 == missing(request(*headers), 0, None)


class Transport:
    """A transport of the event loop, as far as it is asked."""

    def __init__(self, connection: socket.socket | None, **facts: Any) -> None:  # noqa: ANN401
        self._facts = {"socket": connection, **facts}
        self.closing = False

    def get_extra_info(self, name: str) -> Any:  # noqa: ANN401 - asyncio's
        return self._facts.get(name)

    def is_closing(self) -> bool:
        return self.closing


@pytest.fixture
def ours() -> Iterator[socket.socket]:
    theirs, ours = socket.socketpair()
    with theirs, ours:
        yield ours


def duplicate(transport: Transport) -> socket.socket | None:
    return duplicate_of(transport)  # type: ignore[arg-type]


def test_a_duplicate_is_of_the_same_connection(ours: socket.socket) -> None:
    found = duplicate(Transport(ours))
    assert found is not None
    with found:
        assert found.fileno() != ours.fileno()
        assert os.path.sameopenfile(found.fileno(), ours.fileno())


def test_what_is_encrypted_has_no_duplicate(ours: socket.socket) -> None:
    assert duplicate(Transport(ours, sslcontext=object())) is None


def test_what_is_closing_or_has_no_socket_has_no_duplicate(ours: socket.socket) -> None:
    transport = Transport(ours)
    transport.closing = True
    assert duplicate(transport) is None
    assert duplicate(Transport(None)) is None


def test_without_a_free_descriptor_there_is_no_duplicate(
    ours: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "dup", refuse)
    assert duplicate(Transport(ours)) is None


@pytest.mark.parametrize(
    ("limit", "taken"), [(resource.RLIM_INFINITY, True), (10_000, True), (6, False)]
)
def test_a_duplicate_is_taken_only_while_descriptors_are_plentiful(
    ours: socket.socket, monkeypatch: pytest.MonkeyPatch, limit: int, taken: bool
) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    found = duplicate(Transport(ours))
    assert taken is (found is not None)
    if found is not None:
        found.close()
    assert before == len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names


def test_what_was_given_back_leads_nowhere(ours: socket.socket) -> None:
    given_back: list[tuple[int, int]] = []

    def give_back(taken: int, left: int) -> None:
        given_back.append((taken, left))

    found = duplicate(Transport(ours))
    assert found is not None
    handed = HandedOver(found, b"", 10, give_back)
    before = sys.getrefcount(give_back)
    handed.give_back(4)

    assert [(6, 4)] == given_back
    assert before - 1 == sys.getrefcount(give_back)
