"""Upload-Checksum: bodies that are verified."""

import asyncio
import hashlib
from base64 import b64encode

import google_crc32c
import pytest

from tests.support.asgi import DISCONNECT, Header
from tusd_py.protocol.checksum import Hash
from tusd_py.testing.script import Stall

from .served import Served

DATA = b"hello world"


def _crc32c() -> Hash:
    hashed: Hash = google_crc32c.Checksum()  # type: ignore[no-untyped-call]
    return hashed


def checksum(data: bytes, algorithm: str = "sha1") -> Header:
    hashed: Hash = _crc32c() if algorithm == "crc32c" else hashlib.new(algorithm)
    hashed.update(data)
    return "Upload-Checksum", f"{algorithm} {b64encode(hashed.digest()).decode()}"


@pytest.mark.clause("checksum.advertised", "checksum.algorithms", "checksum.algorithm-list")
async def test_it_is_advertised_with_its_algorithms(tus: Served) -> None:
    response = await tus.options()

    assert "checksum" in (response.header("Tus-Extension") or "").split(",")
    assert "sha1,sha256,sha512,md5,crc32c" == response.header("Tus-Checksum-Algorithm")


@pytest.mark.clause("checksum.names", "checksum.sha1")
async def test_names_are_ascii_in_lower_case(tus: Served) -> None:
    names = (await tus.options()).header("Tus-Checksum-Algorithm") or ""

    assert "sha1" in names.split(",")
    assert names.isascii()
    assert names == names.lower()


@pytest.mark.clause("checksum.match", "checksum.sha1", "checksum.verified")
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512", "md5", "crc32c"])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_with_this_checksum_is_taken(
    tus: Served, algorithm: str, *, chunked: bool
) -> None:
    url = await tus.new(length=11)

    response = await tus.patch(
        url, 0, DATA[:4], DATA[4:], headers=[checksum(DATA, algorithm)], chunked=chunked
    )

    assert (204, 11) == (response.status, response.offset)
    assert DATA == (await tus.get(url)).body


@pytest.mark.clause("checksum.match")
async def test_the_checksum_is_that_of_the_body_and_not_of_the_upload(tus: Served) -> None:
    url = await tus.new(b"hello", length=11)

    response = await tus.patch(url, 5, b" world", headers=[checksum(b" world")])

    assert 204 == response.status


@pytest.mark.clause("checksum.mismatch", "checksum.discarded", "checksum.verified")
@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512", "md5", "crc32c"])
async def test_a_body_with_another_checksum_is_discarded(tus: Served, algorithm: str) -> None:
    url = await tus.new(b"hello", length=11)

    response = await tus.patch(url, 5, b" w0rld", headers=[checksum(b" world", algorithm)])

    assert 460 == response.status
    assert [] == response.all("Upload-Offset")
    assert 5 == (await tus.head(url)).offset
    assert b"hello" == await tus.stored(url)
    assert 204 == (await tus.patch(url, 5, b" world", headers=[checksum(b" world")])).status
    assert DATA == (await tus.get(url)).body


@pytest.mark.clause("checksum.discarded")
async def test_a_mismatch_at_the_end_does_not_finish_the_upload(tus: Served) -> None:
    url = await tus.new(length=11)
    await tus.patch(url, 0, DATA, headers=[checksum(b"other")])

    assert 404 == (await tus.get(url)).status
    assert 0 == (await tus.head(url)).offset


@pytest.mark.clause("checksum.discarded")
async def test_a_mismatch_declares_no_length(tus: Served) -> None:
    url = await tus.new()
    await tus.patch(url, 0, DATA, headers=[checksum(b"other"), ("Upload-Length", "11")])

    assert "1" == (await tus.head(url)).header("Upload-Defer-Length")


@pytest.mark.clause("checksum.mismatch")
async def test_a_digest_of_the_wrong_size_is_a_mismatch(tus: Served) -> None:
    url = await tus.new(length=11)

    assert 460 == (await tus.patch(url, 0, DATA, headers=[("Upload-Checksum", "sha1 YQ==")])).status


