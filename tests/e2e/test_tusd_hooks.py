"""One application hears the hooks of tusd and ours, and cannot tell one from the other.

TUSD_BIN names the program of tusd. The application is that of `tests/support/hooks.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.support.hooks import Answer, Heard, HookServer, Json, Say, hook_server, saying
from tests.support.live import Wire, WireResponse, patch_head
from tests.support.server import HOST, ServerProcess, free_port

ALL = "pre-create,post-create,post-receive,pre-finish,post-finish,pre-terminate,post-terminate"
OFFSET_TYPE = "application/offset+octet-stream"
METADATA = "filename YS50eHQ=,note w7Y="

Play = Callable[["Stage"], None]


@dataclass
class Stage:
    """A server with hooks, what it says to clients, and what the application hears.

    Attributes:
        port: The server's.
        hooks: The application.
        answers: What clients were told so far, as far as it is the application's to say.
        seen: How many hooks were waited for so far.
    """

    port: int
    hooks: HookServer
    answers: list[tuple[int, bytes, str | None]] = field(default_factory=list)
    seen: int = 0

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> WireResponse:
        with Wire(self.port) as wire:
            response = wire.request(method, path, body, **headers)
        self.note(response)
        return response

    def note(self, response: WireResponse) -> None:
        self.answers.append((response.status, response.body, response.headers.get("x-own")))

    def create(self, **headers: str) -> str:
        response = self.ask("POST", "/files/", b"", **headers)
        return "/" + response.headers["location"].split("/", 3)[3]

    def append(self, path: str, body: bytes, offset: int = 0) -> WireResponse:
        return self.ask("PATCH", path, body, upload_offset=str(offset), content_type=OFFSET_TYPE)

    def part(self, body: bytes) -> str:
        path = self.create(upload_length=str(len(body)), upload_concat="partial")
        self.append(path, body)
        return path


def tusd_program() -> str:
    program = os.environ.get("TUSD_BIN")
    if program is None or not os.access(program, os.X_OK):
        pytest.skip("needs tusd: TUSD_BIN names no program")
    return program


@contextmanager
def tusd(folder: Path, hooks: HookServer) -> Iterator[Stage]:
    """tusd itself."""
    port = free_port()
    command = [
        *(tusd_program(), "-host", HOST, "-port", str(port), "-upload-dir", str(folder)),
        *("-hooks-http", hooks.url, "-hooks-enabled-events", ALL, "-hooks-http-backoff", "10ms"),
    ]
    with (folder.parent / "tusd.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                Wire(port).socket.close()
                break
            except OSError:
                assert process.poll() is None, "tusd ended"
                assert time.monotonic() < deadline, "tusd takes no connection"
                time.sleep(0.02)
        yield Stage(port, hooks)
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def ours(folder: Path, hooks: HookServer) -> Iterator[Stage]:
    options = ("--hooks-enabled-events", ALL, "--hooks-http-backoff", "0.01s")
    with ServerProcess(folder, "--hooks-http", hooks.url, *options) as server:
        yield Stage(server.port, hooks)


def on_both(folder: Path, say: Say, *plays: Play) -> tuple[list[Stage], list[HookServer]]:
    """Play the same on both servers; returns what clients and the application were told."""
    stages, heard = [], []
    for name, start in (("tusd", tusd), ("ours", ours)):
        (folder / name).mkdir()
        with hook_server() as hooks, start(folder / name / "data", hooks) as stage:
            hooks.say = say
            for play in plays:
                play(stage)
            stages.append(stage)
            heard.append(hooks)
    return stages, heard


def test_each_field_of_each_hook_is_the_same(tmp_path: Path) -> None:
    told = {
        "an upload": ["pre-create", "post-create", "post-receive", "pre-finish", "post-finish"],
        "its end": ["pre-terminate", "post-terminate"],
        "a deferred one": ["pre-create", "post-create", "post-receive"],
        "an empty one": ["pre-create", "post-create", "pre-finish", "post-finish"],
    }

    def whole(stage: Stage) -> None:
        path = stage.create(upload_length="5", upload_metadata=METADATA, x_two="1", cookie="a=b")
        stage.append(path, b"hello")
        expect(stage, told["an upload"])
        stage.ask("DELETE", path)
        expect(stage, told["its end"])

    def deferred(stage: Stage) -> None:
        path = stage.create(upload_defer_length="1")
        stage.append(path, b"he")
        expect(stage, told["a deferred one"])

    def empty(stage: Stage) -> None:
        stage.create(upload_length="0")
        expect(stage, told["an empty one"])

    def concatenated(stage: Stage) -> None:
        parts = [stage.part(b"hello "), stage.part(b"world")]
        stage.create(upload_concat="final;" + " ".join(parts))
        expect(stage, told["an upload"] * 2 + told["an empty one"])

    stages, heard = on_both(tmp_path, lambda _: Answer(), whole, deferred, empty, concatenated)

    theirs, own = ([alike(each, hooks) for each in ordered(hooks)] for hooks in heard)
    assert len(theirs) == len(own)
    for their, our in zip(theirs, own, strict=True):
        assert their == our
    assert [answer[0] for answer in stages[0].answers] == [
        answer[0] for answer in stages[1].answers
    ]


def expect(stage: Stage, types: list[str]) -> None:
    """Wait until these hooks were heard, after those of what was done before."""
    since = stage.seen
    stage.seen += len(types)
    stage.hooks.wait_for(lambda: len(stage.hooks.heard) >= stage.seen, f"{types}")
    assert sorted(types) == sorted(stage.hooks.types[since : stage.seen])


def ordered(hooks: HookServer) -> list[Heard]:
    """What was heard, by upload and hook: tusd does not tell in order."""
    ids = identities(hooks)
    return sorted(hooks.heard, key=lambda heard: (ids.get(heard.upload["ID"], 0), heard.type))


def identities(hooks: HookServer) -> dict[str, int]:
    ids: dict[str, int] = {}
    for heard in hooks.heard:
        if heard.upload["ID"]:
            ids.setdefault(heard.upload["ID"], len(ids) + 1)
    return ids


def alike(heard: Heard, hooks: HookServer) -> Json:
    """A payload with what is by chance named by its order, and what differs on purpose left out."""
    text = heard.body.decode()
    for name, number in identities(hooks).items():
        text = text.replace(name, f"id-{number}")
    document: Json = json.loads(text)
    upload, request = document["Event"]["Upload"], document["Event"]["HTTPRequest"]
    if upload["Storage"] is not None:
        assert Path(upload["Storage"]["Path"]).is_absolute()
        upload["Storage"] = upload["Storage"]["Type"]
    request["RemoteAddr"] = request["RemoteAddr"].rpartition(":")[0]
    if heard.type in ("post-create", "post-finish", "post-terminate"):
        # What says who somebody is is not kept on our disk.
        request["Header"].pop("Cookie", None)
    return document


def refusing(kind: str, reject: str, **answer: Any) -> Say:  # noqa: ANN401 - any JSON
    response = {"StatusCode": 422, "Body": "No.", "Header": {"X-Own": "1"}}
    said = saying({reject: True, "HTTPResponse": response, **answer})
    return lambda heard: said if heard.type == kind else Answer()


def creation(stage: Stage) -> None:
    stage.ask("POST", "/files/", upload_length="5")


def test_a_refused_creation_is_answered_the_same(tmp_path: Path) -> None:
    stages, heard = on_both(
        tmp_path,
        refusing("pre-create", "RejectUpload"),
        creation,
    )

    assert stages[0].answers == stages[1].answers == [(422, b"No.", "1")]
    assert ["pre-create"] == heard[0].types == heard[1].types


def test_a_refused_termination_is_answered_the_same(tmp_path: Path) -> None:
    def play(stage: Stage) -> None:
        path = stage.create(upload_length="5")
        stage.ask("DELETE", path)
        stage.append(path, b"hello")

    stages, _ = on_both(tmp_path, refusing("pre-terminate", "RejectTermination"), play)

    assert stages[0].answers == stages[1].answers
    assert (422, b"No.", "1") == stages[1].answers[1]


def test_changes_to_a_new_upload_are_made_the_same(tmp_path: Path) -> None:
    change = {"ID": "prefix-1", "MetaData": {"filename": "b"}, "Storage": {"Path": "./folder-b"}}

    def say(heard: Heard) -> Answer:
        return saying({"ChangeFileInfo": change}) if heard.type == "pre-create" else Answer()

    paths: list[str] = []
    shown: list[str] = []

    def play(stage: Stage) -> None:
        paths.append(stage.create(upload_length="5", upload_metadata=METADATA))
        stage.append(paths[-1], b"hello")
        shown.append(stage.ask("HEAD", paths[-1]).headers["upload-metadata"])
        stage.hooks.wait_for(lambda: stage.hooks.of("post-finish"))

    _, heard = on_both(tmp_path, say, play)

    assert ["/files/prefix-1"] * 2 == paths
    assert ["filename Yg=="] * 2 == shown
    for hooks in heard:
        (finished,) = hooks.of("post-finish")
        assert {"filename": "b"} == finished.upload["MetaData"]
        assert "folder-b" == Path(finished.upload["Storage"]["Path"]).name
        assert b"hello" == Path(finished.upload["Storage"]["Path"]).read_bytes()


def test_what_hooks_add_to_an_answer_is_sent_the_same(tmp_path: Path) -> None:
    response = {"StatusCode": 200, "Body": "done", "Header": {"X-Own": "1"}}
    blocking = ("pre-create", "pre-finish", "pre-terminate")

    def say(heard: Heard) -> Answer:
        return saying({"HTTPResponse": response}) if heard.type in blocking else Answer()

    def play(stage: Stage) -> None:
        path = stage.create(upload_length="5")
        stage.append(path, b"hello")
        stage.ask("DELETE", path)

    stages, _ = on_both(tmp_path, say, play)

    assert stages[0].answers == stages[1].answers == [(200, b"done", "1")] * 3


def test_a_transfer_is_stopped_the_same(tmp_path: Path) -> None:
    def play(stage: Stage) -> None:
        path = stage.create(upload_length="1000000")
        with Wire(stage.port) as wire:
            wire.send(patch_head(path, 1_000_000), b"x" * 1000)
            stage.note(wire.response())
        stage.hooks.wait_for(lambda: stage.hooks.of("post-terminate"))
        stage.ask("PATCH", path, upload_offset="0", content_type=OFFSET_TYPE)

    stages, _ = on_both(tmp_path, refusing("post-receive", "StopUpload"), play)

    assert (422, b"No.", "1") == stages[0].answers[1] == stages[1].answers[1]
    assert [404] * 2 == [stage.answers[2][0] for stage in stages]


def test_a_failing_hook_is_tried_as_often_and_is_a_server_error(tmp_path: Path) -> None:
    stages, heard = on_both(
        tmp_path,
        lambda _: Answer(status=500),
        creation,
    )

    # Ours says when to come back.
    assert [500, 503] == [stage.answers[0][0] for stage in stages]
    assert [3, 3] == [len(hooks.heard) for hooks in heard]
