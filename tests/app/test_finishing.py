"""The end of an upload: before_finish, which may refuse, and on_finish, at least once."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from tests.spec.served import Backends, Serve, upload_id
from tests.support.asgi import DISCONNECT
from tusd_py import Config, Reject, Reply, TusApp, Upload
from tusd_py.uploads import events

DATA = b"hello world"
Check = Callable[[Upload], Awaitable[Reply | None]]


def checking(check: Check) -> Callable[[TusApp], None]:
    def setup(server: TusApp) -> None:
        server.before_finish(check)

    return setup


class Doorman:
    """Lets uploads pass once it was told to."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error
        self.asked: list[Upload] = []

    async def __call__(self, upload: Upload) -> Reply | None:
        self.asked.append(upload)
        if self.error is not None:
            raise self.error
        return None


class Listener:
    """Hears of finished uploads, and fails as often as it was told to."""

    def __init__(self, failures: int = 0) -> None:
        self.heard: list[tuple[str, str]] = []
        self.failures = failures
        self._news = asyncio.Event()

    async def __call__(self, upload: Upload, event_id: str) -> None:
        self.heard.append((upload.id, event_id))
        self._news.set()
        if len(self.heard) <= self.failures:
            raise RuntimeError("not now")

    async def times(self, count: int) -> None:
        """Wait until it has been called so often."""
        async with asyncio.timeout(10):
            while len(self.heard) < count:
                self._news.clear()
                await self._news.wait()

    def setup(self, server: TusApp) -> None:
        server.on_finish(self)


class TestBeforeFinish:
    """It blocks the last answer."""

    async def test_it_is_asked_once_with_all_bytes_there(self, serve: Serve) -> None:
        seen: list[tuple[int, int | None, bool]] = []

        async def check(upload: Upload) -> None:
            seen.append((upload.offset, upload.length, upload.finished))

        tus = await serve(setup=checking(check))
        url = await tus.new(length=11)
        await tus.patch(url, 0, DATA[:5])
        assert [] == seen
        await tus.patch(url, 5, DATA[5:])
        await tus.patch(url, 11)
        await tus.head(url)

        assert [(11, 11, False)] == seen

    async def test_it_is_asked_about_empty_and_final_uploads_and_not_about_parts(
        self, serve: Serve
    ) -> None:
        seen: list[str] = []

        async def check(upload: Upload) -> None:
            seen.append(f"{upload.kind.value} {upload.offset}")

        tus = await serve(setup=checking(check))
        await tus.new(length=0)
        await tus.new(DATA, length=11)
        await tus.concatenate(await tus.part(DATA), await tus.part(b"!"))

        assert ["plain 0", "plain 11", "final 12"] == seen

    async def test_it_can_read_the_bytes(self, serve: Serve) -> None:
        seen: list[bytes] = []

        def setup(server: TusApp) -> None:
            @server.before_finish
            async def check(upload: Upload) -> None:
                async with server.uploads.open(upload.id) as pieces:
                    seen.extend([piece async for piece in pieces])

        tus = await serve(setup=setup)
        await tus.new(DATA, length=11)

        assert DATA == b"".join(seen)

    async def test_its_reply_is_the_answer(self, serve: Serve) -> None:
        async def check(_: Upload) -> Reply:
            return Reply(status=200, headers={"X-Result": "fine"}, body=b"done")

        tus = await serve(setup=checking(check))
        url = await tus.new(length=11)

        response = await tus.patch(url, 0, DATA)

        assert (200, b"done", 11) == (response.status, response.body, response.offset)
        assert ("fine", "4") == (response.header("X-Result"), response.header("Content-Length"))
        assert (204, b"") == ((again := await tus.patch(url, 11)).status, again.body)

    async def test_its_headers_do_not_replace_the_protocols(self, serve: Serve) -> None:
        async def check(_: Upload) -> Reply:
            headers = {"upload-offset": "0", "LOCATION": "/x", "tus-resumable": "9", "X-Own": "1"}
            return Reply(headers=headers)

        tus = await serve(setup=checking(check))

        response = await tus.create(DATA, length=11)

        assert (201, 11) == (response.status, response.offset)
        assert response.location.startswith("http://tus.example/files/")
        assert ("1.0.0", "1") == (response.header("Tus-Resumable"), response.header("X-Own"))

    @pytest.mark.parametrize("value", ["\N{SNOWMAN}", "a\r\nX-Evil: 1"])
    async def test_a_header_that_cannot_be_sent_is_its_failure(
        self, serve: Serve, value: str
    ) -> None:
        async def check(_: Upload) -> Reply:
            return Reply(headers={"X-Result": value})

        tus = await serve(setup=checking(check))
        url = await tus.new(length=11)

        response = await tus.patch(url, 0, DATA)

        assert (500, []) == (response.status, response.all("X-Evil"))
        assert "1.0.0" == response.header("Tus-Resumable")

    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [
            (Reject(422, "A virus."), 422, "rejected"),
            (RuntimeError("a secret"), 500, "application-error"),
        ],
    )
    async def test_what_it_refuses_stays_with_all_its_bytes_until_it_is_asked_again(
        self, serve: Serve, error: Exception, status: int, code: str
    ) -> None:
        doorman = Doorman(error)
        tus = await serve(setup=checking(doorman))
        url = await tus.new(length=11)

        refused = await tus.patch(url, 0, DATA)

        assert (status, code) == (refused.status, json.loads(refused.body)["code"])
        assert [] == refused.all("Upload-Offset")
        assert b"secret" not in refused.body
        assert DATA == await tus.stored(url)
        assert 404 == (await tus.get(url)).status
        assert status == (await tus.patch(url, 11)).status
        doorman.error = None
        assert (204, 11) == ((response := await tus.patch(url, 11)).status, response.offset)
        assert DATA == (await tus.get(url)).body
        assert 3 == len(doorman.asked)

    async def test_a_client_that_only_looks_after_a_failure_makes_it_ask_again(
        self, serve: Serve
    ) -> None:
        # As tus-js-client does after a 5xx: HEAD, and done if the offset is the length.
        doorman = Doorman(RuntimeError("the scanner is down"))
        tus = await serve(setup=checking(doorman))
        url = await tus.new(length=11)
        assert 500 == (await tus.patch(url, 0, DATA)).status

        assert 423 == (await tus.head(url)).status
        doorman.error = None
        assert (200, 11) == ((found := await tus.head(url)).status, found.offset)
        assert DATA == (await tus.get(url)).body

    async def test_it_is_asked_again_after_a_crash(self, backends: Backends) -> None:
        doorman = Doorman(RuntimeError())
        tus = await backends.serve(setup=checking(doorman))
        url = await tus.new(length=11)
        await tus.patch(url, 0, DATA)
        await backends.stop()
        doorman.error = None

        tus = await backends.serve(setup=checking(doorman))

        assert 11 == (await tus.head(url)).offset
        assert DATA == (await tus.get(url)).body


