"""Upload-Concat: one upload out of several."""

import pytest

from tests.support.asgi import CHUNKED, HOST, OFFSET_TYPE, VERSION, Header
from tusd_py import Config, Reply, TusApp, Upload

from .served import Serve, Served


@pytest.mark.clause("concatenation.advertised")
async def test_it_is_advertised(tus: Served) -> None:
    assert "concatenation" in ((await tus.options()).header("Tus-Extension") or "").split(",")


@pytest.mark.clause("concatenation.order", "concatenation.final-complete")
async def test_parts_are_joined_in_order(tus: Served) -> None:
    one, two, three = await tus.part(b"one,"), await tus.part(b"two,"), await tus.part(b"three")

    response = await tus.concatenate(two, three, one)

    assert (201, 13) == (response.status, response.offset)
    assert b"two,threeone," == (await tus.get(response.location)).body


@pytest.mark.clause(
    "concatenation.final-length", "concatenation.final-complete", "concatenation.length-known"
)
async def test_the_final_is_as_long_as_its_parts(tus: Served) -> None:
    url = (await tus.concatenate(await tus.part(b"hello"), await tus.part(b" world"))).location

    found = await tus.head(url)

    assert ("11", "11") == (found.header("Upload-Length"), found.header("Upload-Offset"))
    assert [] == found.all("Upload-Defer-Length")


@pytest.mark.clause("concatenation.partial-offset", "concatenation.head-concat")
@pytest.mark.parametrize("data", [b"", b"he", b"hello"])
async def test_a_part_is_inspected_as_other_uploads_are(tus: Served, data: bytes) -> None:
    found = await tus.head(await tus.part(data, length=5))

    assert len(data) == found.offset
    assert "5" == found.header("Upload-Length")
    assert "partial" == found.header("Upload-Concat")


@pytest.mark.clause("concatenation.partial-offset")
async def test_a_part_may_have_its_length_deferred(tus: Served) -> None:
    url = await tus.new(headers=[("Upload-Concat", "partial")])
    await tus.patch(url, 0, b"part", headers=[("Upload-Length", "4")])

    assert b"part" == (await tus.get((await tus.concatenate(url)).location)).body


@pytest.mark.clause("concatenation.head-concat")
async def test_the_list_comes_back_as_it_was_sent(tus: Served) -> None:
    one, two = await tus.part(b"one"), await tus.part(b"two")
    urls = [one, two.removeprefix(f"http://{HOST}")]

    final = await tus.concatenate(*urls)

    found = await tus.head(final.location)
    assert f"final;{urls[0]} {urls[1]}" == found.header("Upload-Concat")


@pytest.mark.clause("concatenation.urls")
async def test_urls_may_be_absolute_or_relative(tus: Served) -> None:
    part = await tus.part(b"x")
    path = part.removeprefix(f"http://{HOST}")
    name = part.rpartition("/")[2]

    final = await tus.concatenate(part, path, name)

    assert b"xxx" == (await tus.get(final.location)).body


async def test_relative_urls_are_relative_to_the_creation_url(tus: Served) -> None:
    name = (await tus.part(b"x")).rpartition("/")[2]
    tus.base = "/files"

    final = await tus.concatenate(f"files/{name}", f"./files/{name}", f"//{HOST}/files/{name}")

    assert 201 == final.status


@pytest.mark.clause("concatenation.urls")
@pytest.mark.parametrize(
    "url",
    [
        "http://elsewhere.example/files/{}",
        "https://tus.example/files/{}",
        "/other/{}",
        "/files/{}/",
        "/files/{}?a=b",
        "/files/{}#a",
        "/files/../files/x",
        "/files/",
        "/",
        "ftp:{}",
    ],
)
async def test_urls_that_lead_elsewhere_are_refused(tus: Served, url: str) -> None:
    name = (await tus.part(b"x")).rpartition("/")[2]

    assert 400 == (await tus.concatenate(url.format(name))).status


