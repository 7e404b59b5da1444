import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusd_py.errors import (
    InvalidConcat,
    InvalidHeader,
    MethodNotAllowed,
    ProtocolError,
    TooLarge,
    UnknownAlgorithm,
    UnsupportedMediaType,
    UnsupportedVersion,
)
from tusd_py.protocol.checksum import Checksum
from tusd_py.protocol.requests import (
    METHODS,
    Append,
    Body,
    Creation,
    check_version,
    effective_method,
    parse_append,
    parse_creation,
)
from tusd_py.protocol.upload import Kind

OFFSET_TYPE = {"content-type": "application/offset+octet-stream"}
NO_BODY = Body(announced=False, length=None, checksum=None, checksum_in_trailer=False)
PATCH = {**OFFSET_TYPE, "upload-offset": "5"}
FINAL = {"upload-concat": "final;/files/a /files/b"}


class TestMethod:
    def test_without_an_override_it_is_the_requests(self) -> None:
        assert effective_method("PUT", {}) == "PUT"

    @pytest.mark.parametrize("method", METHODS)
    def test_an_override_counts_alone(self, method: str) -> None:
        assert effective_method("POST", {"x-http-method-override": method}) == method

    def test_an_override_may_be_in_lower_case(self) -> None:
        assert effective_method("POST", {"x-http-method-override": "patch"}) == "PATCH"

    @pytest.mark.parametrize("method", ["", "PUT", "TRACE", "PATCH, DELETE", " PATCH"])
    def test_an_override_to_something_foreign_is_refused(self, method: str) -> None:
        with pytest.raises(MethodNotAllowed) as raised:
            effective_method("POST", {"x-http-method-override": method})

        assert raised.value.allowed == METHODS


class TestVersion:
    @pytest.mark.parametrize("method", ["HEAD", "POST", "PATCH", "DELETE", "PUT"])
    @pytest.mark.parametrize("version", [None, "", "0.2.2", "1.0.1", "1.0.0, 1.0.0", "1.0"])
    def test_another_is_refused(self, method: str, version: str | None) -> None:
        headers = {} if version is None else {"tus-resumable": version}
        with pytest.raises(UnsupportedVersion) as raised:
            check_version(method, headers)

        assert raised.value.version == version

    @pytest.mark.parametrize("method", METHODS)
    def test_ours_is_let_through(self, method: str) -> None:
        check_version(method, {"tus-resumable": "1.0.0"})

    @pytest.mark.parametrize("method", ["OPTIONS", "GET"])
    @pytest.mark.parametrize("headers", [{}, {"tus-resumable": "0.2.2"}])
    def test_discovery_and_download_need_none(self, method: str, headers: dict[str, str]) -> None:
        check_version(method, headers)


