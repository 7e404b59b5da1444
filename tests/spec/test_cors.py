"""CORS: pages of other origins."""

import pytest

from tests.support.asgi import VERSION
from tusd_py import ALLOW_HEADERS, EXPOSE_HEADERS, Config, Cors

from .served import Serve, Served

ORIGIN = ("Origin", "https://app.example")
PREFLIGHT = [
    ORIGIN,
    ("Access-Control-Request-Method", "PATCH"),
    ("Access-Control-Request-Headers", "content-type,tus-resumable,upload-offset"),
]


def names(value: str | None) -> set[str]:
    return {name.strip() for name in (value or "").split(",")}


async def test_it_is_off_unless_asked_for(tus: Served) -> None:
    responses = [await tus.options(PREFLIGHT), await tus.request("GET", "/files/x", [ORIGIN])]

    for response in responses:
        assert [] == [name for name, _ in response.headers if name.startswith("access-control")]
        assert [] == response.all("Vary")


async def test_a_preflight_is_answered_together_with_what_the_server_can_do(serve: Serve) -> None:
    tus = await serve(Config(cors=Cors(origins=("*",), max_age=600)))

    response = await tus.options(PREFLIGHT)

    assert (200, "1.0.0") == (response.status, response.header("Tus-Version"))
    assert "*" == response.header("Access-Control-Allow-Origin")
    assert "600" == response.header("Access-Control-Max-Age")
    methods = names(response.header("Access-Control-Allow-Methods"))
    assert {"POST", "GET", "HEAD", "PATCH", "DELETE", "OPTIONS"} == methods


async def test_a_preflight_allows_what_clients_send(serve: Serve) -> None:
    tus = await serve(Config(cors=Cors(origins=("*",), extra_headers=("X-Tenant",))))

    allowed = names((await tus.options(PREFLIGHT)).header("Access-Control-Allow-Headers"))

    assert {
        "Authorization",
        "Content-Type",
        "Tus-Resumable",
        "Upload-Checksum",
        "Upload-Concat",
        "Upload-Defer-Length",
        "Upload-Length",
        "Upload-Metadata",
        "Upload-Offset",
        "X-HTTP-Method-Override",
        "X-Request-ID",
        "X-Requested-With",
        "X-Tenant",
    } <= allowed
    assert {*ALLOW_HEADERS, "X-Tenant"} == allowed


async def test_pages_may_read_what_the_protocol_answers(serve: Serve) -> None:
    tus = await serve(Config(cors=Cors(origins=("*",))))

    response = await tus.request("POST", tus.base, [VERSION, ORIGIN, ("Upload-Length", "5")])

    exposed = names(response.header("Access-Control-Expose-Headers"))
    sent = {name for name in EXPOSE_HEADERS if response.all(name)}
    protocol = {"Location", "Upload-Offset", "Upload-Expires", "Tus-Resumable"}
    assert protocol | {"Content-Length"} == sent
    assert set(EXPOSE_HEADERS) == exposed


async def test_an_origin_is_named_if_not_all_may(serve: Serve) -> None:
    tus = await serve(Config(cors=Cors(origins=(ORIGIN[1],), credentials=True)))

    response = await tus.request("HEAD", "/files/x", [VERSION, ORIGIN])

    assert 404 == response.status
    assert ORIGIN[1] == response.header("Access-Control-Allow-Origin")
    assert "true" == response.header("Access-Control-Allow-Credentials")
    assert "Origin" == response.header("Vary")


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "https://app.example.evil.example", "http://app.example", "null", ""],
)
async def test_other_origins_get_nothing_but_a_warning_for_caches(
    serve: Serve, origin: str
) -> None:
    tus = await serve(Config(cors=Cors(origins=(ORIGIN[1],))))

    response = await tus.options([("Origin", origin), *PREFLIGHT[1:]])

    assert 200 == response.status
    assert [] == [name for name, _ in response.headers if name.startswith("access-control")]
    assert "Origin" == response.header("Vary")


async def test_a_request_without_an_origin_is_none_of_its_business(serve: Serve) -> None:
    tus = await serve(Config(cors=Cors(origins=("*",))))

    response = await tus.options()

    assert [] == [name for name, _ in response.headers if name.startswith("access-control")]


async def test_pages_may_fetch_parts_and_read_what_these_are_parts_of(serve: Serve) -> None:
    tus = await serve(Config(cors=Cors(origins=("*",))))
    url = await tus.new(b"hello", length=5)

    response = await tus.request("GET", url, [ORIGIN, ("Range", "bytes=1-2")])
    preflight = await tus.options(PREFLIGHT)

    exposed = names(response.header("Access-Control-Expose-Headers"))
    assert {"Accept-Ranges", "Content-Range", "ETag", "Last-Modified"} <= exposed
    assert {"Range", "If-Range"} <= names(preflight.header("Access-Control-Allow-Headers"))
