"""The URLs that are taken, and what is read from them."""

from __future__ import annotations

import pytest

from tusd_py.client.address import parse_url, resolved, without_grant


@pytest.mark.parametrize(
    ("url", "host", "target"),
    [
        ("http://example.com", "example.com", "/"),
        ("https://example.com:443/files/?a=b", "example.com", "/files/?a=b"),
        ("http://example.com:8080/files", "example.com:8080", "/files"),
        ("http://[::1]:1080/files/", "[::1]:1080", "/files/"),
    ],
)
def test_what_is_sent_for_a_url(url: str, host: str, target: str) -> None:
    address = parse_url(url)

    assert (host, target) == (address.host_header, address.target)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/files",
        "ftp://example.com/",
        "http://",
        "http://example.com:x/",
        "http://example.com:99999/",
        "http://example.com/a b",
        "http://example.com/\n",
        "http://exämple.com/",
        "http://name:secret@example.com/",
        "http://[::1/",
        "http://example..com/",
    ],
)
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        parse_url(url)


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="URL") as refused:
        parse_url("http://name:secret@example.com/")

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("https://other.org/x", "https://other.org/x"),
        ("/files/x.k.s", "http://example.com/files/x.k.s"),
        ("x", "http://example.com/files/x"),
        ("//cdn.example.com/x", "http://cdn.example.com/x"),
    ],
)
def test_a_location_is_relative_to_what_was_asked(location: str, url: str) -> None:
    assert url == resolved(location, "http://example.com/files/")


def test_the_same_endpoint_is_known_by_any_grant() -> None:
    bare = without_grant("https://example.com/files/")

    assert bare == without_grant("https://example.com/files/-/g1.k1.aaa")
    assert bare == without_grant("https://example.com/files/-/g1.k1.bbb/")