class TestCreation:
    def test_of_a_plain_upload(self) -> None:
        headers = {"upload-length": "10", "upload-metadata": " name YQ== "}

        assert parse_creation(headers, None) == Creation(
            kind=Kind.PLAIN,
            length=10,
            metadata="name YQ==",
            concat=None,
            part_urls=(),
            body=NO_BODY,
            foreign_type=True,
        )

    def test_of_a_partial_upload(self) -> None:
        found = parse_creation({"upload-length": "10", "upload-concat": "partial"}, None)

        assert (found.kind, found.concat, found.length) == (Kind.PARTIAL, "partial", 10)

    def test_of_a_final_upload(self) -> None:
        found = parse_creation(FINAL, None)

        assert found.kind is Kind.FINAL
        assert found.concat == "final;/files/a /files/b"
        assert found.part_urls == ("/files/a", "/files/b")
        assert found.length is None

    def test_of_a_final_upload_with_spaces_around_the_list(self) -> None:
        found = parse_creation({"upload-concat": "final; /files/a /files/b "}, None)

        assert found.part_urls == ("/files/a", "/files/b")

    def test_with_a_deferred_length(self) -> None:
        assert parse_creation({"upload-defer-length": "1"}, None).length is None

    def test_with_its_first_bytes(self) -> None:
        headers = {**OFFSET_TYPE, "upload-length": "10", "content-length": "10"}

        found = parse_creation(headers, None)

        assert found.body == Body(
            announced=True, length=10, checksum=None, checksum_in_trailer=False
        )
        assert not found.foreign_type

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"upload-length": "10", "upload-defer-length": "1"},
            {"upload-length": "-1"},
            {"upload-length": "10, 10"},
            {"upload-defer-length": "0"},
            {"upload-defer-length": ""},
            {"upload-defer-length": "true"},
            {"upload-length": "10", "upload-metadata": "a,a"},
            {"upload-length": "10", "content-length": "x"},
            {"upload-length": "10", "upload-checksum": "sha1"},
            {**FINAL, "upload-length": "10"},
            {**FINAL, "upload-defer-length": "1"},
        ],
    )
    def test_with_a_malformed_header_is_refused(self, headers: dict[str, str]) -> None:
        with pytest.raises(InvalidHeader):
            parse_creation(headers, None)

    @pytest.mark.parametrize(
        "value",
        [
            "",
            "part",
            "partial;",
            "Partial",
            "final",
            "final;",
            "final; ",
            "final;/a  /b",
            "finals;a",
        ],
    )
    def test_with_a_malformed_concatenation_is_refused(self, value: str) -> None:
        with pytest.raises(InvalidConcat):
            parse_creation({"upload-length": "10", "upload-concat": value}, None)

    def test_of_a_final_upload_takes_no_body(self) -> None:
        with pytest.raises(InvalidConcat):
            parse_creation({**FINAL, **OFFSET_TYPE, "content-length": "1"}, None)

    def test_of_a_final_upload_with_a_chunked_body_is_told_apart_later(self) -> None:
        found = parse_creation({**FINAL, "transfer-encoding": "chunked"}, None)

        assert (found.kind, found.body.announced) == (Kind.FINAL, True)

    @pytest.mark.parametrize(("length", "fits"), [("99", True), ("100", True), ("101", False)])
    def test_is_limited_by_the_server(self, length: str, fits: bool) -> None:
        if fits:
            parse_creation({"upload-length": length}, 100)
            return
        with pytest.raises(TooLarge) as raised:
            parse_creation({"upload-length": length}, 100)

        assert raised.value.limit == 100

    @pytest.mark.parametrize("announced", [{"upload-length": "10"}, {"upload-defer-length": "1"}])
    def test_brings_no_more_than_fits(self, announced: dict[str, str]) -> None:
        parse_creation({**OFFSET_TYPE, **announced, "content-length": "10"}, 10)
        with pytest.raises(TooLarge) as raised:
            parse_creation({**OFFSET_TYPE, **announced, "content-length": "11"}, 10)

        assert raised.value.limit == 10

    @pytest.mark.parametrize("content_type", [None, "text/plain", "application/octet-stream"])
    def test_with_a_body_of_another_type_is_refused(self, content_type: str | None) -> None:
        headers = {"upload-length": "10", "content-length": "5"}
        if content_type is not None:
            headers["content-type"] = content_type
        with pytest.raises(UnsupportedMediaType):
            parse_creation(headers, None)

    @pytest.mark.parametrize(("body", "announced"), [({"content-length": "0"}, False), ({}, False)])
    def test_without_a_body_may_have_any_type(self, body: dict[str, str], announced: bool) -> None:
        found = parse_creation({"upload-length": "10", "content-type": "text/plain", **body}, None)

        assert (found.foreign_type, found.body.announced) == (True, announced)

    def test_with_a_chunked_body_of_another_type_is_told_apart_later(self) -> None:
        headers = {"upload-length": "10", "transfer-encoding": "chunked"}

        found = parse_creation(headers, None)

        assert (found.foreign_type, found.body.announced, found.body.length) == (True, True, None)


