"""What the application has to say: on_access, on_create, and who is asking."""

import json
import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.spec.served import Serve, Served, upload_id
from tests.support.asgi import HOST, OFFSET_TYPE, VERSION, Response
from tusd_py import (
    Changes,
    Config,
    Kind,
    NewUpload,
    Reject,
    Reply,
    Request,
    TusApp,
    Upload,
)

OnCreate = Callable[[NewUpload], Awaitable[Changes | None]]


def code(response: Response) -> object:
    return json.loads(response.body)["code"]


def changing(**changes: Any) -> Callable[[TusApp], None]:  # noqa: ANN401 - whatever Changes takes
    """Change every new upload like this."""

    def setup(server: TusApp) -> None:
        @server.on_create
        async def change(_: NewUpload) -> Changes:
            return Changes(**changes)

    return setup


async def test_access_hears_of_every_request_with_its_effective_method(serve: Serve) -> None:
    seen: list[tuple[str, str, str | None]] = []

    def setup(server: TusApp) -> None:
        @server.on_access
        async def note(request: Request) -> None:
            seen.append((request.method, request.path, request.upload_id))

    tus = await serve(setup=setup)
    url = await tus.new(length=5)
    path, name = url.removeprefix(f"http://{HOST}"), upload_id(url)
    await tus.head(url)
    override = ("X-HTTP-Method-Override", "PATCH")
    await tus.request("POST", url, [VERSION, OFFSET_TYPE, ("Upload-Offset", "0"), override])
    await tus.get(url)
    await tus.delete(url)

    assert [
        ("POST", "/files/", None),
        ("HEAD", path, name),
        ("PATCH", path, name),
        ("GET", path, name),
        ("DELETE", path, name),
    ] == seen


async def test_access_refuses_before_anything_is_read_or_told(serve: Serve) -> None:
    def setup(server: TusApp) -> None:
        @server.on_access
        async def refuse(_: Request) -> None:
            raise Reject(403, "Not today.", headers={"X-Why": "closed"})

    tus = await serve(setup=setup)

    responses = [
        await tus.create(b"hello", length=5),
        await tus.patch("/files/x", 0, b"hello"),
        await tus.head("/files/x"),
        await tus.delete("/files/x"),
        await tus.get("/files/x"),
    ]

    assert [403] * 5 == [response.status for response in responses]
    assert [0] * 5 == [response.reads for response in responses]
    assert ["closed"] * 5 == [response.header("X-Why") for response in responses]
    problem = json.loads(responses[0].body)
    assert ("Not today.", "rejected") == (problem["detail"], problem["code"])
    assert [] == [*await tus.server.uploads.list()]


async def test_a_refusals_headers_replace_ours_whatever_their_case(serve: Serve) -> None:
    def setup(server: TusApp) -> None:
        @server.on_access
        async def refuse(_: Request) -> None:
            raise Reject(403, headers={"cache-control": "max-age=5", "Content-type": "text/plain"})

    response = await (await serve(setup=setup)).get("/files/x")

    assert "max-age=5" == response.header("Cache-Control")
    assert "text/plain" == response.header("Content-Type")


@pytest.mark.parametrize("status", [400, 401, 429, 499, 503, 599])
async def test_a_refusal_has_the_status_that_was_asked_for(serve: Serve, status: int) -> None:
    def setup(server: TusApp) -> None:
        @server.on_access
        async def refuse(_: Request) -> None:
            raise Reject(status, "No.")

    tus = await serve(setup=setup)

    assert status == (await tus.create(length=5)).status


async def test_malformed_requests_do_not_reach_the_application(serve: Serve) -> None:
    seen: list[Request] = []

    def setup(server: TusApp) -> None:
        @server.on_access
        async def note(request: Request) -> None:
            seen.append(request)

    tus = await serve(setup=setup)

    assert 400 == (await tus.patch("/files/x", -1, b"hello")).status
    assert 412 == (await tus.request("DELETE", "/files/x")).status
    assert [] == seen


async def test_creation_is_told_what_is_created(serve: Serve) -> None:
    seen: list[NewUpload] = []

    def setup(server: TusApp) -> None:
        @server.on_create
        async def note(new: NewUpload) -> Changes | None:
            seen.append(new)
            return None

    tus = await serve(setup=setup)
    await tus.new(length=5, headers=[("Upload-Metadata", "a YQ==,b"), ("X-Other", "1")])
    part = await tus.part(b"part")
    await tus.concatenate(part)

    assert [Kind.PLAIN, Kind.PARTIAL, Kind.FINAL] == [new.kind for new in seen]
    assert [5, 4, 4] == [new.length for new in seen]
    assert {"a": b"a", "b": b""} == seen[0].metadata
    assert "1" == seen[0].request.headers["x-other"]


async def test_creation_can_be_refused(serve: Serve) -> None:
    def setup(server: TusApp) -> None:
        @server.on_create
        async def refuse(_: NewUpload) -> Changes | None:
            raise Reject(422, "Not this.")

    tus = await serve(setup=setup)

    response = await tus.create(b"hello", length=5)

    assert (422, 0) == (response.status, response.reads)
    assert [] == [*await tus.server.uploads.list()]


