"""Who has a grant may create an upload, and who has its URL may go on with it."""

from collections.abc import Sequence
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.spec.served import Serve, Served
from tests.support.asgi import OFFSET_TYPE, VERSION, Client, Header
from tests.support.granting import bare, bearer, capability, grant, granted, id_in, path_of, refusal
from tests.unit.auth.samples import OLD_SECRET, RING, SECRET
from tusd_py import Changes, Config, Cors, NewUpload, Reject, Request, TusApp, Upload
from tusd_py.auth import Grants, Key, KeyRing, KeyState
from tusd_py.auth.rights import Rights


@pytest.fixture
async def tus(serve: Serve) -> Served:
    return await serve(auth=Grants(RING))


async def test_a_grant_creates_an_upload_whose_url_does_the_rest(tus: Served) -> None:
    created = await tus.create(b"he", length=5, headers=granted())

    assert (201, 2) == (created.status, created.offset)
    assert 2 == (await tus.head(created.location)).offset
    assert 204 == (await tus.patch(created.location, 2, b"llo")).status
    assert 200 == (await tus.head(created.location)).status
    assert b"hello" == await tus.stored(bare(created.location))
    assert "alice" == (await tus.server.uploads.get(id_in(created.location))).subject


@pytest.mark.parametrize("path", ["/files/-/{}", "/files/-/{}/"])
async def test_a_grant_can_be_in_the_path(tus: Served, path: str) -> None:
    url = path.format(grant())
    created = await tus.request("POST", url, [VERSION, ("Upload-Length", "5")])

    assert 201 == created.status
    assert 0 == (await tus.head(created.location)).offset


async def test_what_is_sent_with_every_request_does_no_harm(tus: Served) -> None:
    """tus-js-client sends the header of the creation with each PATCH, too."""
    sent = granted()
    url = await tus.new(length=5, headers=sent)

    assert 204 == (await tus.patch(url, 0, b"hello", headers=sent)).status


async def test_nobody_needs_a_grant_to_look_around(tus: Served) -> None:
    assert 200 == (await tus.options()).status
    for path in ("/files/some.k.c.s", f"/files/-/{grant()}", "/files/bare"):
        assert 200 == (await tus.request("OPTIONS", path)).status


async def test_a_deferred_length_is_limited_by_the_grant(tus: Served) -> None:
    url = await tus.new(headers=granted(max_length=5))

    assert 413 == (await tus.patch(url, 0, b"hello!")).status
    assert 413 == (await tus.patch(url, 0, headers=[("Upload-Length", "6")])).status
    assert 204 == (await tus.patch(url, 0, b"hello", headers=[("Upload-Length", "5")])).status


async def test_a_limit_of_the_application_can_only_be_lower(serve: Serve) -> None:
    def setup(server: TusApp) -> None:
        @server.on_create
        async def widen(new: NewUpload) -> Changes:
            return Changes(max_length=3 if new.length is None else 100)

    tus = await serve(auth=Grants(RING), setup=setup)

    low = await tus.new(headers=granted(max_length=5))
    assert 413 == (await tus.patch(low, 0, b"four")).status
    assert 403 == (await tus.create(length=6, headers=granted(max_length=5))).status


async def test_removal_ends_with_the_upload_unless_it_was_granted(tus: Served) -> None:
    unfinished = await tus.new(length=5, headers=granted())
    finished = await tus.new(b"hello", length=5, headers=granted())
    granted_more = await tus.new(b"hello", length=5, headers=granted(can=["DELETE"]))

    assert 204 == (await tus.delete(unfinished)).status
    assert (403, "not-granted") == refusal(await tus.delete(finished))
    assert 204 == (await tus.delete(granted_more)).status
    assert 200 == (await tus.head(finished)).status


async def test_a_download_has_to_be_granted(tus: Served) -> None:
    closed = await tus.new(b"hello", length=5, headers=granted())
    opened = await tus.new(b"hello", length=5, headers=granted(can=["GET"]))

    assert (403, "not-granted") == refusal(await tus.get(closed))
    assert b"hello" == (await tus.get(opened)).body


