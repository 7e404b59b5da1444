"""OPTIONS: what the server can do."""

import pytest

from tests.support.asgi import VERSION
from tusd_py import Config

from .served import Serve, Served


def listed(value: str | None) -> list[str]:
    assert value is not None
    return value.split(",")


@pytest.mark.clause("core.options-version", "core.tus-version", "core.tus-version-order")
async def test_it_tells_the_version(tus: Served) -> None:
    response = await tus.options()

    assert 200 == response.status
    assert "1.0.0" == response.header("Tus-Version")
    assert b"" == response.body


@pytest.mark.clause("core.options-capabilities", "core.extension-list", "core.feature-detection")
async def test_it_tells_the_extensions_without_spaces(tus: Served) -> None:
    response = await tus.options()

    assert [
        "creation",
        "creation-with-upload",
        "creation-defer-length",
        "expiration",
        "checksum",
        "termination",
        "concatenation",
        "concatenation-unfinished",
    ] == listed(response.header("Tus-Extension"))


@pytest.mark.clause(
    "creation.offered",
    "creation.advertised",
    "creation.defer-advertised",
    "creation-with-upload.advertised",
    "creation-with-upload.needs-creation",
    "core.extension-omitted",
)
async def test_what_cannot_be_switched_off_is_always_there(serve: Serve) -> None:
    tus = await serve(
        Config(expire_after=None, disable_termination=True, disable_concatenation=True)
    )

    response = await tus.options()

    assert ["creation", "creation-with-upload", "creation-defer-length", "checksum"] == listed(
        response.header("Tus-Extension")
    )


@pytest.mark.clause("core.max-size-known", "core.max-size-integer")
async def test_a_limit_is_told(serve: Serve) -> None:
    tus = await serve(Config(max_size=5_000_000_000))

    assert "5000000000" == (await tus.options()).header("Tus-Max-Size")


async def test_no_limit_is_told_by_silence(tus: Served) -> None:
    assert [] == (await tus.options()).all("Tus-Max-Size")


@pytest.mark.clause("core.options-ignores-version")
@pytest.mark.parametrize("version", ["1.0.0", "0.2.2", "nonsense", ""])
async def test_the_version_of_the_request_is_ignored(tus: Served, version: str) -> None:
    response = await tus.options([("Tus-Resumable", version)])

    assert 200 == response.status
    assert "1.0.0" == response.header("Tus-Version")


@pytest.mark.clause("core.every-response")
async def test_it_is_the_one_answer_without_tus_resumable(tus: Served) -> None:
    assert [] == (await tus.options()).all("Tus-Resumable")


@pytest.mark.parametrize("path", ["/files", "/files/", "/files/some-upload"])
async def test_every_path_answers(tus: Served, path: str) -> None:
    response = await tus.request("OPTIONS", path)

    assert (200, "1.0.0") == (response.status, response.header("Tus-Version"))


async def test_it_needs_no_identity(serve: Serve) -> None:
    async def nobody(_: object) -> None:
        return None

    tus = await serve(auth=nobody)

    assert 200 == (await tus.options()).status
    assert 401 == (await tus.create(length=1)).status


@pytest.mark.clause("core.implemented")
async def test_what_is_discovered_works(tus: Served) -> None:
    extensions = listed((await tus.options([VERSION])).header("Tus-Extension"))
    url = await tus.new(length=3)

    assert "creation" in extensions
    assert 204 == (await tus.patch(url, 0, b"abc")).status
    assert 3 == (await tus.head(url)).offset
