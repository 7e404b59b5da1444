import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tusd_py.errors import InvalidHeader
from tusd_py.protocol.metadata import format_metadata, parse_metadata, text_of

KEYS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=","), min_size=1
)
PAIRS = st.dictionaries(KEYS, st.binary())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", {}),
        ("  ", {}),
        ("filename d29ybGQ=", {"filename": b"world"}),
        ("a YQ==,b Yg==", {"a": b"a", "b": b"b"}),
        ("a YQ==, b Yg==", {"a": b"a", "b": b"b"}),
        ("flag", {"flag": b""}),
        ("flag ", {"flag": b""}),
        ("flag ,a YQ==", {"flag": b"", "a": b"a"}),
        ("a YQ==,A QQ==", {"a": b"a", "A": b"A"}),
        ("k //79", {"k": b"\xff\xfe\xfd"}),
    ],
)
def test_pairs_are_read(value: str, expected: dict[str, bytes]) -> None:
    assert expected == parse_metadata(value)


def test_pairs_keep_their_order() -> None:
    assert list(parse_metadata("b Yg==,a YQ==,c")) == ["b", "a", "c"]


@pytest.mark.parametrize(
    "value",
    [
        ",",
        "a YQ==,",
        ",a YQ==",
        "a YQ==,,b Yg==",
        "a YQ==,  b Yg==",
        " ,a",
        "a YQ==,a Yg==",
        "a,a",
        "a YQ== Yg==",
        "a  YQ==",
        "a YQ",
        "a YQ=",
        "a YQ===",
        "a Y-_=",
        "a =",
        "a YQ==YQ==",
        "a \tYQ==",
        "a YQ==\r\n",
        "ä YQ==",
        "a YQ\N{FULLWIDTH LATIN SMALL LETTER A}=",
        "\x00",
    ],
)
def test_anything_else_is_refused(value: str) -> None:
    with pytest.raises(InvalidHeader) as raised:
        parse_metadata(value)

    assert raised.value.name == "Upload-Metadata"


@pytest.mark.parametrize("key", ["", "a b", "a,b", "ä", "a\n", "\x7f"])
def test_a_key_that_cannot_be_sent_is_not_written(key: str) -> None:
    with pytest.raises(InvalidHeader):
        format_metadata({key: b"value"})


def test_pairs_are_written_without_a_space_after_the_comma() -> None:
    assert format_metadata({"a": b"a", "flag": b""}) == "a YQ==,flag"


@given(PAIRS)
def test_what_is_written_is_read(pairs: dict[str, bytes]) -> None:
    assert pairs == parse_metadata(format_metadata(pairs))


@given(st.one_of(st.text(), st.text("ab ,YQ=")))
@example("a YQ=\u00e9")
def test_any_text_is_pairs_or_an_invalid_header(value: str) -> None:
    try:
        pairs = parse_metadata(value)
    except InvalidHeader:
        return

    assert pairs == parse_metadata(format_metadata(pairs))


def test_values_are_text_as_far_as_they_can_be() -> None:
    assert text_of({"a": "ä".encode(), "b": b"\xff"}) == {"a": "ä", "b": "\ufffd"}