async def test_an_override_is_judged_by_what_it_asks_for(tus: Served) -> None:
    url = await tus.new(b"hello", length=5, headers=granted())

    for hidden in ("GET", "DELETE"):
        override = ("X-HTTP-Method-Override", hidden)
        for method in ("POST", "PATCH", "HEAD"):
            response = await tus.request(method, url, [VERSION, override])
            assert 403 == response.status
    override = ("X-HTTP-Method-Override", "PATCH")
    at_end = [VERSION, OFFSET_TYPE, ("Upload-Offset", "5"), override]
    assert 204 == (await tus.request("POST", url, at_end)).status


class TestConcatenation:
    async def test_parts_are_put_together(self, tus: Served) -> None:
        sent = granted(parts=2, max_length=5)
        urls = [await self.part(tus, data, sent) for data in (b"he", b"llo")]

        final = await tus.concatenate(*urls, headers=sent)

        assert 201 == final.status
        assert b"hello" == await tus.stored(bare(final.location))
        stored = " ".join(bare(url) for url in urls)
        assert f"final;{stored}" == (await tus.head(final.location)).header("Upload-Concat")

    async def test_relative_urls_of_parts_do_as_well(self, tus: Served) -> None:
        sent = granted(parts=2, max_length=5)
        urls = [path_of(await self.part(tus, data, sent)) for data in (b"he", b"llo")]

        assert 201 == (await tus.concatenate(*urls, headers=sent)).status

    async def test_it_has_to_be_granted(self, tus: Served) -> None:
        sent = granted(parts=1)
        url = await self.part(tus, b"he", sent)

        part = await tus.create(length=5, headers=[("Upload-Concat", "partial"), *granted()])
        final = await tus.concatenate(url, headers=granted())

        assert [(403, "not-granted")] * 2 == [refusal(part), refusal(final)]

    @pytest.mark.parametrize(
        "claims",
        [{"subject": "bob"}, {"keys": KeyRing([Key("new", OLD_SECRET)])}],
        ids=["of another subject", "with another's signature"],
    )
    async def test_a_part_needs_a_capability_of_the_same_subject(
        self, tus: Served, claims: dict[str, Any]
    ) -> None:
        url = await self.part(tus, b"he", granted(parts=1))
        forged = f"/files/{capability(id_in(url), **claims)}"

        for bad in (forged, path_of(bare(url)), url + "A", url.replace("/files/", "/%66iles/")):
            response = await tus.concatenate(bad, headers=granted(parts=1))
            assert response.status in (400, 403)
            assert [] == response.all("Location")

    async def test_no_part_comes_in_by_a_second_header(self, tus: Served) -> None:
        url = await self.part(tus, b"he", granted(parts=1))
        sent = [VERSION, ("Upload-Concat", "final;x"), ("Upload-Concat", f"/../{id_in(url)}")]

        response = await tus.request("POST", "/files/", [*sent, *granted(parts=1)])
        assert 403 == response.status

    async def test_a_part_whose_capability_is_enough_to_look_is_not_enough(
        self, tus: Served
    ) -> None:
        url = await self.part(tus, b"he", granted(parts=1))
        weak = f"/files/{capability(id_in(url), rights=Rights.HEAD | Rights.GET)}"

        assert (403, "not-granted") == refusal(
            await tus.concatenate(weak, headers=granted(parts=1))
        )

    @pytest.mark.parametrize("claims", [{"max_length": 4}, {"length": 4}, {"length": 6}])
    async def test_the_whole_has_the_granted_length(
        self, tus: Served, claims: dict[str, int]
    ) -> None:
        url = await self.part(tus, b"hello", granted(parts=1))

        response = await tus.concatenate(url, headers=granted(parts=1, **claims))

        assert (403, "not-granted") == refusal(response)

    async def test_a_part_can_be_removed_when_it_is_whole(self, tus: Served) -> None:
        url = await self.part(tus, b"hello", granted(parts=1))

        assert 204 == (await tus.delete(url)).status

    async def part(self, tus: Served, data: bytes, sent: Sequence[Header]) -> str:
        partial = ("Upload-Concat", "partial")
        return await tus.new(data, length=len(data), headers=[partial, *sent])


