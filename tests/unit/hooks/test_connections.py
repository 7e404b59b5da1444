"""Connections that are begun at a chosen interface, with and without TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.certificates import self_signed
from tests.support.hooks import Answer, HookServer, hook_server
from tests.unit.network.samples import interface
from tusd_py.config import HttpHooks
from tusd_py.hooks import connections
from tusd_py.hooks.sender import Message, Sender, Unanswered
from tusd_py.network import Interface
from tusd_py.network.ways import Place

WLAN0 = interface("wlan0", "198.51.100.7/24")
MESSAGE = Message("id", b'{"Type":"a"}')


@pytest.fixture(params=["http", "https"])
def hooks(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HookServer]:
    tls = None
    if request.param == "https":
        certificate = self_signed(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.cert))
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate.cert, certificate.key)
    with hook_server(tls=tls) as server:
        yield server


@pytest.fixture
def over(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Over which interfaces connections were made; loopback stands in for all of them."""
    made = []

    async def connected_over(chosen: Interface, place: Place) -> socket.socket:
        made.append(chosen.name)
        connection = socket.socket()
        connection.setblocking(False)
        await asyncio.get_running_loop().sock_connect(connection, place)
        return connection

    monkeypatch.setattr(connections, "connected_over", connected_over)
    return made


async def sender_at(hooks: HookServer, chosen: Interface | None) -> Sender:
    sender = Sender(HttpHooks(url=hooks.url), lambda: 0.0)
    await sender.start()
    sender.choose = lambda _: chosen
    return sender


@pytest.mark.parametrize("chosen", [WLAN0, None])
async def test_one_connection_carries_all_requests(
    hooks: HookServer, over: list[str], chosen: Interface | None
) -> None:
    sender = await sender_at(hooks, chosen)
    for _ in range(3):
        assert 200 == (await sender.send(MESSAGE)).status
    await sender.close()

    assert 3 == len(hooks.heard)
    assert over == ([] if chosen is None else ["wlan0"])


async def test_one_that_ends_is_begun_anew(hooks: HookServer, over: list[str]) -> None:
    hooks.say = lambda _: Answer(headers={"Connection": "close"})
    sender = await sender_at(hooks, WLAN0)
    for _ in range(2):
        assert 200 == (await sender.send(MESSAGE)).status
    await sender.close()

    assert ["wlan0", "wlan0"] == over


async def test_what_is_under_way_on_it_when_its_link_is_lost_is_sent_again(
    hooks: HookServer, over: list[str]
) -> None:
    never = threading.Event()
    hooks.say = lambda _: Answer(hang=never if len(hooks.heard) == 1 else None)
    sender = await sender_at(hooks, WLAN0)
    running = asyncio.create_task(sender.send(MESSAGE))
    await asyncio.to_thread(hooks.wait_for, lambda: hooks.heard)
    await sender.cut(lambda local: local == "127.0.0.1")
    assert 200 == (await running).status
    await sender.close()
    never.set()

    assert ["wlan0", "wlan0"] == over


async def test_where_nobody_takes_a_connection_there_is_no_answer(
    hooks: HookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(_chosen: Interface, _place: Place) -> socket.socket:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(connections, "connected_over", refused)
    sender = await sender_at(hooks, WLAN0)
    with pytest.raises(Unanswered, match="ConnectError"):
        await sender.send(MESSAGE)
    await sender.close()
