"""What stops the sender from starting, and what it sends."""

import asyncio
import base64
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.hooks import Answer, HookServer, hook_server
from tusd_py.config import HttpHooks
from tusd_py.errors import ConfigError
from tusd_py.hooks.sender import Answered, Message, Sender, Unanswered
from tusd_py.network.ways import Place

SECRET = "whsec_" + base64.b64encode(b"x" * 32).decode()


async def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)

    with pytest.raises(ConfigError, match=r"pip install 'tusd-py\[hooks\]'"):
        await Sender(HttpHooks(url="http://a/"), lambda: 0.0).start()


@pytest.mark.parametrize(
    ("text", "mode"), [(b"", 0o600), (b"\xff", 0o600), (b"x" * 5000, 0o600), (b"", 0o604)]
)
async def test_a_secret_that_is_none_is_refused(tmp_path: Path, text: bytes, mode: int) -> None:
    path = tmp_path / "secret"
    path.write_bytes(text)
    path.chmod(mode)

    with pytest.raises(ConfigError):
        await Sender(HttpHooks(url="http://a/", secret_file=path), lambda: 0.0).start()


async def test_one_that_was_not_started_sends_nothing() -> None:
    with pytest.raises(Unanswered):
        await Sender(HttpHooks(url="http://a/"), lambda: 0.0).send(Message("a", b"{}"))


async def test_what_it_sends_and_gets(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(SECRET)
    path.chmod(0o600)
    with hook_server() as hooks:
        hooks.say = lambda _: Answer(status=404, body=b"[]")
        sender = Sender(HttpHooks(url=hooks.url, secret_file=path), lambda: 1234.9)
        await sender.start()
        answer = await sender.send(Message("id", b'{"Type":"a"}', [("X-A", "1"), ("X-A", "2")]))
        await sender.close()

    assert Answered(404, "application/json", b"[]") == answer
    (heard,) = hooks.heard
    assert b'{"Type":"a"}' == heard.body
    sent = {name: heard.headers[name] for name in ("webhook-id", "webhook-timestamp", "user-agent")}
    assert {"webhook-id": "id", "webhook-timestamp": "1234", "user-agent": "tusd-py"} == sent
    assert "webhook-signature" in heard.headers


async def test_no_password_of_the_environment_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with hook_server() as hooks:
        sender = Sender(HttpHooks(url=hooks.url), lambda: 0.0)
        await sender.start()
        await sender.send(Message("id", b'{"Type":"a"}'))
        await sender.close()

    assert "authorization" not in hooks.heard[0].headers


@pytest.mark.parametrize("size", [5119, 5120, 5121, 2**20])
async def test_an_answer_is_read_as_far_as_it_may_be_long(size: int) -> None:
    with hook_server() as hooks:
        hooks.say = lambda _: Answer(body=b" " * size)
        sender = Sender(HttpHooks(url=hooks.url), lambda: 0.0)
        await sender.start()
        answer = await sender.send(Message("id", b'{"Type":"a"}'))
        await sender.close()

    assert answer.body == (b" " * size if size <= 5120 else None)


@asynccontextmanager
async def sending(hooks: HookServer) -> AsyncIterator[Sender]:
    sender = Sender(HttpHooks(url=hooks.url), lambda: 0.0)
    await sender.start()
    yield sender
    await sender.close()


async def heard(hooks: HookServer, count: int) -> None:
    await asyncio.to_thread(hooks.wait_for, lambda: len(hooks.heard) == count)


async def test_what_is_under_way_on_a_lost_link_is_sent_again_at_once() -> None:
    never = threading.Event()
    with hook_server() as hooks:
        hooks.say = lambda _: Answer(hang=never if len(hooks.heard) == 1 else None)
        async with sending(hooks) as sender:
            running = asyncio.create_task(sender.send(Message("id", b'{"Type":"a"}')))
            await heard(hooks, 1)
            await sender.cut(lambda local: local == "127.0.0.1")
            assert 200 == (await running).status
        never.set()

    assert ["id", "id"] == [each.id for each in hooks.heard]


async def test_what_is_under_way_elsewhere_goes_on() -> None:
    soon = threading.Event()
    with hook_server() as hooks:
        hooks.say = lambda _: Answer(hang=soon)
        async with sending(hooks) as sender:
            running = asyncio.create_task(sender.send(Message("id", b'{"Type":"a"}')))
            await heard(hooks, 1)
            await sender.cut(lambda local: local == "192.0.2.1")
            soon.set()
            assert 200 == (await running).status

    assert 1 == len(hooks.heard)


async def test_after_a_switch_what_is_under_way_goes_on_and_may_still_lose_its_link() -> None:
    never = threading.Event()
    with hook_server() as hooks:
        hooks.say = lambda _: Answer(hang=never if len(hooks.heard) == 1 else None)
        async with sending(hooks) as sender:
            running = asyncio.create_task(sender.send(Message("first", b'{"Type":"a"}')))
            await heard(hooks, 1)
            await sender.renew()
            await sender.send(Message("second", b'{"Type":"a"}'))
            assert not running.done()
            await sender.cut(lambda _: True)
            assert 200 == (await running).status
            assert [] == sender._former
        never.set()

    assert ["first", "second", "first"] == [each.id for each in hooks.heard]


async def test_a_switch_asks_anew_where_to_begin() -> None:
    asked: list[Place] = []
    with hook_server() as hooks:
        async with sending(hooks) as sender:
            sender.choose = asked.append
            for _ in range(2):
                await sender.send(Message("id", b'{"Type":"a"}'))
            assert 1 == len(asked)
            await sender.renew()
            await sender.send(Message("id", b'{"Type":"a"}'))

    assert ["127.0.0.1"] * 2 == [place[0] for place in asked]
