import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusd_py.errors import (
    InvalidConcat,
    InvalidHeader,
    OffsetMismatch,
    ProtocolError,
    TooLarge,
    UploadIsFinal,
)
from tusd_py.protocol.requests import Append, Body
from tusd_py.protocol.rules import (
    Plan,
    check_parts,
    check_stale,
    final_length,
    part_ids,
    plan_append,
    plan_body,
)
from tusd_py.protocol.upload import Kind, Upload
from tusd_py.testing.uploads import CREATED_AT, a_final, a_part, an_upload

CREATION_URL = "https://example.org/files/"


def body_of(length: int | None) -> Body:
    return Body(announced=True, length=length, checksum=None, checksum_in_trailer=False)


def append_at(offset: int, *, length: int | None = None, bytes_: int | None = None) -> Append:
    return Append(offset=offset, length=length, body=body_of(bytes_))


class TestStale:
    @pytest.mark.parametrize("offset", [4, 5, 100])
    def test_at_or_above_the_offset_is_let_through(self, offset: int) -> None:
        check_stale(append_at(offset), an_upload(offset=4))

    def test_below_the_offset_is_refused(self) -> None:
        with pytest.raises(OffsetMismatch) as raised:
            check_stale(append_at(3), an_upload(offset=4))

        assert (raised.value.claimed, raised.value.actual) == (3, 4)

    @pytest.mark.parametrize("offset", [9, 11])
    def test_anything_but_the_end_of_a_finished_upload_is_refused(self, offset: int) -> None:
        with pytest.raises(OffsetMismatch):
            check_stale(append_at(offset), an_upload(offset=10, finished_at=CREATED_AT))

    def test_the_end_of_a_finished_upload_is_let_through(self) -> None:
        check_stale(append_at(10), an_upload(offset=10, finished_at=CREATED_AT))

    def test_a_final_upload_takes_nothing(self) -> None:
        with pytest.raises(UploadIsFinal):
            check_stale(append_at(0), a_final("one", "a"))


class TestAppend:
    @pytest.mark.parametrize("bytes_", [None, 0, 1, 6])
    def test_at_the_offset_has_the_rest_as_room(self, bytes_: int | None) -> None:
        plan = plan_append(append_at(4, bytes_=bytes_), an_upload(offset=4), None)

        assert plan == Plan(offset=4, length=10, room=6)

    @pytest.mark.parametrize("offset", [0, 3, 5, 11])
    def test_elsewhere_is_refused(self, offset: int) -> None:
        with pytest.raises(OffsetMismatch) as raised:
            plan_append(append_at(offset), an_upload(offset=4), None)

        assert (raised.value.claimed, raised.value.actual) == (offset, 4)

    def test_of_more_than_the_rest_is_refused(self) -> None:
        with pytest.raises(TooLarge) as raised:
            plan_append(append_at(4, bytes_=7), an_upload(offset=4), None)

        assert raised.value.limit == 10

    def test_of_nothing_at_the_end_is_let_through(self) -> None:
        upload = an_upload(offset=10, finished_at=CREATED_AT)

        assert plan_append(append_at(10, bytes_=0), upload, None).room == 0

    def test_to_a_final_upload_is_refused(self) -> None:
        with pytest.raises(UploadIsFinal):
            plan_append(append_at(0), a_final("one", "a"), None)

    def test_can_declare_a_deferred_length(self) -> None:
        plan = plan_append(append_at(4, length=10), an_upload(offset=4, length=None), None)

        assert plan == Plan(offset=4, length=10, room=6)

    def test_can_repeat_the_length(self) -> None:
        assert plan_append(append_at(4, length=10), an_upload(offset=4), None).length == 10

    @pytest.mark.parametrize("length", [9, 11])
    def test_cannot_change_the_length(self, length: int) -> None:
        with pytest.raises(InvalidHeader):
            plan_append(append_at(4, length=length), an_upload(offset=4), None)

    def test_cannot_declare_less_than_there_is(self) -> None:
        with pytest.raises(InvalidHeader):
            plan_append(append_at(4, length=3), an_upload(offset=4, length=None), None)

    def test_can_declare_what_there_is(self) -> None:
        plan = plan_append(append_at(4, length=4), an_upload(offset=4, length=None), None)

        assert plan == Plan(offset=4, length=4, room=0)

    def test_cannot_declare_more_than_the_uploads_own_limit(self) -> None:
        upload = an_upload(offset=4, length=None, max_length=8)

        assert plan_append(append_at(4, length=8), upload, None).length == 8
        with pytest.raises(TooLarge) as raised:
            plan_append(append_at(4, length=9), upload, None)
        assert raised.value.limit == 8

    def test_is_checked_against_the_length_that_it_declares(self) -> None:
        with pytest.raises(TooLarge):
            plan_append(append_at(4, length=10, bytes_=7), an_upload(offset=4, length=None), None)


