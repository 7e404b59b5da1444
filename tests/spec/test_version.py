"""Tus-Resumable: in requests and in all responses."""

import pytest

from tests.support.asgi import OFFSET_TYPE, VERSION, Header
from tusd_py import Config, Cors, Reject, TusApp

from .served import Serve, Served

OTHERS = ["0.2.2", "1.0.1", "1.0", "1", "2.0.0", "1.0.0 ", "v1.0.0", "", "1.0.0,1.0.0", "*"]


@pytest.mark.clause("core.version-412")
@pytest.mark.parametrize("version", [other for other in OTHERS if other.strip() != "1.0.0"])
@pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
async def test_another_version_is_refused_with_the_right_one(
    tus: Served, method: str, version: str
) -> None:
    url = await tus.new(length=5)

    response = await tus.request(method, url, [("Tus-Resumable", version)])

    assert 412 == response.status
    assert "1.0.0" == response.header("Tus-Version")
    assert "1.0.0" == response.header("Tus-Resumable")
    assert [] == response.all("Upload-Offset")


@pytest.mark.clause("core.version-412", "core.version-missing")
@pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE"])
async def test_a_missing_version_is_another_one(tus: Served, method: str) -> None:
    response = await tus.request(method, await tus.new(length=5))

    assert (412, "1.0.0") == (response.status, response.header("Tus-Version"))


@pytest.mark.clause("core.version-unprocessed")
@pytest.mark.parametrize("headers", [[], [("Tus-Resumable", "0.2.2")]])
async def test_a_request_of_another_version_changes_nothing(
    tus: Served, headers: list[Header]
) -> None:
    url = await tus.new(length=5)
    append = [*headers, OFFSET_TYPE, ("Upload-Offset", "0"), ("Content-Length", "5")]

    patched = await tus.request("PATCH", url, append, b"hello")
    deleted = await tus.request("DELETE", url, headers)
    created = await tus.request("POST", tus.base, [*headers, ("Upload-Length", "5")])

    assert [412, 412, 412] == [patched.status, deleted.status, created.status]
    assert 0 == patched.reads
    assert 0 == (await tus.head(url)).offset
    assert 1 == len(await tus.server.uploads.list())
    assert [] == created.all("Location")


@pytest.mark.clause("core.version-412")
async def test_the_name_of_the_header_has_no_case(tus: Served) -> None:
    url = await tus.new(length=5)

    assert 200 == (await tus.request("HEAD", url, [("TUS-Resumable", "1.0.0")])).status


@pytest.mark.clause("core.version-missing")
async def test_a_download_needs_no_version(tus: Served) -> None:
    url = await tus.new(b"hello", length=5)

    assert 200 == (await tus.request("GET", url)).status
    assert 200 == (await tus.request("GET", url, [("Tus-Resumable", "0.2.2")])).status


@pytest.mark.clause("core.every-response", "core.resumable-value", "core.errors")
@pytest.mark.parametrize(
    ("status", "method", "path", "headers"),
    [
        (400, "POST", "/files/", [VERSION]),
        (404, "HEAD", "/files/x", [VERSION]),
        (404, "POST", "/files/a/b", [VERSION]),
        (404, "GET", "/files/x", []),
        (405, "PUT", "/files/x", [VERSION]),
        (405, "PATCH", "/files/", [VERSION]),
        (405, "GET", "/files/", []),
        (405, "BREW", "/files/", []),
        (412, "POST", "/files/", []),
        (413, "POST", "/files/", [VERSION, ("Upload-Length", "6")]),
        (415, "PATCH", "/files/x", [VERSION]),
        (418, "DELETE", "/files/reject", [VERSION]),
        (500, "DELETE", "/files/fail", [VERSION]),
        (500, "GET", "/files/fail", []),
    ],
)
async def test_every_error_has_it_and_is_a_problem_that_nobody_caches(
    serve: Serve, status: int, method: str, path: str, headers: list[Header]
) -> None:
    tus = await serve(Config(max_size=5, cors=Cors(origins=("*",))), setup=_failing)

    response = await tus.request(method, path, [*headers, ("Origin", "https://app.example")])

    assert status == response.status
    assert "1.0.0" == response.header("Tus-Resumable")
    assert "no-store" == response.header("Cache-Control")
    assert "application/problem+json" == response.header("Content-Type")
    assert "*" == response.header("Access-Control-Allow-Origin")
    assert [] == [*response.all("Location"), *response.all("Upload-Offset")]


def _failing(server: TusApp) -> None:
    @server.on_access
    async def refuse(request: object) -> None:
        if getattr(request, "path", "") == "/files/reject":
            raise Reject(418, "Not here.")
        if getattr(request, "path", "") == "/files/fail":
            raise RuntimeError("secret")


@pytest.mark.clause("core.every-response")
async def test_every_success_has_it(tus: Served) -> None:
    created = await tus.create(length=5)
    url = created.location
    responses = [
        created,
        await tus.head(url),
        await tus.patch(url, 0, b"hello"),
        await tus.get(url),
        await tus.delete(url),
    ]

    assert [201, 200, 204, 200, 204] == [response.status for response in responses]
    assert ["1.0.0"] * 5 == [response.header("Tus-Resumable") for response in responses]


@pytest.mark.clause("patch.order")
async def test_the_route_comes_before_the_version(tus: Served) -> None:
    assert 404 == (await tus.request("HEAD", "/files/a/b")).status
    assert 405 == (await tus.request("HEAD", "/files/")).status
    assert 412 == (await tus.request("HEAD", "/files/x")).status
