"""POST: new uploads, empty or with their first bytes."""

from base64 import b64encode
from collections.abc import Callable

import pytest

from tests.support.asgi import CHUNKED, DISCONNECT, OFFSET_TYPE, VERSION, Header
from tusd_py import Config
from tusd_py.testing.composing import ComposingStorage

from .served import Serve, Served

NOT_INTEGERS = [
    "",
    "five",
    "+5",
    "-1",
    "-0",
    "1_000",
    "5.0",
    "5e3",
    "0x10",
    "5 6",
    "5,5",
    "1" * 20,
    str(2**63),
    "\N{SUPERSCRIPT TWO}",
]


async def created(tus: Served, *headers: Header) -> int | None:
    return (await tus.request("POST", tus.base, [VERSION, *headers])).status


@pytest.mark.clause("creation.created", "creation.location")
async def test_an_upload_is_created(tus: Served) -> None:
    response = await tus.create(length=100)

    assert 201 == response.status
    assert "1.0.0" == response.header("Tus-Resumable")
    assert 200 == (await tus.head(response.location)).status


@pytest.mark.clause("creation.location-form")
async def test_the_location_is_absolute(tus: Served) -> None:
    assert (await tus.create(length=1)).location.startswith("http://tus.example/files/")


@pytest.mark.clause("creation.location-form")
async def test_the_location_can_be_a_path(serve: Serve) -> None:
    tus = await serve(Config(relative_location=True))

    assert (await tus.create(length=1)).location.startswith("/files/")


@pytest.mark.clause("creation.collection")
@pytest.mark.parametrize("path", ["/files", "/files/", "/files?a=b", "/files/?a=b"])
async def test_the_creation_url_needs_no_slash(tus: Served, path: str) -> None:
    response = await tus.request("POST", path, [VERSION, ("Upload-Length", "1")])

    assert 201 == response.status
    assert response.location.startswith("http://tus.example/files/")
    assert "?" not in response.location


@pytest.mark.clause("creation-with-upload.offset")
@pytest.mark.parametrize("length", [100, 0, None])
async def test_the_answer_has_the_offset_also_without_a_body(
    tus: Served, length: int | None
) -> None:
    assert "0" == (await tus.create(length=length)).header("Upload-Offset")


async def test_ids_are_new_each_time(tus: Served) -> None:
    assert await tus.new(length=1) != await tus.new(length=1)


@pytest.mark.clause("creation.bodiless")
@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Content-Length", "0")],
        [("Content-Type", "application/octet-stream"), ("Content-Length", "0")],
        [("Content-Type", "text/plain")],
        [("Content-Type", "text/plain"), CHUNKED],
        [OFFSET_TYPE, ("Content-Length", "0")],
        [OFFSET_TYPE, CHUNKED],
        [CHUNKED],
    ],
)
async def test_a_creation_without_bytes_may_say_so_in_many_ways(
    tus: Served, headers: list[Header]
) -> None:
    response = await tus.request("POST", tus.base, [VERSION, ("Upload-Length", "5"), *headers])

    assert (201, 0) == (response.status, response.offset)


@pytest.mark.clause("core.length-integer")
@pytest.mark.parametrize("length", NOT_INTEGERS)
async def test_a_length_that_is_no_integer_is_refused(tus: Served, length: str) -> None:
    response = await tus.request("POST", tus.base, [VERSION, ("Upload-Length", length)])

    assert 400 == response.status
    assert [] == response.all("Location")


@pytest.mark.clause("core.length-integer")
async def test_digits_of_other_scripts_are_none(tus: Served) -> None:
    # As a server hands over the UTF-8 of an Arabic three.
    digit = "\N{ARABIC-INDIC DIGIT THREE}".encode().decode("latin-1")

    assert 400 == await created(tus, ("Upload-Length", digit))


@pytest.mark.clause("core.length-integer")
@pytest.mark.parametrize("length", [" 5", "5 ", "\t5\t", "0005"])
async def test_space_around_a_length_and_zeros_in_front_do_no_harm(
    tus: Served, length: str
) -> None:
    response = await tus.request("POST", tus.base, [VERSION, ("Upload-Length", length)])

    assert "5" == (await tus.head(response.location)).header("Upload-Length")


@pytest.mark.clause("core.repeated-header")
async def test_a_length_that_is_sent_twice_is_refused(tus: Served) -> None:
    assert 400 == await created(tus, ("Upload-Length", "5"), ("Upload-Length", "6"))
    assert 400 == await created(tus, ("Upload-Length", "5"), ("upload-length", "5"))


async def test_lengths_of_63_bits_are_taken(serve: Serve) -> None:
    tus = await serve(storage=with_free(None))

    response = await tus.create(length=2**63 - 1)

    assert 201 == response.status
    assert str(2**63 - 1) == (await tus.head(response.location)).header("Upload-Length")