class TestKeys:
    """Rotation, while uploads go on."""

    OLD = Key("old", OLD_SECRET)
    NEW = Key("new", SECRET)

    async def test_an_upload_outlives_the_key_of_its_time(self, serve: Serve) -> None:
        rings = [KeyRing([self.OLD])]
        tus = await serve(auth=Grants(lambda: rings[-1]))
        url = await tus.new(length=5, headers=granted(keys=rings[0]))
        verifying = Key("old", OLD_SECRET, KeyState.VERIFYING)
        rings.append(KeyRing([self.NEW, verifying]))

        assert 204 == (await tus.patch(url, 0, b"hello")).status
        other = await tus.new(length=5, headers=granted(keys=rings[0]))
        assert ".new." in other

    async def test_a_repeated_creation_has_the_url_of_the_first(self, serve: Serve) -> None:
        rings = [KeyRing([self.OLD])]
        tus = await serve(auth=Grants(lambda: rings[-1]))
        sent = granted(keys=rings[0])
        url = await tus.new(length=5, headers=sent)
        rings.append(KeyRing([self.NEW, Key("old", OLD_SECRET, KeyState.VERIFYING)]))

        assert url == (await tus.create(length=5, headers=sent)).location

    async def test_what_a_retired_key_signed_is_refused(self, serve: Serve) -> None:
        rings = [KeyRing([self.OLD])]
        tus = await serve(auth=Grants(lambda: rings[-1]))
        sent = granted(keys=rings[0])
        url = await tus.new(length=5, headers=sent)
        rings.append(KeyRing([self.NEW, Key("old", OLD_SECRET, KeyState.RETIRED)]))

        assert (403, "token-refused") == refusal(await tus.patch(url, 0, b"hello"))
        assert (403, "token-refused") == refusal(await tus.create(length=5, headers=sent))

    async def test_without_keys_nobody_gets_in_and_nobody_hears_why(self, serve: Serve) -> None:
        def broken() -> KeyRing:
            raise RuntimeError("a secret")

        tus = await serve(auth=Grants(broken))
        response = await tus.create(length=5, headers=granted())

        assert 500 == response.status
        assert b"secret" not in response.body
        assert 423 == (await tus.head("/files/id.k.c.s")).status


async def test_a_url_has_an_end_of_its_own(serve: Serve) -> None:
    tus = await serve(Config(expire_after=None), auth=Grants(RING, capability_lifetime=60))
    url = await tus.new(length=5, headers=granted())

    tus.clock.advance(64.5)
    assert 200 == (await tus.head(url)).status
    tus.clock.advance(1)
    assert 403 == (await tus.head(url)).status


async def test_the_url_of_an_upload_that_lives_longer_lives_longer(serve: Serve) -> None:
    tus = await serve(Config(expire_after=600), auth=Grants(RING, capability_lifetime=60))
    url = await tus.new(length=5, headers=granted())

    tus.clock.advance(599)
    assert 200 == (await tus.head(url)).status


async def test_an_upload_that_is_gone_is_not_there(tus: Served) -> None:
    url = await tus.new(length=5, headers=granted())
    await tus.delete(url)

    assert 404 == (await tus.head(url)).status


async def test_every_answer_keeps_browsers_from_passing_the_url_on(tus: Served) -> None:
    url = await tus.new(length=5, headers=granted())
    answers = [
        await tus.options(),
        await tus.head(url),
        await tus.create(length=5),
        await tus.get("/elsewhere"),
    ]

    assert ["no-referrer"] * 4 == [answer.header("Referrer-Policy") for answer in answers]