class TestAppend:
    def test_has_an_offset(self) -> None:
        assert parse_append(PATCH, None) == Append(offset=5, length=None, body=NO_BODY)

    def test_may_declare_a_length(self) -> None:
        assert parse_append({**PATCH, "upload-length": "10"}, 10).length == 10

    def test_may_declare_no_more_than_the_server_takes(self) -> None:
        with pytest.raises(TooLarge):
            parse_append({**PATCH, "upload-length": "11"}, 10)

    @pytest.mark.parametrize("content_type", [None, "", "text/plain", "application/octet-stream"])
    def test_of_another_type_is_refused(self, content_type: str | None) -> None:
        headers = {"upload-offset": "5"}
        if content_type is not None:
            headers["content-type"] = content_type
        with pytest.raises(UnsupportedMediaType):
            parse_append(headers, None)

    def test_the_type_may_have_parameters(self) -> None:
        headers = {**PATCH, "content-type": "application/offset+octet-stream; charset=utf-8"}

        assert parse_append(headers, None).offset == 5

    @pytest.mark.parametrize(
        "headers",
        [
            OFFSET_TYPE,
            {**OFFSET_TYPE, "upload-offset": "-1"},
            {**OFFSET_TYPE, "upload-offset": "1, 1"},
            {**PATCH, "upload-length": "x"},
            {**PATCH, "content-length": "x"},
            {**PATCH, "upload-checksum": "sha1 !"},
        ],
    )
    def test_with_a_malformed_header_is_refused(self, headers: dict[str, str]) -> None:
        with pytest.raises(InvalidHeader):
            parse_append(headers, None)

    def test_may_have_a_checksum(self) -> None:
        found = parse_append({**PATCH, "upload-checksum": "md5 YQ=="}, None)

        assert found.body.checksum == Checksum("md5", b"a")
        assert not found.body.checksum_in_trailer

    def test_with_an_unknown_algorithm_is_refused(self) -> None:
        with pytest.raises(UnknownAlgorithm):
            parse_append({**PATCH, "upload-checksum": "sha3 YQ=="}, None)

    @pytest.mark.parametrize(
        ("trailer", "expected"),
        [
            ("Upload-Checksum", True),
            ("upload-checksum", True),
            ("Expires, Upload-Checksum ,X", True),
            ("X-Upload-Checksum", False),
            ("Upload-Checksums", False),
            ("", False),
        ],
    )
    def test_may_announce_its_checksum_as_a_trailer(self, trailer: str, expected: bool) -> None:
        assert (
            parse_append({**PATCH, "trailer": trailer}, None).body.checksum_in_trailer is expected
        )

    def test_a_checksum_in_the_header_counts_before_one_in_the_trailer(self) -> None:
        headers = {**PATCH, "upload-checksum": "md5 YQ==", "trailer": "Upload-Checksum"}

        found = parse_append(headers, None)

        assert found.body.checksum is not None
        assert not found.body.checksum_in_trailer


NAMES = (
    "content-length",
    "content-type",
    "transfer-encoding",
    "trailer",
    "upload-checksum",
    "upload-concat",
    "upload-defer-length",
    "upload-length",
    "upload-metadata",
    "upload-offset",
)
VALUES = st.one_of(
    st.text(),
    st.integers(-2, 20).map(str),
    st.sampled_from(
        ["partial", "final;a b", "1", "chunked", "sha1 YQ==", "application/offset+octet-stream"]
    ),
)
HEADERS = st.dictionaries(st.sampled_from(NAMES), VALUES)


@given(HEADERS, st.sampled_from([None, 10]))
def test_any_headers_are_a_creation_or_a_protocol_error(
    headers: dict[str, str], max_size: int | None
) -> None:
    try:
        found = parse_creation(headers, max_size)
    except ProtocolError:
        return

    assert max_size is None or (found.length or 0) <= max_size


@given(HEADERS.map(lambda headers: {**PATCH, **headers}), st.sampled_from([None, 10]))
def test_any_headers_are_an_append_or_a_protocol_error(
    headers: dict[str, str], max_size: int | None
) -> None:
    try:
        found = parse_append(headers, max_size)
    except ProtocolError:
        return

    assert found.offset >= 0
    assert max_size is None or (found.length or 0) <= max_size