def with_free(free: int | None) -> Callable[[ComposingStorage], ComposingStorage]:
    """A storage with so much room left."""

    def change(storage: ComposingStorage) -> ComposingStorage:
        async def tell() -> int | None:
            return free

        storage.free = tell  # type: ignore[method-assign]
        return storage

    return change


@pytest.mark.clause("creation.length-or-deferred")
async def test_a_length_is_needed_or_its_deferral(tus: Served) -> None:
    assert 400 == await created(tus)


@pytest.mark.clause("creation.length-or-deferred")
async def test_both_are_too_much(tus: Served) -> None:
    assert 400 == await created(tus, ("Upload-Length", "5"), ("Upload-Defer-Length", "1"))


@pytest.mark.clause("creation.defer-value")
@pytest.mark.parametrize("value", ["0", "2", "true", "01", "", "1,1"])
async def test_deferral_is_a_1_and_nothing_else(tus: Served, value: str) -> None:
    assert 400 == await created(tus, ("Upload-Defer-Length", value))


@pytest.mark.clause("creation.max-size")
async def test_the_limit_is_the_last_length_that_is_taken(serve: Serve) -> None:
    tus = await serve(Config(max_size=10))

    assert 201 == (await tus.create(length=10)).status
    refused = await tus.create(length=11)
    assert 413 == refused.status
    assert [] == refused.all("Location")


@pytest.mark.clause("creation.empty")
@pytest.mark.parametrize("headers", [[], [OFFSET_TYPE, CHUNKED]])
async def test_an_upload_of_nothing_is_finished_at_once(tus: Served, headers: list[Header]) -> None:
    response = await tus.request("POST", tus.base, [VERSION, ("Upload-Length", "0"), *headers])

    assert 201 == response.status
    found = await tus.head(response.location)
    assert ("0", "0") == (found.header("Upload-Offset"), found.header("Upload-Length"))
    assert b"" == (await tus.get(response.location)).body
    assert 200 == (await tus.get(response.location)).status


async def test_without_room_for_it_the_answer_is_507(serve: Serve) -> None:
    tus = await serve(storage=with_free(99))

    assert 201 == (await tus.create(length=99)).status
    assert 507 == (await tus.create(length=100)).status


@pytest.mark.clause("creation.metadata-pairs", "head.metadata")
@pytest.mark.parametrize(
    "metadata",
    [
        "filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential",
        "filename d29ybGQ=,empty ",
        "a ,b w7w=",
        "a YQ==, b Yg==",
        "f /w==",
        "only",
    ],
)
async def test_metadata_comes_back_as_it_was_sent(tus: Served, metadata: str) -> None:
    url = await tus.new(length=5, headers=[("Upload-Metadata", metadata)])

    assert metadata.strip() == (await tus.head(url)).header("Upload-Metadata")


@pytest.mark.clause("creation.metadata-empty")
@pytest.mark.parametrize("metadata", ["key", "key ", "a,b", "a ,b ", "a YQ==,b"])
async def test_a_value_may_be_empty_with_and_without_its_space(tus: Served, metadata: str) -> None:
    assert 201 == await created(tus, ("Upload-Length", "5"), ("Upload-Metadata", metadata))


@pytest.mark.parametrize("metadata", ["", " "])
async def test_metadata_of_nothing_is_no_metadata(tus: Served, metadata: str) -> None:
    url = await tus.new(length=5, headers=[("Upload-Metadata", metadata)])

    assert [] == (await tus.head(url)).all("Upload-Metadata")


async def test_metadata_in_several_lines_is_one_list(tus: Served) -> None:
    lines = [("Upload-Metadata", "a YQ=="), ("Upload-Metadata", "b Yg==")]
    url = await tus.new(length=5, headers=lines)

    assert "a YQ==,b Yg==" == (await tus.head(url)).header("Upload-Metadata")


@pytest.mark.clause("creation.metadata-unique")
async def test_a_key_comes_once(tus: Served) -> None:
    for metadata in ("a YQ==,a Yg==", "a YQ==,b,a YQ=="):
        assert 400 == await created(tus, ("Upload-Length", "5"), ("Upload-Metadata", metadata))
    lines = [("Upload-Metadata", "a YQ=="), ("Upload-Metadata", "a Yg==")]
    assert 400 == await created(tus, ("Upload-Length", "5"), *lines)


@pytest.mark.clause("creation.metadata-key", "creation.metadata-pairs")
@pytest.mark.parametrize("metadata", [",", "a,", ",a", "a YQ==,,b", "a YQ==,  YQ=="])
async def test_a_key_is_not_empty(tus: Served, metadata: str) -> None:
    assert 400 == await created(tus, ("Upload-Length", "5"), ("Upload-Metadata", metadata))


@pytest.mark.clause("creation.metadata-separator", "creation.metadata-key")
@pytest.mark.parametrize("metadata", ["a  YQ==", "a YQ== YQ==", "a b YQ==", "a\tYQ=="])
async def test_one_space_separates_key_and_value(tus: Served, metadata: str) -> None:
    assert 400 == await created(tus, ("Upload-Length", "5"), ("Upload-Metadata", metadata))


