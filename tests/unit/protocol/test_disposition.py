import re
from email.message import Message
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusd_py.protocol.disposition import BINARY, INLINE, disposition, shown_type


@pytest.mark.parametrize(
    ("filetype", "expected"),
    [
        ("video/mp4", "video/mp4"),
        ("Video/MP4", "video/mp4"),
        ("video/webm;codecs=vp9", "video/webm"),
        ("text/plain; charset=utf-8", "text/plain"),
        ("image/png", "image/png"),
    ],
)
def test_types_that_browsers_may_show_are_kept(filetype: str, expected: str) -> None:
    assert expected == shown_type(filetype)


@pytest.mark.parametrize(
    "filetype",
    [
        *("", "text", "text/html", "text/html; charset=x", "image/svg+xml", "application/pdf"),
        *("text/xml", "application/xhtml+xml", "text/javascript", "multipart/mixed"),
        *("text/plain\r\nX: y", "text/plain,text/html", "text/html,text/plain", "texT/plain\0"),
    ],
)
def test_all_others_are_bytes(filetype: str) -> None:
    assert BINARY == shown_type(filetype)


def test_nothing_on_the_list_can_hold_a_script() -> None:
    assert not [known for known in INLINE if re.search("html|xml|svg|script|pdf|json", known)]


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("", ""),
        ("a b.txt", '; filename="a b.txt"'),
        ("ü.txt", "; filename=\"_.txt\"; filename*=UTF-8''%C3%BC.txt"),
        ('a"b.txt', "; filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt"),
        # Some browsers decode what looks encoded.
        ("a%41.txt", "; filename=\"a_41.txt\"; filename*=UTF-8''a%2541.txt"),
        ("../../etc/passwd", '; filename="passwd"'),
        ("C:\\Users\\me\\a.txt", '; filename="a.txt"'),
        ("folder/", ""),
        ("a\r\nSet-Cookie: b", '; filename="aSet-Cookie: b"'),
        # It would be shown as photoexe.png.
        ("photo\u202egnp.exe", '; filename="photognp.exe"'),
        (" .txt ", '; filename=".txt"'),
    ],
)
def test_a_name_is_written_for_old_clients_and_new_ones(filename: str, expected: str) -> None:
    assert f"attachment{expected}" == disposition(BINARY, filename)
    assert f"inline{expected}" == disposition("image/png", filename)


def test_a_long_name_keeps_its_end() -> None:
    value = disposition(BINARY, "x" * 300 + ".txt")

    assert value.endswith('xxx.txt"')
    assert len(value) < 300


@given(st.text())
def test_every_name_comes_through_as_one_header(filename: str) -> None:
    value = disposition(BINARY, filename)

    assert value.isascii()
    assert value.isprintable()
    assert len(value) < 3000
    parsed = Message()
    parsed["Content-Disposition"] = value
    assert "attachment" == parsed.get_content_disposition()
    fallback = re.search(r'filename="([^"\\%]*)"', value)
    encoded = re.search(r"filename\*=UTF-8''([A-Za-z0-9_.~%-]*)$", value)
    if encoded is not None:
        assert fallback is not None
        assert len(unquote(encoded[1])) == len(fallback[1])
        assert "/" not in unquote(encoded[1])
