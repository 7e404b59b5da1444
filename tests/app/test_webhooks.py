"""Hooks over HTTP: a real application is asked and told, over real sockets."""

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.spec.served import Backends, Serve, Served, upload_id
from tests.support.asgi import DISCONNECT, HOST
from tests.support.hooks import Answer, HookServer, Say, hook_server, saying
from tusd_py import Config, HttpHooks, TusApp
from tusd_py.config import HookName
from tusd_py.errors import MetadataUnavailable as Busy
from tusd_py.errors import StorageFull
from tusd_py.metadata import Event, Metadata, Receiver
from tusd_py.testing import Fault, FaultyMetadata, Plan
from tusd_py.testing.script import Stall
from tusd_py.uploads import events

DATA = b"hello world"
FILE = ("Upload-Metadata", "filename YS50eHQ=,empty")
FACTS: tuple[HookName, ...] = ("post-create", "post-finish", "post-terminate")

Start = Callable[..., Awaitable[Served]]


@pytest.fixture
def hooks() -> Iterator[HookServer]:
    with hook_server() as server:
        yield server


@pytest.fixture
def start(serve: Serve, hooks: HookServer) -> Start:
    """Start a server with some hooks, which does not wait long for anything."""

    async def start(*events: HookName, **changes: Any) -> Served:  # noqa: ANN401 - of HttpHooks
        return await serve(hooked(hooks.url, *events, **changes))

    return start


def hooked(url: str, *events: HookName, **changes: Any) -> Config:  # noqa: ANN401 - of HttpHooks
    settings: dict[str, Any] = {"backoff": 0.01, "progress_interval": 0.01, **changes}
    if events:
        settings["enabled_events"] = events
    return Config(hooks=HttpHooks(url=url, **settings))


async def heard(hooks: HookServer, *types: str) -> None:
    """Wait until just these hooks have been heard."""
    await asyncio.to_thread(hooks.wait_for_types, *types)


def to(kind: str, answer: Answer) -> Say:
    """Answer one kind of hook, and say nothing to the others."""
    return lambda heard: answer if heard.type == kind else Answer()


