"""What webhooks are sent, field by field, where a whole server would be in the way."""

import json

import pytest

from tusd_py.hooks.base import Request
from tusd_py.hooks.payload import canonical, hook_body, request_facts, upload_facts
from tusd_py.protocol.upload import Upload, UploadId


def a_request(**facts: object) -> Request:
    scope: dict[str, object] = {
        "raw_path": b"/files/a%20b",
        "query_string": b"",
        "client": ("192.0.2.1", 5),
        "headers": [],
        **facts,
    }
    return Request(
        method="PATCH",
        path="/files/a b",
        upload_id=None,
        headers={},
        client="192.0.2.1",
        scope=scope,
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("upload-offset", "Upload-Offset"),
        ("x-http-method-override", "X-Http-Method-Override"),
        ("DNT", "Dnt"),
        ("a", "A"),
        ("x--a", "X--A"),
        ("x-a1b", "X-A1b"),
    ],
)
def test_names_of_headers_are_written_as_by_go(name: str, told: str) -> None:
    assert told == canonical(name)


def test_the_url_is_as_it_came() -> None:
    assert "/files/a%20b?x=%20" == request_facts(a_request(query_string=b"x=%20"))["URI"]


def test_the_url_is_made_where_the_server_does_not_tell() -> None:
    assert "/files/a%20b" == request_facts(a_request(raw_path=None))["URI"]


@pytest.mark.parametrize(
    ("peer", "client", "told"),
    [
        (("192.0.2.1", 5), "192.0.2.1", "192.0.2.1:5"),
        (("::1", 5), "::1", "[::1]:5"),
        (("10.0.0.1", 5), "192.0.2.1", "192.0.2.1"),
        (None, "192.0.2.1", "192.0.2.1"),
        (None, None, ""),
    ],
    ids=["v4", "v6", "behind a proxy", "told by a proxy alone", "unix socket"],
)
def test_the_address_is_that_of_the_client(
    peer: tuple[str, int] | None, client: str | None, told: str
) -> None:
    request = a_request(client=peer)
    given = Request(
        method="PATCH", path="/", upload_id=None, headers={}, client=client, scope=request.scope
    )

    assert told == request_facts(given)["RemoteAddr"]


def test_headers_can_be_left_out_whatever_their_case() -> None:
    request = a_request(headers=[(b"Cookie", b"a"), (b"x-a", b" 1 "), (b"X-A", b"2")])

    assert {"X-A": ["1", "2"]} == request_facts(request, without=frozenset(("cookie",)))["Header"]


def test_metadata_that_is_no_text_is_told_as_far_as_it_is() -> None:
    upload = Upload(id=UploadId("a"), length=1, created_at=0.0, metadata="a /w==,b Yg==")

    assert {"a": "\ufffd", "b": "b"} == upload_facts(upload, None)["MetaData"]


def test_whatever_came_is_json() -> None:
    request = a_request(headers=[(b"x-a", bytes(range(128, 256)) + b'"\\')])
    upload = Upload(id=UploadId("a"), length=1, created_at=0.0)
    body = hook_body("post-finish", upload_facts(upload, None), request_facts(request))

    assert "post-finish" == json.loads(body)["Type"]
    body.decode("ascii")
