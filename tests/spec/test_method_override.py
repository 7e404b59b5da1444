"""X-HTTP-Method-Override: the method that counts."""

import pytest

from tests.support.asgi import CHUNKED, OFFSET_TYPE, VERSION, Header

from .served import Served


def override(method: str) -> Header:
    return "X-HTTP-Method-Override", method


@pytest.mark.clause("core.method-override", "core.method-override-ignores-actual")
@pytest.mark.parametrize("actual", ["POST", "GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
@pytest.mark.parametrize("name", ["PATCH", "patch"])
async def test_bytes_are_appended_whatever_the_actual_method(
    tus: Served, actual: str, name: str
) -> None:
    url = await tus.new(length=5)
    headers = [VERSION, OFFSET_TYPE, CHUNKED, ("Upload-Offset", "0"), override(name)]

    response = await tus.request(actual, url, headers, b"hello")

    assert (204, 5) == (response.status, response.offset)
    assert "1.0.0" == response.header("Tus-Resumable")
    assert b"hello" == (await tus.get(url)).body


@pytest.mark.clause("core.method-override", "core.method-override-ignores-actual")
@pytest.mark.parametrize("actual", ["POST", "GET", "PATCH"])
async def test_an_upload_is_terminated_by_any_method(tus: Served, actual: str) -> None:
    url = await tus.new(length=5)

    assert 204 == (await tus.request(actual, url, [VERSION, override("DELETE")])).status
    assert 404 == (await tus.head(url)).status


@pytest.mark.clause("core.method-override", "core.method-override-ignores-actual")
@pytest.mark.parametrize("actual", ["POST", "PATCH", "DELETE"])
async def test_an_upload_is_inspected_by_any_method(tus: Served, actual: str) -> None:
    url = await tus.new(b"he", length=5)

    response = await tus.request(actual, url, [VERSION, override("HEAD")])

    assert (200, 2, b"") == (response.status, response.offset, response.body)
    assert 2 == (await tus.head(url)).offset


@pytest.mark.clause("core.method-override")
async def test_an_upload_is_created_by_any_method(tus: Served) -> None:
    headers = [VERSION, ("Upload-Length", "5"), override("POST")]

    assert 201 == (await tus.request("PUT", tus.base, headers)).status


@pytest.mark.clause("core.method-override", "core.every-response")
async def test_an_overridden_options_is_one(tus: Served) -> None:
    response = await tus.request("POST", tus.base, [override("OPTIONS")])

    assert (200, "1.0.0") == (response.status, response.header("Tus-Version"))
    assert [] == response.all("Tus-Resumable")


@pytest.mark.clause("core.method-override-ignores-actual", "core.version-412")
async def test_an_options_that_is_overridden_needs_a_version(tus: Served) -> None:
    url = await tus.new(length=5)

    response = await tus.request("OPTIONS", url, [override("DELETE")])

    assert (412, "1.0.0") == (response.status, response.header("Tus-Resumable"))
    assert 200 == (await tus.head(url)).status


@pytest.mark.clause("core.method-override")
@pytest.mark.parametrize("method", ["", "PUT", "TRACE", "PATCH,PATCH", "PATCH DELETE", "nonsense"])
@pytest.mark.parametrize("actual", ["POST", "HEAD", "OPTIONS"])
async def test_what_is_no_method_of_the_protocol_is_not_allowed(
    tus: Served, method: str, actual: str
) -> None:
    url = await tus.new(length=5)

    response = await tus.request(actual, url, [VERSION, override(method)])

    assert 405 == response.status
    assert "OPTIONS, HEAD, GET, POST, PATCH, DELETE" == response.header("Allow")


@pytest.mark.clause("patch.order")
async def test_what_comes_after_judges_the_effective_method(tus: Served) -> None:
    url = await tus.new(length=5)

    assert 405 == (await tus.request("PATCH", url, [VERSION, override("POST")])).status
    assert 415 == (await tus.request("POST", url, [VERSION, override("PATCH")])).status
    assert 404 == (await tus.request("POST", "/files/x", [VERSION, override("HEAD")])).status