def code(body: bytes) -> object:
    return json.loads(body)["code"]


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class TestWhatIsTold:
    """In tusd's form."""

    async def test_an_upload_from_its_creation_to_its_removal(
        self, start: Start, hooks: HookServer
    ) -> None:
        tus = await start()
        url = await tus.new(length=11, headers=[FILE])
        await heard(hooks, "pre-create", "post-create")
        await tus.patch(url, 0, DATA)
        await heard(hooks, "pre-create", "post-create", "post-receive", "post-finish")
        await tus.delete(url)
        await heard(hooks, *hooks.types, "post-terminate")

        offsets = {kind.type: kind.upload["Offset"] for kind in hooks.heard}
        assert {
            "pre-create": 0,
            "post-create": 0,
            "post-receive": 11,
            "post-finish": 11,
            "post-terminate": 11,
        } == offsets
        for told in hooks.heard:
            assert {"Type", "Event"} == told.document.keys()
            assert "application/json" == told.headers["content-type"]
            assert {"filename": "a.txt", "empty": ""} == told.upload["MetaData"]

    async def test_every_field_of_an_upload(self, start: Start, hooks: HookServer) -> None:
        tus = await start("pre-create", "post-create")
        url = await tus.new(length=11, headers=[FILE])
        await heard(hooks, "pre-create", "post-create")

        new = {
            "ID": "",
            "Size": 11,
            "SizeIsDeferred": False,
            "Offset": 0,
            "MetaData": {"filename": "a.txt", "empty": ""},
            "IsPartial": False,
            "IsFinal": False,
            "PartialUploads": None,
            "Storage": None,
        }
        assert new == hooks.heard[0].upload
        created = hooks.heard[1].upload
        assert {"filestore", "memorystore"} >= {created["Storage"]["Type"]}
        assert {**new, "ID": upload_id(url), "Storage": created["Storage"]} == created

    async def test_every_field_of_a_request(self, start: Start, hooks: HookServer) -> None:
        tus = await start("pre-create")
        await tus.create(length=11, headers=[("X-Two", "1"), ("x-two", "2"), ("DNT", "1")])

        (asked,) = hooks.heard
        assert {
            "Method": "POST",
            "URI": "/files/",
            "RemoteAddr": "192.0.2.1:50000",
            "Header": {
                "Host": [HOST],
                "Tus-Resumable": ["1.0.0"],
                "Upload-Length": ["11"],
                "Content-Length": ["0"],
                "X-Two": ["1", "2"],
                "Dnt": ["1"],
            },
        } == asked.request

    async def test_a_query_is_a_part_of_the_url(self, start: Start, hooks: HookServer) -> None:
        tus = await start("pre-access")
        await tus.head("/files/x?a=b")

        assert "/files/x?a=b" == hooks.heard[0].request["URI"]

    async def test_a_deferred_length_is_zero_and_said_to_be_open(
        self, start: Start, hooks: HookServer
    ) -> None:
        tus = await start("post-create")
        await tus.new()
        await heard(hooks, "post-create")

        upload = hooks.heard[0].upload
        assert (0, True) == (upload["Size"], upload["SizeIsDeferred"])

    async def test_parts_and_what_is_made_of_them(self, start: Start, hooks: HookServer) -> None:
        tus = await start("pre-create", "post-finish")
        part = await tus.part(DATA)
        await tus.concatenate(part, part)
        await heard(hooks, *["pre-create", "post-finish"] * 2)

        partial, final = hooks.of("post-finish")
        assert (True, False, None) == tuple(
            partial.upload[name] for name in ("IsPartial", "IsFinal", "PartialUploads")
        )
        parts = [upload_id(part)] * 2
        assert (False, True, parts, 22) == tuple(
            final.upload[name] for name in ("IsPartial", "IsFinal", "PartialUploads", "Size")
        )
        assert parts == hooks.of("pre-create")[1].upload["PartialUploads"]

    async def test_where_a_finished_file_is(
        self, start: Start, hooks: HookServer, backends: Backends
    ) -> None:
        tus = await start("post-finish")
        await tus.new(DATA, length=11)
        await heard(hooks, "post-finish")

        storage = hooks.heard[0].upload["Storage"]
        if backends.kind == "disk":
            assert storage["Path"].startswith(str(backends.folder))
            with open(storage["Path"], "rb") as file:  # noqa: ASYNC230, PTH123 - a test may
                assert DATA == file.read()

    async def test_a_small_upload_in_one_request_is_created_and_finished(
        self, start: Start, hooks: HookServer
    ) -> None:
        tus = await start(*FACTS)
        await tus.new(DATA, length=11)
        await heard(hooks, "post-create", "post-finish")

        assert ["post-create", "post-finish"] == hooks.types
        assert [0, 11] == [told.upload["Offset"] for told in hooks.heard]

    async def test_an_upload_that_expires_is_said_to_be_gone(
        self, serve: Serve, hooks: HookServer
    ) -> None:
        config = hooked(hooks.url, *FACTS)
        tus = await serve(config)
        url = await tus.new(length=11)
        tus.clock.advance(8 * 86_400)
        assert 1 == await tus.server.sweep()
        await heard(hooks, "post-create", "post-terminate")

        gone = hooks.heard[1]
        assert upload_id(url) == gone.upload["ID"]
        assert {"Method": "", "URI": "", "RemoteAddr": "", "Header": None} == gone.request

    async def test_a_final_upload_that_expired_and_is_made_anew_is_said_to_be_gone(
        self, serve: Serve, hooks: HookServer
    ) -> None:
        config = replace(hooked(hooks.url, "post-terminate"), expire_after=10)
        tus = await serve(config)
        part = await tus.new(length=11, headers=[("Upload-Concat", "partial")])
        first = (await tus.concatenate(part)).location
        tus.clock.advance(9)
        await tus.patch(part, 0, DATA[:5])
        tus.clock.advance(2)

        assert first != (await tus.concatenate(part)).location
        await heard(hooks, "post-terminate")
        assert upload_id(first) == hooks.heard[0].upload["ID"]

    async def test_a_creation_that_is_taken_back_is_said_to_be_gone(
        self, start: Start, hooks: HookServer
    ) -> None:
        tus = await start(*FACTS)
        assert 413 == (await tus.create(DATA + b"!", length=11, chunked=True)).status
        await heard(hooks, "post-create", "post-terminate")

    async def test_only_what_is_enabled_is_told_or_kept(
        self, start: Start, hooks: HookServer
    ) -> None:
        tus = await start("post-terminate")
        url = await tus.new(length=11)
        await tus.patch(url, 0, DATA)
        metadata = (await tus.server._runtime.started()).metadata

        assert [] == list(await metadata.events(10))
        await tus.delete(url)
        await heard(hooks, "post-terminate")

    async def test_headers_can_be_passed_on(self, start: Start, hooks: HookServer) -> None:
        tus = await start(
            "pre-create", "post-create", "post-receive", forward_headers=("X-Tenant", "cookie")
        )
        headers = [("x-tenant", "a"), ("Cookie", "session=1"), ("X-Other", "b")]
        await tus.create(DATA, length=11, headers=headers)
        await heard(hooks, "pre-create", "post-create", "post-receive")

        for told in hooks.heard:
            assert ("a", "session=1") == (told.headers["x-tenant"], told.headers["cookie"])
            assert "x-other" not in told.headers

    async def test_headers_are_passed_on_as_they_are_or_not_at_all(
        self, start: Start, hooks: HookServer
    ) -> None:
        tus = await start("pre-create", "post-create", forward_headers=("X-A", "X-B"))
        headers = [("X-A", "caf\xe9"), ("X-B", "a\x00b"), ("X-A", "2")]
        assert 201 == (await tus.create(length=11, headers=headers)).status
        await heard(hooks, "pre-create", "post-create")

        for told in hooks.heard:
            assert "x-b" not in told.headers
            assert ["caf\xe9", "2"] == told.all("X-A")

    async def test_what_says_who_somebody_is_is_asked_about_and_not_kept(
        self, start: Start, hooks: HookServer
    ) -> None:
        tus = await start("pre-create", *FACTS)
        await tus.create(length=11, headers=[("Authorization", "Basic x"), ("Cookie", "a=b")])
        await heard(hooks, "pre-create", "post-create")

        asked, told = hooks.heard
        assert ["Basic x"] == asked.request["Header"]["Authorization"]
        assert {"Authorization", "Cookie"}.isdisjoint(told.request["Header"])