class TestOnFinish:
    """It is told in the background, at least once."""

    async def test_it_hears_of_every_product_once(self, serve: Serve) -> None:
        listener = Listener()
        tus = await serve(setup=listener.setup)
        part = await tus.part(DATA)
        urls = [
            await tus.new(DATA, length=11),
            await tus.new(length=0),
            (await tus.concatenate(part)).location,
        ]
        await tus.patch(urls[0], 11)
        await tus.concatenate(part)

        await listener.times(3)
        assert [upload_id(url) for url in urls] == [heard for heard, _ in listener.heard]
        assert 3 == len({event for _, event in listener.heard})

    async def test_it_hears_of_an_upload_whose_client_did_not_wait(self, serve: Serve) -> None:
        listener = Listener()
        tus = await serve(setup=listener.setup)
        url = await tus.new(length=11)

        await tus.patch(url, 0, DATA, DISCONNECT)

        await listener.times(1)
        assert upload_id(url) == listener.heard[0][0]

    async def test_it_does_not_hear_of_what_was_refused(self, serve: Serve) -> None:
        listener, doorman = Listener(), Doorman(Reject(422))

        def setup(server: TusApp) -> None:
            server.on_finish(listener)
            server.before_finish(doorman)

        tus = await serve(setup=setup)
        url = await tus.new(length=11)
        await tus.patch(url, 0, DATA)
        assert [] == listener.heard
        doorman.error = None
        await tus.patch(url, 11)

        await listener.times(1)

    async def test_after_a_failure_it_is_told_again_with_the_same_event(
        self, serve: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(events, "pause_after", lambda *_: 0.0)
        listener = Listener(failures=2)
        tus = await serve(setup=listener.setup)
        await tus.new(DATA, length=11)

        await listener.times(3)
        assert 1 == len(set(listener.heard))

    async def test_what_it_could_not_take_it_is_told_by_the_next_process(
        self, backends: Backends
    ) -> None:
        failing, listener = Listener(failures=9), Listener()
        tus = await backends.serve(setup=failing.setup)
        await tus.new(DATA, length=11)
        await failing.times(1)
        await backends.stop()
        backends.clock.advance(1)

        await backends.serve(setup=listener.setup)

        await listener.times(1)
        assert failing.heard[0] == listener.heard[0]

    async def test_what_it_took_it_is_not_told_again(self, backends: Backends) -> None:
        first, second = Listener(), Listener()
        tus = await backends.serve(setup=first.setup)
        await tus.new(DATA, length=11)
        await first.times(1)
        metadata = (await tus.server._runtime.started()).metadata
        async with asyncio.timeout(10):
            while await metadata.events(1):  # noqa: ASYNC110 - settling has no event of its own
                await asyncio.sleep(0.001)
        await backends.stop()

        tus = await backends.serve(setup=second.setup)
        await tus.new(b"!", length=1)

        await second.times(1)
        assert first.heard[0] not in second.heard


async def test_the_last_answer_does_not_wait_for_on_finish(serve: Serve) -> None:
    never = asyncio.Event()

    def setup(server: TusApp) -> None:
        @server.on_finish
        async def linger(_: Upload, __: str) -> None:
            await never.wait()

    tus = await serve(Config(), setup=setup)

    assert 201 == (await tus.create(DATA, length=11)).status
