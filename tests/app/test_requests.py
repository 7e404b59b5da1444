"""What every request leaves behind: a problem if it failed, and a line in the log."""

import json
import logging

import pytest

from tests.spec.served import Serve, Served, upload_id
from tests.support.asgi import DISCONNECT, Response
from tusd_py import Reject, Request, TusApp, Upload

LOGGER = "tusd_py.requests"


def problem(response: Response) -> dict[str, object]:
    found = json.loads(response.body)
    assert isinstance(found, dict)
    return found


async def test_an_error_is_a_problem_document(tus: Served) -> None:
    response = await tus.patch(await tus.new(b"he", length=5), 3, b"lo")

    assert "application/problem+json" == response.header("Content-Type")
    assert str(len(response.body)) == response.header("Content-Length")
    assert {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "detail": "The upload's offset is 2, not 3.",
        "code": "offset-mismatch",
    } == problem(response)


async def test_statuses_without_a_phrase_have_a_title(serve: Serve) -> None:
    def setup(server: TusApp) -> None:
        @server.on_access
        async def refuse(_: Request) -> None:
            raise Reject(599)

    tus = await serve(setup=setup)

    found = problem(await tus.create(length=1))

    assert ("Error", 599) == (found["title"], found["status"])
    assert found["detail"]


async def test_an_unexpected_error_tells_nothing_of_itself(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    tus = await serve()

    def explode(_: Upload) -> str:
        raise RuntimeError("/secret/path")

    tus.server._storage.place = explode  # type: ignore[assignment, method-assign]

    response = await tus.create(length=1)

    assert (500, "internal-error") == (response.status, problem(response)["code"])
    assert b"secret" not in response.body
    assert "1.0.0" == response.header("Tus-Resumable")
    assert "/secret/path" in caplog.text


async def test_an_applications_failure_is_logged_with_its_trace(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    def setup(server: TusApp) -> None:
        @server.on_access
        async def fail(_: Request) -> None:
            raise RuntimeError("the reason")

    tus = await serve(setup=setup)
    await tus.create(length=1)

    assert "the reason" in caplog.text
    assert "Traceback" in caplog.text


async def test_each_request_has_one_line_with_its_facts(
    tus: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    url = await tus.new(length=5)
    await tus.patch(url, 0, b"he")
    await tus.patch(url, 0, b"he")
    await tus.patch(url, 2, b"l", DISCONNECT)
    await tus.options()

    lines = [record.__dict__ for record in caplog.records if record.name == LOGGER]
    assert ["request"] * 5 == [line["msg"] for line in lines]
    assert [201, 204, 409, 499, 200] == [line["status"] for line in lines]
    assert ["POST", "PATCH", "PATCH", "PATCH", "OPTIONS"] == [line["method"] for line in lines]
    assert "/files/" == lines[0]["path"]
    assert f"/files/{upload_id(url)}" == lines[1]["path"]
    assert [0, 2] == [line["offset"] for line in lines[:2]]
    assert ["offset-mismatch", "transfer-stopped"] == [line["code"] for line in lines[2:4]]
    assert {"192.0.2.1"} == {line["client"] for line in lines}
    assert all(line["seconds"] >= 0 for line in lines)


async def test_the_log_names_the_effective_method(
    tus: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)

    await tus.request("POST", "/files/x", [("X-HTTP-Method-Override", "DELETE")])

    (line,) = [record.__dict__ for record in caplog.records if record.name == LOGGER]
    assert ("DELETE", 412) == (line["method"], line["status"])


async def test_refusals_are_no_errors_in_the_log(
    tus: Served, caplog: pytest.LogCaptureFixture
) -> None:
    await tus.head("/files/x")
    await tus.create(length=-1)
    await tus.patch(await tus.new(length=5), 0, b"he", DISCONNECT)

    assert [] == [record for record in caplog.records if record.levelno >= logging.WARNING]