async def test_the_application_chooses_the_id(serve: Serve) -> None:
    tus = await serve(setup=changing(id="Chosen_id-1"))

    assert f"http://{HOST}/files/Chosen_id-1" == await tus.new(length=5)
    assert 0 == (await tus.head("/files/Chosen_id-1")).offset


@pytest.mark.parametrize(
    "changes",
    [
        {"id": ""},
        {"id": "a/b"},
        {"id": "../a"},
        {"id": ".."},
        {"id": "-a"},
        {"id": "_a"},
        {"id": "a" * 129},
        {"id": "a\n"},
        {"id": "a\x00"},
        {"id": "ä"},
        {"id": "a b"},
        {"path": ""},
        {"path": "../a"},
        {"path": "/a"},
        {"path": "a/"},
        {"path": "a//b"},
        {"path": "a/../../b"},
        {"path": "a\\b"},
        {"path": "a\x00"},
        {"path": "a" * 300},
        {"metadata": {"a b": b""}},
        {"metadata": {"": b""}},
        {"lifetime": 0},
        {"lifetime": -1},
        {"lifetime": math.nan},
        {"max_length": -1},
    ],
)
async def test_what_the_application_must_not_choose_is_its_failure(
    serve: Serve, changes: dict[str, Any]
) -> None:
    tus = await serve(setup=changing(**changes))

    response = await tus.create(b"hello", length=5)

    assert (500, "application-error") == (response.status, code(response))
    assert [] == [*await tus.server.uploads.list()]


@pytest.mark.parametrize("changes", [{"id": "taken"}, {"path": "taken"}])
async def test_what_is_taken_cannot_be_chosen_again(serve: Serve, changes: dict[str, str]) -> None:
    tus = await serve(setup=changing(**changes))
    url = await tus.new(b"hello", length=5)

    response = await tus.create(length=5)

    assert (500, "application-error") == (response.status, code(response))
    assert b"hello" == (await tus.get(url)).body
    await tus.delete(url)
    assert 201 == (await tus.create(length=5)).status


async def test_metadata_can_be_replaced(serve: Serve) -> None:
    tus = await serve(setup=changing(metadata={"filename": b"b.txt", "empty": b""}))
    url = await tus.new(length=5, headers=[("Upload-Metadata", "filename YQ==")])

    assert "filename Yi50eHQ=,empty" == (await tus.head(url)).header("Upload-Metadata")


async def test_metadata_can_be_removed(serve: Serve) -> None:
    tus = await serve(setup=changing(metadata={}))
    url = await tus.new(length=5, headers=[("Upload-Metadata", "filename YQ==")])

    assert [] == (await tus.head(url)).all("Upload-Metadata")


@pytest.mark.parametrize("chunked", [False, True])
async def test_an_upload_can_have_a_limit_of_its_own(serve: Serve, *, chunked: bool) -> None:
    tus = await serve(setup=changing(max_length=5))

    assert 413 == (await tus.create(length=6)).status
    assert 413 == (await tus.create(b"hello!", chunked=chunked)).status
    assert [] == [*await tus.server.uploads.list()]
    url = await tus.new()
    assert 413 == (await tus.patch(url, 0, b"hello!", chunked=chunked)).status
    assert 413 == (await tus.patch(url, 0, headers=[("Upload-Length", "6")])).status
    assert 204 == (await tus.patch(url, 0, b"hello", chunked=chunked)).status


async def test_an_upload_can_have_a_life_of_its_own(serve: Serve) -> None:
    tus = await serve(Config(expire_after=10), setup=changing(lifetime=100))
    url = await tus.new(length=5)
    tus.clock.advance(99)

    assert 200 == (await tus.head(url)).status
    tus.clock.advance(1)
    assert 404 == (await tus.head(url)).status


@pytest.mark.parametrize("lifetime", [math.inf, 1e300])
async def test_an_upload_can_live_for_ever(serve: Serve, lifetime: float) -> None:
    tus = await serve(Config(expire_after=10), setup=changing(lifetime=lifetime))
    response = await tus.create(length=5)
    tus.clock.advance(1e9)

    assert [] == response.all("Upload-Expires")
    assert 200 == (await tus.head(response.location)).status


async def test_several_callables_are_asked_in_order_and_the_last_answer_counts(
    serve: Serve,
) -> None:
    asked: list[int] = []

    def setup(server: TusApp) -> None:
        for number, answer in enumerate((None, Changes(id="one"), Changes(id="two"), None)):

            async def ask(
                _: NewUpload, number: int = number, answer: Changes | None = answer
            ) -> Changes | None:
                asked.append(number)
                return answer

            server.on_create(ask)

    tus = await serve(setup=setup)

    assert (await tus.new(length=5)).endswith("/two")
    assert [0, 1, 2, 3] == asked


