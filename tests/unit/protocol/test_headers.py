from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusd_py.errors import InvalidHeader
from tusd_py.protocol.headers import (
    MAX_INTEGER,
    body_announced,
    format_date,
    media_type,
    parse_bytes,
    parse_date,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("0", 0), ("7", 7), ("007", 7), ("9223372036854775807", MAX_INTEGER)],
)
def test_a_number_of_bytes_is_read(value: str, expected: int) -> None:
    assert expected == parse_bytes({"upload-offset": value}, "Upload-Offset")


def test_an_absent_number_is_none() -> None:
    assert parse_bytes({}, "Upload-Offset") is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "-1",
        "+5",
        " 5",
        "5 ",
        "5\n",
        "1_000",
        "1,000",
        "5, 5",
        "1.0",
        "1e3",
        "0x10",
        "five",
        "\u0665",
        "²",
        "9223372036854775808",
        "10000000000000000000",
        "1" * 5000,
    ],
)
def test_anything_else_is_refused(value: str) -> None:
    with pytest.raises(InvalidHeader) as raised:
        parse_bytes({"upload-offset": value}, "Upload-Offset")

    assert raised.value.name == "Upload-Offset"


@given(st.integers(0, MAX_INTEGER))
def test_every_number_that_is_written_is_read(number: int) -> None:
    assert number == parse_bytes({"upload-length": str(number)}, "Upload-Length")


@given(st.text())
def test_any_text_is_a_number_or_an_invalid_header(value: str) -> None:
    try:
        number = parse_bytes({"upload-length": value}, "Upload-Length")
    except InvalidHeader:
        return

    assert number is not None
    assert value.lstrip("0") == (str(number) if number else "")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("application/offset+octet-stream", "application/offset+octet-stream"),
        ("Application/Offset+Octet-Stream", "application/offset+octet-stream"),
        ("text/plain; charset=utf-8", "text/plain"),
        (" text/plain ;x", "text/plain"),
        ("", ""),
    ],
)
def test_the_media_type_has_no_parameters_and_no_case(value: str, expected: str) -> None:
    assert expected == media_type({"content-type": value})


def test_an_absent_media_type_is_empty() -> None:
    assert media_type({}) == ""


def test_a_date_is_written_as_http_wants_it() -> None:
    assert format_date(1_700_000_000.9) == "Tue, 14 Nov 2023 22:13:20 GMT"


@given(st.integers(0, 4_000_000_000))
def test_every_date_that_is_written_is_read(timestamp: int) -> None:
    assert timestamp == parsedate_to_datetime(format_date(timestamp)).timestamp()


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({"content-length": "0"}, False),
        ({"content-length": "00"}, False),
        ({"content-length": "1"}, True),
        ({"content-length": "10"}, True),
        ({"transfer-encoding": "chunked"}, True),
        ({"transfer-encoding": "chunked", "content-length": "0"}, True),
    ],
)
def test_a_body_is_announced_by_its_length_or_by_chunks(
    headers: dict[str, str], expected: bool
) -> None:
    assert body_announced(headers) is expected


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ],
)
def test_a_date_is_read_in_each_of_its_forms(value: str) -> None:
    assert 784_111_777 == parse_date(value)


@given(st.integers(0, 253_402_300_799))
def test_a_date_that_was_written_is_read_again(timestamp: int) -> None:
    assert timestamp == parse_date(format_date(timestamp))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0",
        "784111777",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 +0200",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
    ],
)
def test_what_is_no_date_of_http_is_none(value: str) -> None:
    assert parse_date(value) is None


@given(st.text())
def test_whatever_comes_for_a_date_is_survived(value: str) -> None:
    assert parse_date(value) is None