class TestBody:
    @pytest.mark.parametrize(
        ("own", "servers", "room"),
        [(None, None, None), (8, None, 4), (None, 9, 5), (8, 9, 4), (9, 8, 4)],
    )
    def test_with_a_deferred_length_is_limited_by_the_smaller_limit(
        self, own: int | None, servers: int | None, room: int | None
    ) -> None:
        upload = an_upload(offset=4, length=None, max_length=own)

        assert plan_body(body_of(None), upload, None, servers) == Plan(
            offset=4, length=None, room=room
        )

    def test_a_known_length_counts_whatever_the_limit_is_now(self) -> None:
        assert plan_body(body_of(None), an_upload(offset=4), 10, 5).room == 6

    def test_a_limit_that_was_lowered_since_leaves_no_room(self) -> None:
        upload = an_upload(offset=8, length=None)

        assert plan_body(body_of(0), upload, None, 5).room == 0
        with pytest.raises(TooLarge) as raised:
            plan_body(body_of(1), upload, None, 5)
        assert raised.value.limit == 5


class TestParts:
    def test_partial_uploads_are_let_through(self) -> None:
        check_parts([a_part("a", b"1"), a_part("b", b"", length=None)], None, None)

    @pytest.mark.parametrize(
        "bad",
        [None, an_upload(), a_final("f", "a"), a_part("b", b"1", subject="another")],
        ids=["unknown", "plain", "final", "another's"],
    )
    def test_anything_else_is_refused_alike(self, bad: Upload | None) -> None:
        with pytest.raises(InvalidConcat) as raised:
            check_parts([a_part("a", b"1", subject="me"), bad], "me", None)

        assert str(raised.value) == "URL 2 in Upload-Concat is not a partial upload."

    def test_together_they_are_limited_by_the_server(self) -> None:
        parts = [a_part("a", b"12345"), a_part("b", b"123", length=5)]

        check_parts(parts, None, 10)
        with pytest.raises(TooLarge):
            check_parts(parts, None, 9)

    def test_a_part_of_unknown_length_counts_with_what_it_has(self) -> None:
        parts = [a_part("a", b"12345", length=None)]

        check_parts(parts, None, 5)
        with pytest.raises(TooLarge):
            check_parts(parts, None, 4)

    def test_the_final_length_is_their_sum(self) -> None:
        assert final_length([a_part("a", b"12"), a_part("b", b"", length=5)]) == 7

    def test_the_final_length_is_unknown_while_one_is(self) -> None:
        assert final_length([a_part("a", b"12"), a_part("b", b"3", length=None)]) is None


class TestPartIds:
    @pytest.mark.parametrize(
        "url",
        [
            "https://example.org/files/abc",
            "//example.org/files/abc",
            "/files/abc",
            "files/abc",
            "./abc",
            "abc",
        ],
    )
    def test_urls_of_this_server_have_the_id_last(self, url: str) -> None:
        assert part_ids([url], CREATION_URL) == ("abc",)

    def test_they_keep_their_order_and_repetitions(self) -> None:
        assert part_ids(["/files/b", "a", "/files/b"], CREATION_URL) == ("b", "a", "b")

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "/files/",
            "/files",
            "/other/abc",
            "https://example.com/files/abc",
            "https://example.org/other/abc",
            "/files/a/b",
            "/files/../abc",
            "../abc",
            "abc?x=1",
            "abc#x",
            "a%2Fb",
            "urn:abc",
            "http://[",
        ],
    )
    def test_urls_elsewhere_are_refused(self, url: str) -> None:
        with pytest.raises(InvalidConcat) as raised:
            part_ids(["/files/good", url], CREATION_URL)

        assert str(raised.value).startswith("URL 2 ")

    @given(st.lists(st.text()))
    def test_any_text_is_ids_or_a_protocol_error(self, urls: list[str]) -> None:
        try:
            ids = part_ids(urls, CREATION_URL)
        except ProtocolError:
            return

        assert len(ids) == len(urls)
        assert all(id_ and "/" not in id_ for id_ in ids)


SIZES = st.one_of(st.none(), st.integers(0, 20))


@given(
    request=st.builds(
        Append, offset=st.integers(0, 20), length=SIZES, body=st.builds(body_of, SIZES)
    ),
    offset=st.integers(0, 20),
    length=SIZES,
    max_length=SIZES,
    max_size=SIZES,
    kind=st.sampled_from(Kind),
)
def test_no_plan_writes_past_what_is_known(
    request: Append,
    offset: int,
    length: int | None,
    max_length: int | None,
    max_size: int | None,
    kind: Kind,
) -> None:
    if length is not None and length < offset:
        return
    upload = an_upload(offset=offset, length=length, max_length=max_length, kind=kind)
    try:
        plan = plan_append(request, upload, max_size)
    except ProtocolError:
        return

    assert plan.offset == offset == request.offset
    assert length in (None, plan.length)
    assert plan.room is None or plan.room >= (request.body.length or 0)
    if plan.length is not None:
        assert plan.room == plan.length - offset