async def test_pages_of_other_origins_learn_why_they_are_refused(serve: Serve) -> None:
    tus = await serve(Config(cors=Cors(origins=("*",))), auth=Grants(RING))
    response = await tus.create(length=5, headers=[("Origin", "https://app.example")])

    assert (401, "not-authenticated") == refusal(response)
    assert "Bearer" == response.header("WWW-Authenticate")
    assert "*" == response.header("Access-Control-Allow-Origin")
    assert "1.0.0" == response.header("Tus-Resumable")


async def test_the_application_sees_the_subject_and_no_token(serve: Serve) -> None:
    seen: list[str] = []

    def setup(server: TusApp) -> None:
        @server.on_access
        async def look(request: Request) -> None:
            assert "alice" == request.subject
            assert "authorization" not in request.headers
            seen.append(repr((request, dict(request.headers), dict(request.scope))))

        @server.on_create
        async def create(new: NewUpload) -> None:
            seen.append(repr((new, dict(new.request.headers), dict(new.request.scope))))

    tus = await serve(auth=Grants(RING), setup=setup)
    token = grant(parts=1)
    partial = ("Upload-Concat", "partial")
    url = await tus.new(b"hello", length=5, headers=[bearer(token), partial, ("Referer", token)])
    await tus.request("HEAD", url, [VERSION, ("Authorization", "Basic YTpi")])
    final = await tus.concatenate(url, headers=[bearer(token), ("X-Original-Uri", url)])

    assert 201 == final.status
    assert 5 == len(seen)
    secret = [each.rpartition(".")[2] for each in (token, url, final.location)]
    assert [] == [text for text in seen for signature in secret if signature in text]


@pytest.mark.parametrize("mounted", [False, True])
async def test_the_scope_of_an_application_around_it_has_bare_ids(
    tus: Served, mounted: bool
) -> None:
    scopes: list[Any] = []
    server = tus.server
    routes = [Mount("/api/files", server)] if mounted else server.routes("/api/files")
    inner = Starlette(routes=routes)

    async def outer(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        scopes.append(scope)
        await inner(scope, receive, send)

    client = Client(outer, base="/api/files/")
    token = grant(path="/api/files/")
    lengths = [VERSION, ("Upload-Length", "5")]
    created = await client.request("POST", f"/api/files/-/{token}", lengths)
    assert 200 == (await client.head(created.location)).status
    assert 403 == (await client.get(created.location)).status

    assert created.location.startswith("http://tus.example/api/files/")
    secrets = [text.rpartition(".")[2] for text in (token, created.location)]
    assert [] == [scope for scope in scopes for secret in secrets if secret in repr(scope)]
    assert f"/api/files/{id_in(created.location)}" == scopes[1]["path"]
    assert scopes[1]["path"].encode() == scopes[1]["raw_path"]


async def test_what_the_application_refuses_is_not_created(serve: Serve) -> None:
    def setup(server: TusApp) -> None:
        @server.on_access
        async def refuse(_: Request) -> None:
            raise Reject(403, "Barred.")

    tus = await serve(auth=Grants(RING), setup=setup)

    assert (403, "rejected") == refusal(await tus.create(b"hello", length=5, headers=granted()))


async def test_whoever_was_barred_meanwhile_does_not_finish(serve: Serve) -> None:
    barred: set[str | None] = set()

    def setup(server: TusApp) -> None:
        @server.before_finish
        async def look_again(upload: Upload) -> None:
            if upload.subject in barred:
                raise Reject(403, "Barred.")

    tus = await serve(auth=Grants(RING), setup=setup)
    created = await tus.create(b"hello", length=10, headers=granted())
    barred.add("alice")

    assert 403 == (await tus.patch(created.location, 5, b"world")).status
    barred.clear()
    assert ["10"] == (await tus.head(created.location)).all("Upload-Offset")