@pytest.mark.clause("concatenation.parts-reused")
async def test_a_part_may_be_used_many_times(tus: Served) -> None:
    one, two = await tus.part(b"one,"), await tus.part(b"two,")

    first = await tus.concatenate(one, two, one)
    second = await tus.concatenate(two, one)

    assert b"one,two,one," == (await tus.get(first.location)).body
    assert b"two,one," == (await tus.get(second.location)).body


@pytest.mark.clause("concatenation.parts-removed")
async def test_parts_stay(tus: Served) -> None:
    part = await tus.part(b"part")
    await tus.concatenate(part)

    assert 4 == (await tus.head(part)).offset


@pytest.mark.clause("concatenation.metadata", "head.metadata")
async def test_the_metadata_is_the_finals_own(tus: Served) -> None:
    headers = [("Upload-Concat", "partial"), ("Upload-Metadata", "a YQ==")]
    part = await tus.new(b"part", length=4, headers=headers)
    bare = (await tus.concatenate(part)).location
    own = (await tus.concatenate(part, headers=[("Upload-Metadata", "b Yg==")])).location

    assert [] == (await tus.head(bare)).all("Upload-Metadata")
    assert "b Yg==" == (await tus.head(own)).header("Upload-Metadata")
    assert "a YQ==" == (await tus.head(part)).header("Upload-Metadata")


@pytest.mark.clause("concatenation.patch-final", "concatenation.patch-final-unmodified")
@pytest.mark.parametrize("offset", [0, 4])
@pytest.mark.parametrize("body", [b"", b"more"])
async def test_a_final_takes_no_bytes(tus: Served, offset: int, body: bytes) -> None:
    part = await tus.part(b"part")
    final = (await tus.concatenate(part)).location

    response = await tus.patch(final, offset, body)

    assert (403, 0) == (response.status, response.reads)
    assert [] == response.all("Upload-Offset")
    assert b"part" == (await tus.get(final)).body
    assert 4 == (await tus.head(part)).offset


@pytest.mark.clause("concatenation.final-no-length")
@pytest.mark.parametrize(
    "header", [("Upload-Length", "4"), ("Upload-Length", "0"), ("Upload-Defer-Length", "1")]
)
async def test_a_final_is_created_without_a_length(tus: Served, header: Header) -> None:
    part = await tus.part(b"part")

    assert 400 == (await tus.concatenate(part, headers=[header])).status


@pytest.mark.clause("concatenation.bodiless")
@pytest.mark.parametrize("framing", [("Content-Length", "4"), CHUNKED])
async def test_a_final_is_created_without_a_body(tus: Served, framing: Header) -> None:
    concat = ("Upload-Concat", f"final;{await tus.part(b'part')}")
    headers = [VERSION, OFFSET_TYPE, concat, framing]

    response = await tus.request("POST", tus.base, headers, b"more")

    assert 400 == response.status
    assert 1 == len(await tus.server.uploads.list())


@pytest.mark.clause("concatenation.bodiless")
@pytest.mark.parametrize("framing", [("Content-Length", "0"), CHUNKED])
async def test_a_body_without_bytes_is_none(tus: Served, framing: Header) -> None:
    final = await tus.concatenate(await tus.part(b"part"), headers=[framing])

    assert 201 == final.status


@pytest.mark.clause("concatenation.concat-value", "concatenation.final-list")
@pytest.mark.parametrize(
    "value",
    ["", "final", "final;", "final; ", "Final;{}", "FINAL;{}", "final:{}", "final,{}", "Partial"],
)
async def test_another_value_is_refused(tus: Served, value: str) -> None:
    part = await tus.part(b"part")
    headers = [VERSION, ("Upload-Concat", value.format(part))]

    assert 400 == (await tus.request("POST", tus.base, headers)).status
    with_length = [*headers, ("Upload-Length", "4")]
    assert 400 == (await tus.request("POST", tus.base, with_length)).status


