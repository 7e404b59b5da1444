"""Where finished files are, and what removes them."""

import asyncio
from pathlib import Path

import pytest

from tests.spec.served import Backends, Kind, Served, upload_id
from tests.support.asgi import DISCONNECT
from tusd_py import Changes, Config, NewUpload, TusApp, Upload, by_date, by_id
from tusd_py.storage.layout import Layout

DATA = b"hello world"


@pytest.fixture(params=["disk"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Only folders have files."""
    chosen: Kind = request.param
    return chosen


def below(folder: Path) -> dict[str, bytes]:
    """The files below a folder by their path."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


async def files(backends: Backends) -> dict[str, bytes]:
    return await asyncio.to_thread(below, backends.folder / "files")


async def unfinished(backends: Backends) -> dict[str, bytes]:
    return await asyncio.to_thread(below, backends.folder / "uploads")


def custom(upload: Upload) -> str:
    return f"in/{upload.kind.value}/{upload.id}.bin"


@pytest.mark.parametrize(
    ("layout", "path"),
    [(by_date, "2027/01/15/{}"), (by_id, "{}"), (custom, "in/plain/{}.bin")],
)
async def test_a_finished_file_has_its_place(backends: Backends, layout: Layout, path: str) -> None:
    backends.layout = layout
    tus = await backends.serve()
    url = await tus.new(DATA[:5], length=11)
    assert {} == await files(backends)

    await tus.patch(url, 5, DATA[5:])

    assert {path.format(upload_id(url)): DATA} == await files(backends)
    assert {} == await unfinished(backends)
    assert path.format(upload_id(url)) == (await tus.server.uploads.get(upload_id(url))).path
    assert DATA == (await tus.get(url)).body


async def choosing(backends: Backends) -> Served:
    """A server whose application puts finished files where the client says."""

    def setup(server: TusApp) -> None:
        @server.on_create
        async def choose(new: NewUpload) -> Changes:
            return Changes(path=new.metadata["path"].decode())

    return await backends.serve(setup=setup)


IN_A_FOLDER = ("Upload-Metadata", "path YS9iIGMudHh0")


async def test_the_application_may_choose_the_place(backends: Backends) -> None:
    tus = await choosing(backends)

    await tus.new(DATA, length=11, headers=[IN_A_FOLDER])

    assert {"a/b c.txt": DATA} == await files(backends)


async def test_a_place_is_taken_as_soon_as_it_is_promised(backends: Backends) -> None:
    tus = await choosing(backends)
    url = await tus.new(length=11, headers=[IN_A_FOLDER])

    assert 500 == (await tus.create(DATA, length=11, headers=[IN_A_FOLDER])).status
    assert 204 == (await tus.patch(url, 0, DATA)).status
    assert 500 == (await tus.create(length=11, headers=[IN_A_FOLDER])).status
    assert {"a/b c.txt": DATA} == await files(backends)


async def test_a_file_that_is_not_ours_is_never_replaced(backends: Backends) -> None:
    tus = await choosing(backends)
    url = await tus.new(length=11, headers=[IN_A_FOLDER])
    folder = backends.folder / "files" / "a"
    await asyncio.to_thread(folder.mkdir)
    await asyncio.to_thread((folder / "b c.txt").write_bytes, b"not ours")

    response = await tus.patch(url, 0, DATA)

    assert 500 == response.status
    assert {"a/b c.txt": b"not ours"} == await files(backends)
    assert 204 == (await tus.delete(url)).status
    assert {"a/b c.txt": b"not ours"} == await files(backends)


async def test_parts_are_not_published(backends: Backends) -> None:
    tus = await backends.serve()
    part = await tus.part(DATA)
    assert {} == await files(backends)

    final = upload_id((await tus.concatenate(part, part)).location)

    assert {f"2027/01/15/{final}": DATA * 2} == await files(backends)
    assert [DATA] == [*(await unfinished(backends)).values()]


async def test_sweeping_removes_the_bytes_of_what_has_expired(backends: Backends) -> None:
    tus = await backends.serve(Config(expire_after=100))
    await tus.new(DATA[:5], length=11)
    await tus.part(DATA)
    kept = await tus.new(DATA, length=11)
    tus.clock.advance(100)
    fresh = await tus.new(b"!", length=11)

    assert 2 == await tus.server.sweep()

    assert [b"!"] == [*(await unfinished(backends)).values()]
    assert [DATA] == [*(await files(backends)).values()]
    assert {upload_id(kept), upload_id(fresh)} == {
        upload.id for upload in await tus.server.uploads.list()
    }


@pytest.mark.parametrize("length", [5, 20])
async def test_a_creation_that_is_refused_leaves_no_file(backends: Backends, length: int) -> None:
    tus = await backends.serve(Config(max_size=10))

    response = await tus.create(DATA, length=length, chunked=True)

    assert 413 == response.status
    assert ({}, {}) == (await files(backends), await unfinished(backends))


async def test_a_cut_creation_is_removed_in_the_end(backends: Backends) -> None:
    tus = await backends.serve(Config(expire_after=100))
    await tus.create(DATA[:5], DISCONNECT, length=11)
    assert [DATA[:5]] == [*(await unfinished(backends)).values()]
    tus.clock.advance(100)

    assert 1 == await tus.server.sweep()
    assert {} == await unfinished(backends)


async def test_the_application_may_remove_uploads(backends: Backends) -> None:
    tus = await backends.serve()
    url = await tus.new(DATA, length=11)

    await tus.server.uploads.delete(upload_id(url))

    assert ({}, 404) == (await files(backends), (await tus.head(url)).status)