class TestPreCreate:
    """It may refuse, change and answer."""

    async def test_it_refuses_in_its_own_words(self, start: Start, hooks: HookServer) -> None:
        refusal = {
            "RejectUpload": True,
            "HTTPResponse": {
                "StatusCode": 422,
                "Body": '{"message":"no"}',
                "Header": {"Content-Type": "application/json", "X-Some": "yes", "Location": "/x"},
            },
        }
        hooks.say = to("pre-create", saying(refusal))
        tus = await start()

        response = await tus.create(DATA, length=11)

        assert (422, b'{"message":"no"}', 0) == (response.status, response.body, response.reads)
        assert "application/json" == response.header("Content-Type")
        assert ("yes", []) == (response.header("X-Some"), response.all("Location"))
        assert [] == [*await tus.server.uploads.list()]
        assert ["pre-create"] == hooks.types

    async def test_it_refuses_without_words(self, start: Start, hooks: HookServer) -> None:
        hooks.say = to("pre-create", saying({"RejectUpload": True}))
        tus = await start()

        response = await tus.create(length=11)

        assert (400, "rejected") == (response.status, code(response.body))

    async def test_it_changes_id_metadata_and_path(
        self, start: Start, hooks: HookServer, backends: Backends
    ) -> None:
        change = {
            "ID": "prefix-1234",
            "MetaData": {"filename": "b.txt"},
            "Storage": {"Path": "./folder/b.txt"},
        }
        hooks.say = to("pre-create", saying({"ChangeFileInfo": change}))
        tus = await start("pre-create", "post-finish")

        url = await tus.new(DATA, length=11, headers=[FILE])

        assert f"http://{HOST}/files/prefix-1234" == url
        assert "filename Yi50eHQ=" == (await tus.head(url)).header("Upload-Metadata")
        await heard(hooks, "pre-create", "post-finish")
        if backends.kind == "disk":
            path = hooks.heard[1].upload["Storage"]["Path"]
            assert str(backends.folder / "files" / "folder" / "b.txt") == path

    async def test_its_response_is_a_part_of_the_answer(
        self, start: Start, hooks: HookServer
    ) -> None:
        response = {"StatusCode": 200, "Body": "made", "Header": {"X-A": "1", "Upload-Offset": "9"}}
        hooks.say = to("pre-create", saying({"HTTPResponse": response}))
        tus = await start()

        for length, body in ((11, ()), (11, (DATA,)), (0, ())):
            created = await tus.create(*body, length=length)
            assert (200, b"made", "1") == (created.status, created.body, created.header("X-A"))
            assert sum(map(len, body)) == created.offset

    @pytest.mark.parametrize(
        "change",
        [
            {"ID": "a/b"},
            {"ID": "../a"},
            {"ID": "a\r\nX-Evil: 1"},
            {"ID": "a" * 129},
            {"Storage": {"Path": "../a"}},
            {"Storage": {"Path": "/etc/passwd"}},
            {"Storage": {"Path": "a/../../b"}},
            {"MetaData": {"a b": "c"}},
        ],
    )
    async def test_what_it_must_not_choose_is_its_failure(
        self, start: Start, hooks: HookServer, change: dict[str, Any]
    ) -> None:
        hooks.say = to("pre-create", saying({"ChangeFileInfo": change}))
        tus = await start()

        response = await tus.create(DATA, length=11)

        assert (500, "application-error") == (response.status, code(response.body))
        assert [] == [*await tus.server.uploads.list()]


