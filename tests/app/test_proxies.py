"""Behind a proxy: where the client thinks it is, and who it is."""

import time

import pytest

from tests.spec.served import Serve, Served
from tests.support.asgi import HOST, VERSION, Header
from tusd_py import Config, Request, TusApp

PROXY = "192.0.2.0/24"


async def located(tus: Served, *headers: Header) -> str:
    sent = [VERSION, ("Upload-Length", "1"), *headers]
    location = (await tus.request("POST", "/files/", sent)).location
    return location.rpartition("/")[0] + "/"


@pytest.fixture
async def proxied(serve: Serve) -> Served:
    """A server that trusts its client to be a proxy."""
    return await serve(Config(trusted_proxies=(PROXY, "10.0.0.0/8")))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], f"http://{HOST}/files/"),
        ([("X-Forwarded-Proto", "https")], f"https://{HOST}/files/"),
        (
            [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "up.example:8443")],
            "https://up.example:8443/files/",
        ),
        ([("X-Forwarded-Prefix", "/api/v1/")], f"http://{HOST}/api/v1/files/"),
        ([("Forwarded", "proto=https;host=up.example")], "https://up.example/files/"),
        (
            [("Forwarded", 'for=1.2.3.4;host=evil, Host="up.example:1";Proto=HTTPS')],
            "https://up.example:1/files/",
        ),
        ([("X-Forwarded-Host", "evil.example, up.example")], "http://up.example/files/"),
        ([("Host", "other.example")], "http://other.example/files/"),
        ([("Host", "[2001:db8::1]:80")], "http://[2001:db8::1]:80/files/"),
        ([("X-Forwarded-Proto", "javascript")], f"http://{HOST}/files/"),
        ([("X-Forwarded-Prefix", "//evil.example/?")], f"http://{HOST}/files/"),
        ([("X-Forwarded-Prefix", "/../up")], f"http://{HOST}/files/"),
        (
            [("Forwarded", "proto=https;host=evil.example"), ("X-Forwarded-Host", "up.example")],
            "http://up.example/files/",
        ),
    ],
)
async def test_a_trusted_proxy_tells_the_outside(
    proxied: Served, headers: list[Header], expected: str
) -> None:
    assert expected == await located(proxied, *headers)


@pytest.mark.parametrize("filler", ["a", " ", ";", "=", '"'])
async def test_a_long_header_holds_up_nobody(proxied: Served, filler: str) -> None:
    began = time.perf_counter()
    await located(proxied, ("Forwarded", filler * 60_000))

    # It takes milliseconds; a look at every pair of characters took many seconds.
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("host", ["evil.example/x", "a b", "user@evil.example", "a\tb", "é"])
async def test_a_host_that_is_none_makes_the_location_a_path(proxied: Served, host: str) -> None:
    assert "/files/" == await located(proxied, ("X-Forwarded-Host", host))


@pytest.mark.parametrize(
    "header",
    [
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Prefix", "/evil"),
        ("Forwarded", "proto=https;host=evil.example"),
    ],
)
async def test_others_are_not_believed(serve: Serve, header: Header) -> None:
    for config in (Config(), Config(trusted_proxies=("10.0.0.0/8",))):
        assert f"http://{HOST}/files/" == await located(await serve(config), header)


async def test_an_ipv4_proxy_on_a_socket_for_both_families_is_trusted(proxied: Served) -> None:
    proxied.scope["client"] = ("::ffff:192.0.2.1", 1)

    assert f"https://{HOST}/files/" == await located(proxied, ("X-Forwarded-Proto", "https"))


async def test_a_final_names_its_parts_as_the_outside_does(proxied: Served) -> None:
    headers = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Prefix", "/api")]
    partial = [("Upload-Concat", "partial"), *headers]
    part = (await proxied.create(b"x", length=1, headers=partial)).location
    assert part.startswith(f"https://{HOST}/api/files/")

    response = await proxied.concatenate(part, headers=headers)

    assert 201 == response.status


@pytest.mark.parametrize(
    ("headers", "client"),
    [
        ([], "192.0.2.1"),
        ([("X-Forwarded-For", "203.0.113.9")], "203.0.113.9"),
        ([("X-Forwarded-For", "1.1.1.1, 203.0.113.9")], "203.0.113.9"),
        ([("X-Forwarded-For", "203.0.113.9, 10.0.0.7")], "203.0.113.9"),
        ([("X-Forwarded-For", "203.0.113.9:1234")], "203.0.113.9"),
        ([("X-Forwarded-For", "nonsense")], "192.0.2.1"),
        ([("Forwarded", 'for="[2001:db8::1]:99"')], "2001:db8::1"),
        ([("Forwarded", "for=203.0.113.9, for=10.0.0.7")], "203.0.113.9"),
    ],
)
async def test_the_client_is_the_last_address_that_is_no_proxy(
    serve: Serve, headers: list[Header], client: str
) -> None:
    seen: list[str | None] = []

    def setup(server: TusApp) -> None:
        @server.on_access
        async def note(request: Request) -> None:
            seen.append(request.client)

    tus = await serve(Config(trusted_proxies=(PROXY, "10.0.0.0/8")), setup=setup)
    await tus.create(length=1, headers=headers)

    assert [client] == seen


async def test_who_comes_through_a_socket_file_is_trusted_if_that_is_said(serve: Serve) -> None:
    seen: list[str | None] = []

    def setup(server: TusApp) -> None:
        @server.on_access
        async def note(request: Request) -> None:
            seen.append(request.client)

    headers = [("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "203.0.113.9")]
    for trusted, scheme in ((("unix",), "https"), ((PROXY,), "http")):
        tus = await serve(Config(trusted_proxies=trusted), setup=setup)
        tus.scope["client"] = None
        assert f"{scheme}://{HOST}/files/" == await located(tus, *headers)
        # An address is none of a socket file's.
        tus.scope["client"] = ("192.0.2.1", 1)
        assert (scheme == "http") is (f"https://{HOST}/files/" == await located(tus, *headers))

    assert ["203.0.113.9", "192.0.2.1", None, "203.0.113.9"] == seen


async def test_without_an_address_nobody_is_trusted(proxied: Served) -> None:
    proxied.scope["client"] = None

    assert f"http://{HOST}/files/" == await located(proxied, ("X-Forwarded-Proto", "https"))