@pytest.mark.parametrize("name", ["on_access", "on_create"])
async def test_a_callable_that_raises_is_an_error_without_its_text(serve: Serve, name: str) -> None:
    def setup(server: TusApp) -> None:
        async def fail(_: object) -> None:
            raise RuntimeError("a secret")

        getattr(server, name)(fail)

    tus = await serve(setup=setup)

    response = await tus.create(length=5)

    assert (500, "application-error") == (response.status, code(response))
    assert b"secret" not in response.body
    assert [] == [*await tus.server.uploads.list()]


class TestIdentity:
    """Who is asking, by ``auth``."""

    @pytest.fixture
    async def tus(self, serve: Serve) -> Served:
        async def auth(request: Request) -> str | None:
            if request.headers.get("authorization") == "raise":
                raise RuntimeError("a secret")
            if request.headers.get("authorization") == "reject":
                raise Reject(403, "Banned.")
            return request.headers.get("authorization")

        return await serve(auth=auth)

    async def test_nobody_is_asked_to_say_who(self, tus: Served) -> None:
        responses = [
            await tus.create(b"hello", length=5),
            await tus.head("/files/x"),
            await tus.get("/files/x"),
            await tus.patch("/files/x", 0, b"hello"),
        ]

        assert [401] * 4 == [response.status for response in responses]
        assert ["Bearer"] * 4 == [response.header("WWW-Authenticate") for response in responses]
        assert [0] * 4 == [response.reads for response in responses]
        assert "not-authenticated" == code(responses[0])

    async def test_uploads_of_others_are_not_there(self, tus: Served) -> None:
        mine, theirs = ("Authorization", "me"), ("Authorization", "them")
        url = await tus.new(b"he", length=5, headers=[mine])
        append = [VERSION, OFFSET_TYPE, ("Upload-Offset", "2"), ("Content-Length", "3")]

        assert 404 == (await tus.request("HEAD", url, [VERSION, theirs])).status
        assert 404 == (await tus.request("PATCH", url, [*append, theirs], b"llo")).status
        assert 404 == (await tus.request("DELETE", url, [VERSION, theirs])).status
        assert 204 == (await tus.request("PATCH", url, [*append, mine], b"llo")).status
        assert 404 == (await tus.request("GET", url, [theirs])).status
        assert b"hello" == (await tus.request("GET", url, [mine])).body

    async def test_the_application_sees_all_and_whose_they_are(self, tus: Served) -> None:
        for subject in ("one", "two", "one"):
            await tus.new(length=5, headers=[("Authorization", subject)])

        assert 3 == len(await tus.server.uploads.list())
        assert 2 == len(await tus.server.uploads.list(subject="one"))

    async def test_it_may_refuse_or_fail(self, tus: Served) -> None:
        refused = await tus.create(length=5, headers=[("Authorization", "reject")])
        failed = await tus.create(length=5, headers=[("Authorization", "raise")])

        assert (403, "rejected") == (refused.status, code(refused))
        assert (500, "application-error") == (failed.status, code(failed))
        assert b"secret" not in failed.body


async def test_a_refusal_can_have_a_body_of_its_own(serve: Serve) -> None:
    def setup(server: TusApp) -> None:
        @server.on_create
        async def refuse(new: NewUpload) -> Changes | None:
            headers = {"content-type": "text/csv"} if new.metadata else None
            raise Reject(422, body=b"no,way", headers=headers)

    tus = await serve(setup=setup)

    plain, typed = (
        await tus.create(length=5),
        await tus.create(length=5, headers=[("Upload-Metadata", "a")]),
    )

    assert [(422, b"no,way")] * 2 == [(each.status, each.body) for each in (plain, typed)]
    assert "text/plain; charset=utf-8" == plain.header("Content-Type")
    assert "text/csv" == typed.header("Content-Type")


async def test_the_answer_to_a_creation_can_be_chosen(serve: Serve) -> None:
    headers = {"X-A": "1", "Location": "/elsewhere", "upload-offset": "9"}
    tus = await serve(setup=changing(reply=Reply(status=200, headers=headers, body=b"made")))

    for body in ((), (b"hello",)):
        response = await tus.create(*body, length=5)
        assert (200, b"made", "1") == (response.status, response.body, response.header("X-A"))
        assert response.location.startswith(f"http://{HOST}/files/")
        assert sum(map(len, body)) == response.offset


async def test_the_end_has_the_last_word_on_the_answer(serve: Serve) -> None:
    def setup(server: TusApp) -> None:
        changing(reply=Reply(status=200, headers={"X-A": "1", "X-B": "1"}, body=b"made"))(server)

        @server.before_finish
        async def check(_: Upload) -> Reply:
            return Reply(headers={"X-B": "2"}, body=b"done")

    response = await (await serve(setup=setup)).create(b"hello", length=5)

    assert (200, b"done") == (response.status, response.body)
    assert ("1", "2") == (response.header("X-A"), response.header("X-B"))
