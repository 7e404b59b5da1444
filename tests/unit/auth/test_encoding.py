from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusd_py.auth.encoding import decode, encode, format_object, parse_object

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(st.binary())
def test_bytes_come_back_and_are_written_without_padding(raw: bytes) -> None:
    assert urlsafe_b64encode(raw).decode().rstrip("=") == encode(raw)
    assert raw == decode(encode(raw))


@given(st.text(st.sampled_from("AQgw-_+/= \n")))
def test_what_is_read_is_what_would_be_written(text: str) -> None:
    try:
        raw = decode(text)
    except ValueError:
        return

    assert text == encode(raw)


@pytest.mark.parametrize(
    "text",
    [
        "YQ==",
        "YR",  # decodes to the same byte as YQ
        "Y",
        "YWJ",
        "YQ\n",
        " YQ",
        "Y Q",
        "+/",
        "-_=",
        "\N{FULLWIDTH LATIN CAPITAL LETTER A}Q",
        "YQ\0",
    ],
)
def test_anything_but_the_one_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^This is not base64url without padding\.$"):
        decode(text)


@given(st.dictionaries(st.text(), JSON))
def test_objects_come_back(members: dict[str, object]) -> None:
    # Half a character can be written, and is read, but is in no token: UTF-8 has none.
    assert members == parse_object(format_object(members))


def test_objects_are_written_in_one_way() -> None:
    assert '{"b":1,"a":["ä","<"]}' == format_object({"b": 1, "a": ["ä", "<"]})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '"a"',
        "{",
        '{"a":1}{}',
        '{"a":1,"a":1}',
        '{"a":{"b":1,"b":2}}',
        '{"a":1.0}',
        '{"a":1e3}',
        '{"a":NaN}',
        '{"a":-Infinity}',
        '{"a":01}',
        '{"a":1,}',
        "{'a':1}",
        '{"a":' + "9" * 5000 + "}",
        '{"a":' + "[" * 100_000,
        '\ufeff{"a":1}',
    ],
    ids=lambda text: text[:20],
)
def test_anything_but_a_strict_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^This is not a JSON object of the required form\.$"):
        parse_object(text)