class TestOtherQuestions:
    """pre-access, pre-finish and pre-terminate, which are asked if they are enabled."""

    async def test_access_is_asked_for_every_request(self, start: Start, hooks: HookServer) -> None:
        tus = await start("pre-access")
        url = await tus.new(DATA, length=11)
        await tus.head(url)
        await tus.get(url)
        await tus.delete(url)

        methods = [asked.request["Method"] for asked in hooks.heard]
        assert ["POST", "HEAD", "GET", "DELETE"] == methods
        assert ["", *[upload_id(url)] * 3] == [asked.upload["ID"] for asked in hooks.heard]

    async def test_access_can_be_refused(self, start: Start, hooks: HookServer) -> None:
        refusal = {"RejectAccess": True, "HTTPResponse": {"StatusCode": 403, "Body": "Not yours."}}
        hooks.say = to("pre-access", saying(refusal))
        tus = await start("pre-access")

        responses = [await tus.create(length=1), await tus.patch("/files/x", 0, DATA)]

        assert [(403, b"Not yours.", 0)] * 2 == [
            (response.status, response.body, response.reads) for response in responses
        ]
        assert 403 == (await tus.head("/files/x")).status

    async def test_the_end_of_an_upload_can_be_answered(
        self, start: Start, hooks: HookServer
    ) -> None:
        response = {"StatusCode": 200, "Body": "done", "Header": {"X-Result": "fine"}}
        hooks.say = to("pre-finish", saying({"HTTPResponse": response}))
        tus = await start("pre-finish", "post-finish")
        url = await tus.new(length=11)

        answer = await tus.patch(url, 0, DATA)

        assert (200, b"done", "fine", 11) == (
            answer.status,
            answer.body,
            answer.header("X-Result"),
            answer.offset,
        )
        await heard(hooks, "pre-finish", "post-finish")
        assert ["pre-finish", "post-finish"] == hooks.types

    async def test_the_end_of_a_part_is_asked_about_as_by_tusd(
        self, start: Start, hooks: HookServer
    ) -> None:
        tus = await start("pre-finish")
        await tus.part(DATA)

        assert [True] == [asked.upload["IsPartial"] for asked in hooks.heard]

    @pytest.mark.parametrize(
        ("answer", "status"),
        [
            (saying({"HTTPResponse": {"StatusCode": 422}}), 422),
            (Answer(status=500), 503),
            (Answer(body=b"?"), 503),
        ],
    )
    async def test_what_is_not_let_finish_stays_with_all_its_bytes(
        self, start: Start, hooks: HookServer, answer: Answer, status: int
    ) -> None:
        hooks.say = to("pre-finish", answer)
        tus = await start("pre-finish", "post-finish", retry=1)
        url = await tus.new(length=11)

        assert status == (await tus.patch(url, 0, DATA)).status
        assert DATA == await tus.stored(url)
        assert 404 == (await tus.get(url)).status
        hooks.say = lambda _: Answer()
        assert (204, 11) == ((again := await tus.patch(url, 11)).status, again.offset)
        await asyncio.to_thread(hooks.wait_for, lambda: hooks.of("post-finish"))

    async def test_termination_can_be_refused_and_answered(
        self, start: Start, hooks: HookServer
    ) -> None:
        response = {"StatusCode": 409, "Body": "It is in use.", "Header": {"X-A": "1"}}
        hooks.say = to(
            "pre-terminate", saying({"RejectTermination": True, "HTTPResponse": response})
        )
        tus = await start("pre-terminate", "post-terminate")
        url = await tus.new(length=11)

        refused = await tus.delete(url)

        assert (409, b"It is in use.", "1") == (refused.status, refused.body, refused.header("X-A"))
        assert 200 == (await tus.head(url)).status
        hooks.say = to("pre-terminate", saying({"HTTPResponse": {"StatusCode": 200, "Body": "ok"}}))
        assert (200, b"ok") == ((done := await tus.delete(url)).status, done.body)
        await asyncio.to_thread(hooks.wait_for, lambda: hooks.of("post-terminate"))

    async def test_the_application_itself_is_not_asked_when_it_removes(
        self, start: Start, hooks: HookServer
    ) -> None:
        tus = await start("pre-terminate", "post-terminate")
        await tus.server.uploads.delete(upload_id(await tus.new(length=11)))

        await heard(hooks, "post-terminate")