@pytest.mark.clause("checksum.unknown", "checksum.discarded")
@pytest.mark.parametrize("algorithm", ["crc32", "SHA1", "sha-1", "nonsense"])
async def test_an_unknown_algorithm_is_refused_unread(tus: Served, algorithm: str) -> None:
    url = await tus.new(length=11)

    response = await tus.patch(url, 0, DATA, headers=[("Upload-Checksum", f"{algorithm} YQ==")])

    assert (400, 0) == (response.status, response.reads)
    assert 0 == (await tus.head(url)).offset


@pytest.mark.clause("checksum.header")
@pytest.mark.parametrize(
    "value",
    ["", "sha1", "sha1 ", "sha1  YQ==", "sha1 Y", "sha1 Y*==", "sha1,YQ==", "sha1 YQ== x", " YQ=="],
)
async def test_another_form_is_refused_unread(tus: Served, value: str) -> None:
    url = await tus.new(length=11)

    response = await tus.patch(url, 0, DATA, headers=[("Upload-Checksum", value)])

    assert (400, 0) == (response.status, response.reads)
    assert 0 == (await tus.head(url)).offset


@pytest.mark.clause("checksum.header")
async def test_two_checksums_are_one_too_many(tus: Served) -> None:
    url = await tus.new(length=11)
    headers = [checksum(DATA), checksum(DATA, "md5")]

    assert 400 == (await tus.patch(url, 0, DATA, headers=headers)).status


@pytest.mark.clause("checksum.cut", "checksum.discarded")
async def test_what_is_cut_cannot_be_verified_and_is_discarded(tus: Served) -> None:
    url = await tus.new(b"hello", length=11)

    await tus.patch(url, 5, b" wor", DISCONNECT, headers=[checksum(b" world")])

    assert 5 == (await tus.head(url)).offset
    assert b"hello" == await tus.stored(url)


@pytest.mark.clause("checksum.cut")
async def test_what_is_taken_over_is_discarded_likewise(tus: Served) -> None:
    url, stall = await tus.new(length=11), Stall()
    transfer = asyncio.create_task(tus.patch(url, 0, DATA[:5], stall, headers=[checksum(DATA)]))
    await stall.reached.wait()

    assert 0 == (await tus.head(url)).offset
    assert 423 == (await transfer).status


@pytest.mark.clause("patch.exceeds-length", "checksum.discarded")
async def test_a_body_past_the_length_is_discarded_whatever_its_checksum(tus: Served) -> None:
    url = await tus.new(length=5)

    response = await tus.patch(url, 0, DATA, headers=[checksum(DATA)], chunked=True)

    assert 413 == response.status
    assert 0 == (await tus.head(url)).offset


@pytest.mark.clause("checksum.verified", "checksum.match")
@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("length", [0, 5])
async def test_no_bytes_have_a_checksum_too(tus: Served, length: int, *, chunked: bool) -> None:
    url = await tus.new(length=length)

    good = await tus.patch(url, 0, headers=[checksum(b"")], chunked=chunked)
    bad = await tus.patch(url, 0, headers=[checksum(b"x")], chunked=chunked)

    assert (204, 460) == (good.status, bad.status)


@pytest.mark.clause("checksum.verified", "checksum.match")
async def test_first_bytes_are_verified(tus: Served) -> None:
    response = await tus.create(DATA, length=11, headers=[checksum(DATA)])

    assert (201, 11) == (response.status, response.offset)


@pytest.mark.clause("checksum.mismatch", "checksum.discarded")
async def test_first_bytes_with_another_checksum_leave_no_upload(tus: Served) -> None:
    response = await tus.create(DATA, length=11, headers=[checksum(b"other")])

    assert 460 == response.status
    assert [] == response.all("Location")
    assert [] == [*await tus.server.uploads.list()]


@pytest.mark.clause("checksum.unknown")
async def test_first_bytes_with_an_unknown_algorithm_leave_no_upload(tus: Served) -> None:
    response = await tus.create(DATA, length=11, headers=[("Upload-Checksum", "crc32 YQ==")])

    assert (400, 0) == (response.status, response.reads)
    assert [] == [*await tus.server.uploads.list()]
