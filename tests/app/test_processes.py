"""Several processes on one folder: two servers here are as strange to each other as those."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.spec.served import Backends, Kind, Served, upload_id
from tusd_py import Config, TusApp, Upload
from tusd_py.testing.composing import ComposingStorage
from tusd_py.testing.script import Stall
from tusd_py.uploads.engine import Engine

DATA = b"hello world"


@pytest.fixture(params=["disk"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Only a folder can be shared."""
    chosen: Kind = request.param
    return chosen


async def engine_of(tus: Served) -> Engine:
    return await tus.server._runtime.started()


async def stalled(tus: Served, url: str, start: bytes) -> asyncio.Task[int | None]:
    """A PATCH that has sent its first bytes and goes no further."""
    stall = Stall()
    patch = asyncio.create_task(tus.patch(url, 0, start, stall))
    await stall.reached.wait()

    async def status() -> int | None:
        return (await patch).status

    return asyncio.create_task(status())


@pytest.mark.parametrize("rival", ["HEAD", "PATCH"])
async def test_a_rival_elsewhere_goes_on_where_the_holder_was(
    backends: Backends, rival: str
) -> None:
    here, there = await backends.serve(), await backends.serve()
    url = await here.new(length=len(DATA))
    holder = await stalled(here, url, DATA[:5])

    if rival == "HEAD":
        assert 5 == (await there.head(url)).offset
    assert 204 == (await there.patch(url, 5, DATA[5:])).status
    assert 423 == await holder
    assert DATA == (await here.get(url)).body


async def test_an_upload_goes_back_and_forth(backends: Backends) -> None:
    servers = [await backends.serve(), await backends.serve()]
    url = await servers[0].new(length=len(DATA))
    for offset in range(len(DATA)):
        tus = servers[offset % 2]
        response = await tus.patch(url, offset, DATA[offset : offset + 1])
        assert (204, offset + 1) == (response.status, response.offset)

    assert DATA == (await servers[0].get(url)).body


async def test_what_is_terminated_here_is_gone_there(backends: Backends) -> None:
    here, there = await backends.serve(), await backends.serve()
    url = await here.new(length=len(DATA))
    holder = await stalled(there, url, DATA[:5])

    assert 204 == (await here.delete(url)).status
    assert 423 == await holder
    assert [404, 404] == [(await here.head(url)).status, (await there.head(url)).status]


class Slow:
    """A storage whose composing waits until a test lets it."""

    def __init__(self, storage: ComposingStorage) -> None:
        self._storage = storage
        self.begun = asyncio.Event()
        self.going_on = asyncio.Event()
        self.times = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._storage, name)

    async def compose(self, target: Upload, parts: Sequence[Upload]) -> int:
        self.times += 1
        self.begun.set()
        await self.going_on.wait()
        return await self._storage.compose(target, parts)


async def test_a_final_upload_that_is_composed_elsewhere_is_waited_for(
    backends: Backends,
) -> None:
    here, there = await backends.serve(), await backends.serve()
    slow = [Slow((await engine_of(tus)).storage) for tus in (here, there)]  # type: ignore[arg-type]
    for tus, storage in zip((here, there), slow, strict=True):
        (await engine_of(tus)).storage = storage  # type: ignore[assignment]
    part = await here.part(DATA)
    first = asyncio.create_task(here.concatenate(part, part))
    await slow[0].begun.wait()
    second = asyncio.create_task(there.concatenate(part, part))
    asked = asyncio.create_task(slow[1].begun.wait())
    # Longer than a waiter takes to look by itself.
    await asyncio.wait((asked,), timeout=0.3)
    slow[0].going_on.set()
    asked.cancel()
    urls = {(await first).location, (await second).location}

    assert 1 == len(urls)
    assert (1, 0) == (slow[0].times, slow[1].times)
    assert DATA * 2 == (await there.get(urls.pop())).body


async def test_one_of_them_tells_the_application_of_the_end(backends: Backends) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    def hear(server: TusApp) -> None:
        @server.on_finish
        async def note(upload: Upload, _: str) -> None:
            heard.put_nowait(upload.id)

    here, there = await backends.serve(setup=hear), await backends.serve(setup=hear)
    urls = [await tus.new(DATA, length=len(DATA)) for tus in (here, there, here, there)]
    async with asyncio.timeout(10):
        told = [await heard.get() for _ in urls]
    await backends.stop()

    assert sorted(told) == sorted(upload_id(url) for url in urls)
    assert heard.empty()


async def test_one_of_them_sweeps_and_when_it_ends_another(backends: Backends) -> None:
    here, there = await backends.serve(Config(expire_after=10)), await backends.serve()
    leads = [(await engine_of(tus)).locks.leads() for tus in (here, there)]
    await (await engine_of(here)).locks.close()

    assert leads == [True, False]
    assert (await engine_of(there)).locks.leads()
