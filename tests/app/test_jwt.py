"""Uploads belong to the subjects of JSON Web Tokens."""

import json

import jwt
import pytest

from tests.spec.served import Serve, Served
from tests.support.asgi import OFFSET_TYPE, VERSION, Header
from tests.support.granting import bearer, refusal
from tests.unit.auth.samples import NOW, SECRET
from tusd_py.auth import JwtKey, JwtSubject


def token_of(subject: str, *, expires: int = NOW + 60) -> Header:
    claims = {"sub": subject, "aud": "uploads", "exp": expires}
    return bearer(jwt.encode(claims, SECRET, "HS256"))


@pytest.fixture
async def tus(serve: Serve) -> Served:
    auth = JwtSubject(JwtKey("HS256", SECRET), audience="uploads", clock=lambda: NOW)
    return await serve(auth=auth)


async def test_an_upload_belongs_to_the_subject_of_the_token(tus: Served) -> None:
    mine, theirs = token_of("alice"), token_of("bob")
    url = await tus.new(b"he", length=5, headers=[mine])
    append = [VERSION, OFFSET_TYPE, ("Upload-Offset", "2"), ("Content-Length", "3")]

    assert 404 == (await tus.request("HEAD", url, [VERSION, theirs])).status
    assert 404 == (await tus.request("PATCH", url, [*append, theirs], b"llo")).status
    assert 404 == (await tus.request("DELETE", url, [VERSION, theirs])).status
    assert 204 == (await tus.request("PATCH", url, [*append, mine], b"llo")).status
    assert 404 == (await tus.request("GET", url, [theirs])).status
    assert b"hello" == (await tus.request("GET", url, [mine])).body
    (upload,) = await tus.server.uploads.list()
    assert "alice" == upload.subject


async def test_without_a_token_nothing_is_taken(tus: Served) -> None:
    response = await tus.create(b"hello", length=5)

    assert (401, "not-authenticated") == refusal(response)
    assert "Bearer" == response.header("WWW-Authenticate")
    assert [] == [*await tus.server.uploads.list()]


async def test_a_token_that_does_not_hold_is_refused_before_the_body(tus: Served) -> None:
    two = [token_of("alice"), token_of("alice")]

    for headers, why in (([token_of("alice", expires=0)], "expired"), (two, "malformed")):
        response = await tus.create(b"hello", length=5, headers=headers)
        assert (403, "rejected") == refusal(response)
        assert f"The token was refused: {why}." == json.loads(response.body)["detail"]
    assert [] == [*await tus.server.uploads.list()]
