"""One grant, one creation; and a client whose answer got lost gets it again."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.spec.served import Backends, Serve, Served
from tests.support.asgi import DISCONNECT, OFFSET_TYPE, VERSION, Header, Response
from tests.support.granting import bare, granted, id_in, refusal
from tests.unit.auth.samples import RING
from tusd_py import Config, NewUpload, Reject, TusApp, Upload
from tusd_py.auth import Grants

USED = (403, "grant-used")
PARTIAL: Header = ("Upload-Concat", "partial")
NAMED: Header = ("Upload-Metadata", "filename YQ==")


@pytest.fixture
async def tus(serve: Serve) -> Served:
    return await serve(auth=Grants(RING))


async def count(tus: Served) -> int:
    return len(await tus.server.uploads.list())


class TestRepeats:
    """The same request again: its answer got lost."""

    async def test_it_gets_the_same_url_and_the_offset_as_it_is(self, tus: Served) -> None:
        sent = [*granted(), NAMED]
        first = await tus.create(b"he", length=5, headers=sent)

        again = await tus.create(b"XXXXX", length=5, headers=sent)

        assert (201, 2, first.location) == (again.status, again.offset, again.location)
        assert 0 == again.reads
        assert 1 == await count(tus)
        assert 204 == (await tus.patch(again.location, 2, b"llo")).status
        assert b"hello" == await tus.stored(bare(again.location))

    async def test_it_works_for_a_file_that_came_whole(self, tus: Served) -> None:
        sent = granted()
        first = await tus.create(b"hello", length=5, headers=sent)

        again = await tus.create(b"hello", length=5, headers=sent)

        assert (201, 5, first.location) == (again.status, again.offset, again.location)

    async def test_it_works_after_a_connection_that_broke(self, tus: Served) -> None:
        sent = granted()
        broken = await tus.create(b"he", DISCONNECT, length=5, headers=sent)

        again = await tus.create(length=5, headers=sent)

        assert (None, 201, 2) == (broken.status, again.status, again.offset)

    async def test_it_works_later_and_on_another_day_of_the_url(self, tus: Served) -> None:
        sent = granted()
        first = await tus.create(length=5, headers=sent)
        tus.clock.advance(900)

        assert first.location == (await tus.create(length=5, headers=sent)).location

    @pytest.mark.parametrize("method", ["HEAD", "PATCH", "empty PATCH", "GET", "DELETE"])
    async def test_it_is_refused_once_somebody_came_to_the_url(
        self, tus: Served, method: str
    ) -> None:
        sent = granted(can=["GET"])
        body = b"hello" if method in ("GET", "empty PATCH") else b"he"
        url = (await tus.create(body, length=5, headers=sent)).location
        at = [VERSION, OFFSET_TYPE, ("Upload-Offset", str(len(body)))]
        more = [b"llo"] if method == "PATCH" else []
        framed = [*at, ("Content-Length", str(sum(map(len, more))))]
        visit = await tus.request(method.rpartition(" ")[2], url, framed, *more)
        assert visit.status in (200, 204)

        assert USED == refusal(await tus.create(body, length=5, headers=sent))

    @pytest.mark.parametrize(
        ("length", "headers"),
        [(6, [NAMED]), (None, [NAMED]), (5, []), (5, [("Upload-Metadata", "filename Yg==")])],
        ids=["length", "deferred", "metadata", "other metadata"],
    )
    async def test_another_request_is_none(
        self, tus: Served, length: int | None, headers: Sequence[Header]
    ) -> None:
        sent = granted()
        await tus.create(length=5, headers=[*sent, NAMED])

        response = await tus.create(length=length, headers=[*sent, *headers])

        assert USED == refusal(response)
        assert 1 == await count(tus)

    async def test_what_is_gone_is_not_made_again(self, serve: Serve) -> None:
        tus = await serve(Config(expire_after=60), auth=Grants(RING))
        sent = granted()
        await tus.create(length=5, headers=sent)
        tus.clock.advance(60)
        await tus.server.sweep()

        assert USED == refusal(await tus.create(length=5, headers=sent))


class TestSeveral:
    async def test_a_grant_for_several_uploads_admits_so_many(self, tus: Served) -> None:
        sent = granted(uploads=2)
        urls = {await tus.new(length=5, headers=sent), await tus.new(length=5, headers=sent)}

        assert 2 == len(urls)
        third = await tus.create(length=6, headers=sent)
        assert USED == refusal(third)

    async def test_parts_are_never_taken_for_repeats(self, tus: Served) -> None:
        sent = granted(parts=2, max_length=10)
        urls = {await tus.new(length=5, headers=[*sent, PARTIAL]) for _ in range(2)}

        assert 2 == len(urls)
        assert USED == refusal(await tus.create(length=0, headers=[*sent, PARTIAL]))

    @pytest.mark.parametrize("length", [6, None])
    async def test_the_lengths_of_parts_are_summed(self, tus: Served, length: int | None) -> None:
        sent = granted(parts=3, max_length=10)
        await tus.create(length=5, headers=[*sent, PARTIAL])

        assert USED == refusal(await tus.create(length=length, headers=[*sent, PARTIAL]))
        assert 201 == (await tus.create(length=5, headers=[*sent, PARTIAL])).status

    async def test_the_whole_of_the_parts_comes_once_and_again(self, tus: Served) -> None:
        sent = granted(parts=2, max_length=10)
        urls = [await tus.new(b"hello", length=5, headers=[*sent, PARTIAL]) for _ in range(2)]
        final = await tus.concatenate(*urls, headers=sent)

        again = await tus.concatenate(*urls, headers=sent)
        other = await tus.concatenate(*urls, headers=[*sent, NAMED])

        assert (201, final.location) == (again.status, again.location)
        assert USED == refusal(other)


class TestAtOnce:
    """Of many that come together, in whatever process, as many come through as the grant admits."""

    async def test_one_of_many(self, tus: Served) -> None:
        await self.race([tus])

    @pytest.mark.parametrize("kind", ["disk"])
    async def test_one_of_many_in_several_processes(self, backends: Backends) -> None:
        await self.race([await backends.serve(auth=Grants(RING)) for _ in range(3)])

        # Those that came too late stored their bytes, and took them away again.
        stored = [path for path in (backends.folder / "files").rglob("*") if path.is_file()]
        assert 1 == len(stored)

    async def race(self, servers: Sequence[Served]) -> None:
        sent = granted()

        async def create(number: int) -> Response:
            body = b"hello" if number % 2 else b"he"
            name = ("Upload-Metadata", f"number {'AAAA'[: number % 4]}{'A' * (4 - number % 4)}")
            tus = servers[number % len(servers)]
            return await tus.create(body, length=len(body), headers=[*sent, name])

        answers = await asyncio.gather(*map(create, range(12)))

        made = {answer.location for answer in answers if answer.status == 201}
        assert 1 == len(made)
        assert {201, 403} == {answer.status for answer in answers}
        assert 1 == await count(servers[0])


async def test_what_was_refused_leaves_the_grant(serve: Serve) -> None:
    refusing = [True]

    def setup(server: TusApp) -> None:
        @server.on_create
        async def refuse(_: NewUpload) -> None:
            if refusing.pop():
                raise Reject(400, "Not so.")

    tus = await serve(auth=Grants(RING), setup=setup)
    sent = granted()

    assert 400 == (await tus.create(length=5, headers=sent)).status
    refusing += [False, False, False]
    wrong = ("Upload-Checksum", "sha1 AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    assert 460 == (await tus.create(b"hello", length=5, headers=[*sent, wrong])).status
    assert 201 == (await tus.create(b"hello", length=5, headers=sent)).status


@pytest.mark.parametrize("data", [b"", b"hello"])
async def test_what_is_refused_when_it_is_whole_leaves_the_grant_and_no_bytes(
    serve: Serve, data: bytes
) -> None:
    def setup(server: TusApp) -> None:
        @server.before_finish
        async def look(upload: Upload) -> None:
            if "filename" in upload.metadata:
                raise Reject(422, "No names.")

    tus = await serve(auth=Grants(RING), setup=setup)
    sent = granted()
    refused = await tus.create(data, length=len(data), headers=[*sent, NAMED])

    assert (422, 0) == (refused.status, await count(tus))
    assert 201 == (await tus.create(data, length=len(data), headers=sent)).status


async def test_a_part_whose_connection_broke_leaves_the_grant(tus: Served) -> None:
    sent = [*granted(parts=1), PARTIAL]
    await tus.create(b"he", DISCONNECT, length=10, headers=sent)

    assert 0 == await count(tus)
    assert 201 == (await tus.create(length=10, headers=sent)).status


async def test_a_final_upload_in_use_is_not_handed_out_for_another_grant(tus: Served) -> None:
    part = await tus.new(b"hello", length=5, headers=[*granted(parts=1), PARTIAL])
    url = (await tus.concatenate(part, headers=granted(parts=1))).location
    unused = await tus.concatenate(part, headers=granted(parts=1, can=["GET"]))
    await tus.head(url)
    used = await tus.concatenate(part, headers=granted(parts=1, can=["GET"]))

    assert (201, id_in(url)) == (unused.status, id_in(unused.location))
    assert (403, "not-granted") == refusal(used)


async def test_uses_are_swept_when_their_grants_have_ended(serve: Serve) -> None:
    tus = await serve(Config(expire_after=None), auth=Grants(RING))
    sent = granted()
    await tus.create(length=5, headers=sent)
    tus.clock.advance(904)
    await tus.server.sweep()
    assert USED == refusal(await tus.create(length=6, headers=sent))

    tus.clock.advance(1)
    assert 403 == (await tus.create(length=6, headers=sent)).status
    await tus.server.sweep()
    tus.clock.advance(-500)
    assert 201 == (await tus.create(length=6, headers=sent)).status


async def test_the_key_of_each_url_is_recorded(tus: Served) -> None:
    url = await tus.new(length=5, headers=granted())

    assert "new" == (await tus.server.uploads.get(id_in(url))).key_id


async def test_plain_servers_record_nothing_of_this(serve: Serve) -> None:
    tus = await serve()
    url = await tus.new(length=5)

    upload = await tus.server.uploads.get(url.rpartition("/")[2])
    assert (False, None) == (upload.fresh, upload.key_id)