@pytest.mark.clause("creation.metadata-ascii", "creation.metadata-sanitised")
@pytest.mark.parametrize("metadata", ["\xfc YQ==", "a\x00 YQ==", "a\x1b YQ==", "a YQ==\x7f"])
async def test_metadata_is_printable_ascii(tus: Served, metadata: str) -> None:
    assert 400 == await created(tus, ("Upload-Length", "5"), ("Upload-Metadata", metadata))


@pytest.mark.clause("creation.metadata-base64")
@pytest.mark.parametrize("value", ["YQ", "YQ=", "Y*==", "-_-_", "YQ==YQ==", "====", "Y"])
async def test_a_value_is_padded_base64_of_the_standard_alphabet(tus: Served, value: str) -> None:
    assert 400 == await created(tus, ("Upload-Length", "5"), ("Upload-Metadata", f"a {value}"))


@pytest.mark.clause("creation.metadata-sanitised")
async def test_a_decoded_value_cannot_smuggle_a_header(tus: Served) -> None:
    pairs = {
        "filename": b'a"\r\nX-Evil: 1\r\n\xff.txt',
        "filetype": b"text/html\r\nX-Evil: 1",
    }
    metadata = ",".join(f"{key} {b64encode(value).decode()}" for key, value in pairs.items())
    url = await tus.new(length=0, headers=[("Upload-Metadata", metadata)])

    response = await tus.get(url)

    assert [] == response.all("X-Evil")
    assert "application/octet-stream" == response.header("Content-Type")


@pytest.mark.clause("creation-with-upload.accepts", "creation-with-upload.offset")
@pytest.mark.parametrize("chunked", [False, True])
async def test_the_first_bytes_may_come_along(tus: Served, *, chunked: bool) -> None:
    response = await tus.create(b"hel", b"lo", length=100, chunked=chunked)

    assert (201, 5) == (response.status, response.offset)
    assert 5 == (await tus.head(response.location)).offset
    assert b"hello" == await tus.stored(response.location)


@pytest.mark.clause("creation-with-upload.accepts")
async def test_all_bytes_may_come_along(tus: Served) -> None:
    response = await tus.create(b"hello", length=5)

    assert (201, 5) == (response.status, response.offset)
    assert b"hello" == (await tus.get(response.location)).body


@pytest.mark.clause("creation-with-upload.accepts")
async def test_first_bytes_may_come_before_the_length_is_known(tus: Served) -> None:
    response = await tus.create(b"hello", chunked=True)

    assert (201, 5) == (response.status, response.offset)
    assert "1" == (await tus.head(response.location)).header("Upload-Defer-Length")


@pytest.mark.clause("creation-with-upload.content-type")
@pytest.mark.parametrize("framing", [CHUNKED, ("Content-Length", "5")])
@pytest.mark.parametrize("typed", [[], [("Content-Type", "application/octet-stream")]])
async def test_first_bytes_of_another_type_are_refused(
    tus: Served, framing: Header, typed: list[Header]
) -> None:
    headers = [VERSION, ("Upload-Length", "5"), framing, *typed]

    response = await tus.request("POST", tus.base, headers, b"hello")

    assert 415 == response.status
    assert [] == [*await tus.server.uploads.list()]


@pytest.mark.clause("creation-with-upload.length", "patch.exceeds-length")
async def test_announced_bytes_past_the_length_are_refused_unread(tus: Served) -> None:
    response = await tus.create(b"hello!", length=5)

    assert (413, 0) == (response.status, response.reads)
    assert [] == [*await tus.server.uploads.list()]


@pytest.mark.clause("creation-with-upload.length")
async def test_chunked_bytes_past_the_length_leave_no_upload(tus: Served) -> None:
    response = await tus.create(b"hel", b"lo!", length=5, chunked=True)

    assert 413 == response.status
    assert [] == response.all("Location")
    assert [] == [*await tus.server.uploads.list()]


@pytest.mark.clause("creation-with-upload.length", "creation.max-size")
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_deferred_length_does_not_get_around_the_limit(
    serve: Serve, *, chunked: bool
) -> None:
    tus = await serve(Config(max_size=5))

    assert 413 == (await tus.create(b"hello!", chunked=chunked)).status
    assert 201 == (await tus.create(b"hello", chunked=chunked)).status


@pytest.mark.clause("creation-with-upload.accepts")
async def test_first_bytes_that_are_cut_are_kept(tus: Served) -> None:
    response = await tus.create(b"hel", DISCONNECT, length=5)

    assert response.status is None
    (upload,) = await tus.server.uploads.list()
    assert 3 == upload.offset
    assert upload.expires_at is not None


async def test_errors_have_neither_location_nor_offset(tus: Served) -> None:
    response = await tus.create(length=-1)

    assert 400 == response.status
    assert [] == response.all("Location")
    assert [] == response.all("Upload-Offset")