@pytest.mark.clause("concatenation.final-list")
async def test_one_space_is_between_urls(tus: Served) -> None:
    part = await tus.part(b"part")

    assert 400 == (await tus.concatenate(part, "", part)).status
    assert 400 == (await tus.concatenate(f"{part},{part}")).status


@pytest.mark.clause("concatenation.only-partials")
async def test_only_parts_are_joined(tus: Served) -> None:
    part, plain = await tus.part(b"part"), await tus.new(b"plain", length=5)
    final = (await tus.concatenate(part)).location

    assert 400 == (await tus.concatenate(part, plain)).status
    assert 400 == (await tus.concatenate(final, part)).status
    assert 400 == (await tus.concatenate(part, "/files/no-such-upload")).status


@pytest.mark.clause("concatenation.only-partials")
async def test_parts_of_others_are_not_there(serve: Serve) -> None:
    who = ["one"]

    async def auth(_: object) -> str:
        return who[0]

    tus = await serve(auth=auth)
    part = await tus.part(b"part")
    who[0] = "two"

    assert 400 == (await tus.concatenate(part)).status


@pytest.mark.clause("creation.max-size")
async def test_parts_together_stay_within_the_limit(serve: Serve) -> None:
    tus = await serve(Config(max_size=9))
    one, two = await tus.part(b"12345"), await tus.part(b"1234")

    assert 413 == (await tus.concatenate(one, one)).status
    assert 201 == (await tus.concatenate(one, two)).status


async def test_parts_of_nothing_make_an_upload_of_nothing(tus: Served) -> None:
    final = await tus.concatenate(await tus.part(b""), await tus.part(b""))

    assert (201, 0) == (final.status, final.offset)
    found = await tus.head(final.location)
    assert ("0", "0") == (found.header("Upload-Length"), found.header("Upload-Offset"))
    downloaded = await tus.get(final.location)
    assert (200, b"") == (downloaded.status, downloaded.body)


@pytest.mark.clause("concatenation.repeated")
async def test_the_same_request_again_finds_the_same_upload(tus: Served) -> None:
    one, two = await tus.part(b"one"), await tus.part(b"two")

    first, again = await tus.concatenate(one, two), await tus.concatenate(one, two)

    assert (201, first.location, 6) == (again.status, again.location, again.offset)


@pytest.mark.clause("concatenation.repeated")
async def test_other_metadata_is_another_upload(tus: Served) -> None:
    part = await tus.part(b"part")

    first = await tus.concatenate(part)
    other = await tus.concatenate(part, headers=[("Upload-Metadata", "a YQ==")])

    assert first.location != other.location


@pytest.mark.clause("concatenation.repeated")
async def test_a_final_that_was_terminated_is_made_anew(tus: Served) -> None:
    part = await tus.part(b"part")
    first = (await tus.concatenate(part)).location
    await tus.delete(first)

    again = await tus.concatenate(part)

    assert 201 == again.status
    assert b"part" == (await tus.get(again.location)).body


@pytest.mark.clause("concatenation.partial-unprocessed")
async def test_the_application_does_not_hear_of_parts(serve: Serve) -> None:
    kinds: list[str] = []

    def setup(server: TusApp) -> None:
        @server.before_finish
        async def note(upload: Upload) -> Reply | None:
            kinds.append(upload.kind.value)
            return None

    tus = await serve(setup=setup)
    await tus.concatenate(await tus.part(b"one"), await tus.part(b"two"))

    assert ["final"] == kinds


@pytest.mark.parametrize("concat", ["partial", "final;/files/x"])
async def test_switched_off_it_is_501(serve: Serve, concat: str) -> None:
    tus = await serve(Config(disable_concatenation=True))
    length = [("Upload-Length", "4")] if concat == "partial" else []

    response = await tus.request("POST", tus.base, [VERSION, ("Upload-Concat", concat), *length])

    assert 501 == response.status