class TestFailures:
    """A hook that has a say and fails is a 503 that clients try again; no other hurts anybody."""

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(status=500),
            Answer(status=404),
            Answer(status=302, headers={"Location": "http://127.0.0.1:9/"}),
            Answer(headers={}),
            Answer(headers={"Content-Type": "text/html"}),
            Answer(body=b"<html>"),
            Answer(body=b""),
            Answer(body=b"[" * 5000),
            Answer(body=b" " * 6000),
            Answer(body=b" " * 2**20),
            saying({"HTTPResponse": {"Header": {"X-A": "1\r\nX-Evil: 1"}}}),
            saying({"HTTPResponse": {"Header": {"Transfer-Encoding": "chunked"}}}),
            saying({"RejectUpload": True, "HTTPResponse": {"StatusCode": 200}}),
        ],
        ids=lambda answer: f"{answer.status} {answer.body[:20]!r} {len(answer.body)}",
    )
    async def test_no_answer_or_a_bad_one(
        self, start: Start, hooks: HookServer, answer: Answer
    ) -> None:
        hooks.say = to("pre-create", answer)
        tus = await start("pre-create")

        response = await tus.create(DATA, length=11)

        assert (503, "hook-unavailable") == (response.status, code(response.body))
        assert ("10", []) == (response.header("Retry-After"), response.all("X-Evil"))
        assert [] == [*await tus.server.uploads.list()]

    async def test_a_redirect_is_not_followed(self, start: Start, hooks: HookServer) -> None:
        with hook_server() as elsewhere:
            hooks.say = lambda _: Answer(status=307, headers={"Location": elsewhere.url})
            tus = await start("pre-create")

            assert 503 == (await tus.create(length=11)).status
            assert [] == elsewhere.heard

    async def test_one_that_hangs_is_waited_for_so_long(
        self, start: Start, hooks: HookServer
    ) -> None:
        done = threading.Event()
        hooks.say = to("pre-create", Answer(hang=done))
        tus = await start("pre-create", timeout=0.1)

        assert 503 == (await tus.create(length=11)).status
        done.set()

    async def test_nobody_there(self, serve: Serve) -> None:
        tus = await serve(hooked(f"http://127.0.0.1:{closed_port()}/", "pre-create"))

        assert 503 == (await tus.create(length=11)).status

    @pytest.mark.parametrize(("failures", "status"), [(2, 201), (3, 503)])
    async def test_it_is_tried_three_times_as_by_tusd(
        self, start: Start, hooks: HookServer, failures: int, status: int
    ) -> None:
        hooks.say = lambda _: Answer(status=500 if len(hooks.heard) <= failures else 200)
        tus = await start("pre-create")

        assert status == (await tus.create(length=11)).status
        assert 3 == len(hooks.heard)
        assert 1 == len({asked.id for asked in hooks.heard})

    async def test_what_is_no_failure_of_its_is_not_tried_again(
        self, start: Start, hooks: HookServer
    ) -> None:
        hooks.say = lambda _: Answer(status=404)
        tus = await start("pre-create")
        await tus.create(length=11)

        assert 1 == len(hooks.heard)

    async def test_a_head_is_never_told_of_it(self, start: Start, hooks: HookServer) -> None:
        tus = await start("pre-access", retry=1)
        url = await tus.new(length=11)
        hooks.say = lambda _: Answer(status=500)

        assert 423 == (await tus.head(url)).status

    async def test_who_has_no_say_hurts_nobody(self, start: Start, hooks: HookServer) -> None:
        done = threading.Event()
        answers = [Answer(status=500), Answer(body=b" " * 2**20), Answer(hang=done)]
        hooks.say = lambda _: answers[len(hooks.heard) % 3]
        tus = await start("post-receive", *FACTS, timeout=30)

        for _ in range(5):
            url = await tus.new(length=11)
            assert 204 == (await tus.patch(url, 0, DATA)).status
            assert 204 == (await tus.delete(url)).status
        done.set()

    async def test_what_keeps_failing_is_left_alone(self, start: Start, hooks: HookServer) -> None:
        hooks.say = lambda _: Answer(status=503)
        tus = await start("pre-create", retry=1)
        responses = [await tus.create(length=11) for _ in range(8)]

        assert [503] * 8 == [response.status for response in responses]
        assert 5 == len(hooks.heard)
        state = await tus.server.outbox()
        assert "open" == state.breaker

    async def test_who_makes_it_fail_does_not_keep_it_from_others(
        self, start: Start, hooks: HookServer
    ) -> None:
        hooks.say = lambda asked: Answer(status=200 if asked.upload["MetaData"] else 500)
        tus = await start("pre-create", retry=1)
        for _ in range(20):
            assert 503 == (await tus.create(length=11)).status

        assert 201 == (await tus.create(length=11, headers=[FILE])).status


class TestDelivery:
    """What is told of facts is kept until it was heard."""

    async def test_what_was_heard_is_forgotten(self, start: Start, hooks: HookServer) -> None:
        tus = await start(*FACTS)
        await tus.new(DATA, length=11)
        await heard(hooks, "post-create", "post-finish")

        await settled(tus)

    async def test_nobody_waits_for_what_this_process_knows_of(
        self, start: Start, hooks: HookServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(events, "_LOOK_AGAIN", 3600.0)
        tus = await start(*FACTS)
        url = await tus.new(DATA, length=11)
        await heard(hooks, "post-create", "post-finish")
        await tus.delete(url)

        await asyncio.to_thread(hooks.wait_for, lambda: hooks.of("post-terminate"))

    async def test_what_failed_is_told_again_with_the_same_id_in_order(
        self, start: Start, hooks: HookServer
    ) -> None:
        hooks.say = lambda _: Answer(status=404 if len(hooks.heard) <= 2 else 200)
        tus = await start(*FACTS)
        await tus.new(DATA, length=11)

        for _ in range(2):
            await put_off(tus, len(hooks.heard) + 1)
            tus.clock.advance(10)
        await asyncio.to_thread(hooks.wait_for, lambda: len(hooks.heard) == 4)

        assert ["post-create"] * 3 + ["post-finish"] == hooks.types
        assert 2 == len({told.id for told in hooks.heard})
        assert 1 == len({told.body for told in hooks.of("post-create")})

    async def test_one_that_fails_holds_up_no_other_upload(
        self, start: Start, hooks: HookServer
    ) -> None:
        tus = await start("post-create")
        hooks.say = lambda _: Answer(status=404 if len(hooks.heard) == 1 else 200)
        await tus.new(length=11)
        await put_off(tus, 1)
        await tus.new(length=11)

        await heard(hooks, "post-create", "post-create")

    async def test_one_that_failed_too_often_is_put_aside_and_lets_the_next_through(
        self, start: Start, hooks: HookServer
    ) -> None:
        hooks.say = to("post-create", Answer(status=404))
        tus = await start(*FACTS, max_attempts=2)
        await tus.new(DATA, length=11)
        await put_off(tus, 1)
        tus.clock.advance(10)

        await asyncio.to_thread(hooks.wait_for, lambda: hooks.of("post-finish"))
        await settled(tus)
        (dead,) = await (await tus.server._runtime.started()).metadata.events(10)
        assert ("post-create", True, 2, "The answer was 404.") == (
            dead.name,
            dead.dead,
            dead.attempts,
            dead.error,
        )
        state = await tus.server.outbox()
        assert (0, 1) == (state.waiting, state.dead)

    async def test_the_next_process_tells_what_this_one_did_not(
        self, backends: Backends, hooks: HookServer
    ) -> None:
        nowhere = f"http://127.0.0.1:{closed_port()}/"
        tus = await backends.serve(hooked(nowhere, *FACTS))
        url = await tus.new(DATA, length=11)
        await tus.delete(url)
        await put_off(tus, 1)
        await backends.stop()
        backends.clock.advance(10)

        await backends.serve(hooked(hooks.url, *FACTS))

        await heard(hooks, *FACTS)
        assert [*FACTS] == hooks.types

    async def test_what_cannot_be_noted_as_heard_is_told_again(
        self, serve: Serve, hooks: HookServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(events, "_LOOK_AGAIN", 0.01)
        plan = Plan(Fault(method="settle", error=StorageFull), Fault(method="due", error=Busy))
        tus = await serve(
            hooked(hooks.url, "post-create"), metadata=lambda inner: FaultyMetadata(inner, plan)
        )
        await tus.new(length=11)
        await heard(hooks, "post-create", "post-create")

        assert hooks.heard[0].id == hooks.heard[1].id
        await settled(tus)

    async def test_what_is_settled_while_others_are_looked_for_is_not_told_again(
        self, serve: Serve, hooks: HookServer
    ) -> None:
        slow = threading.Event()
        early: list[ReadsEarly] = []

        def wrap(inner: Metadata) -> Metadata:
            early.append(ReadsEarly(inner))
            return early[0]

        hooks.say = lambda _: Answer(hang=slow if len(hooks.heard) == 1 else None)
        tus = await serve(hooked(hooks.url, "post-create"), metadata=wrap)
        await tus.new(length=11)
        await asyncio.to_thread(hooks.wait_for, lambda: hooks.heard)
        early[0].late = True
        await tus.new(length=11)
        await early[0].read.wait()
        slow.set()
        await settled(tus)

        assert 2 == len({told.id for told in hooks.heard}) == len(hooks.heard)

    async def test_a_fact_that_cannot_be_kept_with_what_tells_it_is_none(
        self, serve: Serve, hooks: HookServer
    ) -> None:
        plan = Plan(Fault(method="delete", error=Busy))
        tus = await serve(
            hooked(hooks.url, "post-terminate"), metadata=lambda inner: FaultyMetadata(inner, plan)
        )
        url = await tus.new(length=11)

        assert 503 == (await tus.delete(url)).status
        assert 1 == await tus.server.sweep()
        await heard(hooks, "post-terminate")

    async def test_callables_and_webhooks_are_told_each_on_their_own(
        self, serve: Serve, hooks: HookServer
    ) -> None:
        called = asyncio.Event()

        def setup(server: TusApp) -> None:
            @server.on_finish
            async def done(*_: object) -> None:
                called.set()
                raise RuntimeError("not now")

        tus = await serve(hooked(hooks.url, "post-finish"), setup=setup)
        await tus.new(DATA, length=11)

        await heard(hooks, "post-finish")
        async with asyncio.timeout(10):
            await called.wait()


class TestProgress:
    """post-receive, which may end a transfer."""

    async def test_it_tells_what_has_arrived_while_the_rest_is_awaited(
        self, start: Start, hooks: HookServer
    ) -> None:
        tus = await start("post-receive")
        url = await tus.new(length=11)
        stall = Stall(until=asyncio.Event())
        patching = asyncio.create_task(tus.patch(url, 0, DATA[:5], stall, DATA[5:]))
        await asyncio.to_thread(hooks.wait_for, lambda: hooks.heard)
        assert stall.until is not None
        stall.until.set()
        assert 204 == (await patching).status
        await heard(hooks, "post-receive", "post-receive")

        assert [5, 11] == [told.upload["Offset"] for told in hooks.heard]
        assert "PATCH" == hooks.heard[0].request["Method"]

    async def test_what_stands_still_is_told_once(self, start: Start, hooks: HookServer) -> None:
        tus = await start("post-receive", progress_interval=0.001)
        url = await tus.new(length=11)
        stall = Stall(until=asyncio.Event())
        patching = asyncio.create_task(tus.patch(url, 0, DATA[:5], stall, DISCONNECT))
        await asyncio.to_thread(hooks.wait_for, lambda: hooks.heard)
        await asyncio.sleep(0.05)
        assert stall.until is not None
        stall.until.set()
        await patching

        await heard(hooks, "post-receive")

    async def test_it_ends_the_transfer_and_the_upload(
        self, start: Start, hooks: HookServer
    ) -> None:
        stop = {"StopUpload": True, "HTTPResponse": {"StatusCode": 410, "Body": "Too late."}}
        hooks.say = to("post-receive", saying(stop))
        tus = await start("post-receive", "post-terminate")
        url = await tus.new(length=11)

        response = await tus.patch(url, 0, DATA[:5], Stall())

        assert (410, b"Too late.") == (response.status, response.body)
        assert "close" == response.header("Connection")
        assert 404 == (await tus.head(url)).status
        await heard(hooks, "post-receive", "post-terminate")

    async def test_a_stop_that_comes_too_late_changes_nothing(
        self, start: Start, hooks: HookServer
    ) -> None:
        hooks.say = to("post-receive", saying({"StopUpload": True}))
        tus = await start("post-receive", progress_interval=60)
        url = await tus.new(length=11)
        assert 204 == (await tus.patch(url, 0, DATA)).status
        await heard(hooks, "post-receive")

        assert DATA == (await tus.get(url)).body

    async def test_no_answer_ends_nothing(self, start: Start, hooks: HookServer) -> None:
        hooks.say = to("post-receive", Answer(body=b"{"))
        tus = await start("post-receive")
        url = await tus.new(length=11)
        stall = Stall(until=asyncio.Event())
        patching = asyncio.create_task(tus.patch(url, 0, DATA[:5], stall, DATA[5:]))
        await asyncio.to_thread(hooks.wait_for, lambda: hooks.heard)
        assert stall.until is not None
        stall.until.set()

        assert 204 == (await patching).status


class ReadsEarly(FaultyMetadata):
    """Once asked to, tells what was due before something was settled only after that."""

    def __init__(self, inner: Metadata) -> None:
        super().__init__(inner, Plan())
        self.late = False
        self.read = asyncio.Event()
        self.settled = asyncio.Event()

    async def due(self, now: float, limit: int, receivers: Collection[Receiver]) -> Sequence[Event]:
        found = await super().due(now, limit, receivers)
        if self.late and len(found) > 1:
            self.late = False
            self.read.set()
            await self.settled.wait()
            # So that whoever settled it has come to its end.
            await asyncio.sleep(0.01)
        return found

    async def settle(self, event_id: str) -> None:
        await super().settle(event_id)
        self.settled.set()


async def put_off(tus: Served, attempts: int) -> None:
    """Wait until some event was told so often in vain."""
    metadata = (await tus.server._runtime.started()).metadata
    async with asyncio.timeout(10):
        while not any(each.attempts == attempts for each in await metadata.events(10)):  # noqa: ASYNC110 - that has no event of its own
            await asyncio.sleep(0.005)


async def settled(tus: Served) -> None:
    """Wait until nothing is left to be told."""
    metadata = (await tus.server._runtime.started()).metadata
    async with asyncio.timeout(10):
        while (await metadata.backlog()).waiting:  # noqa: ASYNC110 - that has no event of its own
            await asyncio.sleep(0.005)
