"""nginx and Caddy in front, configured as the examples are, with TLS."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.e2e.counting_client import TUS, CountingClient, create_upload
from tests.e2e.samples import MIB, write_sample
from tests.support.certificates import Certificate, self_signed
from tests.support.proxy import CuttingProxy, Ending
from tests.support.server import HOST, ServerProcess, free_port
from tests.support.tools import require_tool

pytestmark = pytest.mark.timeout(300)

EXAMPLES = Path(__file__).parents[2] / "examples"
START_TIMEOUT = 20.0
STOP_TIMEOUT = 20.0
# What the web server and the kernel may hold on the way of a connection that breaks.
ON_THE_WAY = 8 * MIB


@dataclass(frozen=True, slots=True)
class Site:
    """What a client sees.

    `url` is where uploads are created, `plain` the port without TLS if there is one.
    """

    url: str
    certificate: Certificate
    server: ServerProcess
    plain: int | None

    @property
    def tls(self) -> ssl.SSLContext:
        return self.certificate.trusting()

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Send one request without a body."""
        address = self.url.split("/")[2]
        connection = http.client.HTTPSConnection(address, timeout=60, context=self.tls)
        connection.request(method, path, headers={**TUS, **(headers or {})})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer, body


def nginx_command(
    folder: Path, upstream: str, tls: int, plain: int, made: Certificate
) -> list[str]:
    config = replaced(
        EXAMPLES / "nginx.conf",
        {
            "listen 80;": f"listen {HOST}:{plain};",
            "listen 443 ssl;": f"listen {HOST}:{tls} ssl;",
            "/etc/ssl/certs/uploads.example.pem": str(made.cert),
            "/etc/ssl/private/uploads.example.key": str(made.key),
            "server 127.0.0.1:1080;": f"server {upstream};",
            # Where a test may write.
            "http {": f"http {{ access_log off; client_body_temp_path {folder}/body; "
            f"proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi; "
            f"uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;",
        },
    )
    (folder / "nginx.conf").write_text(config)
    rest = f"daemon off; pid {folder}/nginx.pid; error_log stderr;"
    if os.geteuid() == 0:
        rest += " user root;"
    command = [require_tool("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    return [*command, "-e", "stderr", "-g", rest]


def caddy_command(folder: Path, upstream: str, tls: int, _: int, made: Certificate) -> list[str]:
    config = replaced(
        EXAMPLES / "Caddyfile",
        {
            "uploads.example {": "{\n\tadmin off\n\tauto_https disable_redirects\n}\n"
            f"https://{HOST}:{tls} {{\n\ttls {made.cert} {made.key}",
            "127.0.0.1:1080 {": f"{upstream.replace('unix:', 'unix/')} {{",
        },
    )
    (folder / "Caddyfile").write_text(config)
    command = [require_tool("caddy"), "run", "--adapter", "caddyfile"]
    return [*command, "--config", str(folder / "Caddyfile")]


WEB_SERVERS = {"nginx": nginx_command, "caddy": caddy_command}


def replaced(example: Path, replacements: Mapping[str, str]) -> str:
    """An example with other addresses; all else is as it is for its readers."""
    # The comment at its top names some of them too.
    _, _, text = example.read_text().partition("\n\n")
    for old, new in replacements.items():
        assert text.count(old) == 1, f"{old!r} is not in {example.name} once"
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module", params=["port", "socket file"])
def upstream(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ServerProcess, str]]:
    """tusd-py, and its address as nginx writes it."""
    data_dir = tmp_path_factory.mktemp("server") / "data"
    options = ("--durability", "process", "--max-size", "1GB")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tus.sock"
        if request.param == "port":
            server = ServerProcess(data_dir, *options, "--trusted-proxy", "127.0.0.1")
            address = f"{HOST}:{server.port}"
        else:
            server = ServerProcess(data_dir, *options, "--trusted-proxy", "unix", unix_socket=path)
            address = f"unix:{path}"
        with server:
            yield server, address
    shutil.rmtree(data_dir, ignore_errors=True)


@pytest.fixture(scope="module", params=WEB_SERVERS)
def site(
    request: pytest.FixtureRequest,
    upstream: tuple[ServerProcess, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """A web server in front of tusd-py."""
    folder = tmp_path_factory.mktemp("site")
    certificate = self_signed(folder)
    server, address = upstream
    tls, plain = free_port(), free_port()
    command = WEB_SERVERS[request.param](folder, address, tls, plain, certificate)
    with running(command, folder, tls):
        only = plain if request.param == "nginx" else None
        yield Site(f"https://{HOST}:{tls}/files/", certificate, server, only)


@contextmanager
def running(command: list[str], folder: Path, port: int) -> Iterator[None]:
    log = folder / "log"
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env={**os.environ, **home}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        wait_until_it_accepts(process, port, log)
        yield
    finally:
        process.terminate()
        process.wait(STOP_TIMEOUT)


def wait_until_it_accepts(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.02)


def test_the_location_is_where_the_client_is(site: Site) -> None:
    url = create_upload(site.url, 5, tls=site.tls)

    assert url.startswith(site.url)
    answer, _ = site.ask("HEAD", url)
    assert (200, "0") == (answer.status, answer.headers["Upload-Offset"])


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Prefix": "/evil"},
        {"X-Forwarded-Host": "evil.example"},
        {"X-Forwarded-Proto": "http"},
        {"Forwarded": "proto=http;host=evil.example;for=203.0.113.9"},
        {"X-Forwarded-For": "203.0.113.9"},
    ],
)
def test_what_the_client_says_of_its_place_is_not_believed(
    site: Site, headers: dict[str, str]
) -> None:
    since = site.server.log_size()
    answer, _ = site.ask("POST", "/files/", {"Upload-Length": "5", **headers})

    assert 201 == answer.status
    assert answer.headers["Location"].startswith(site.url)
    # A client's request that is answered later shows that the line is there.
    site.ask("OPTIONS", "/files/")
    lines = [json.loads(line) for line in site.server.log(since).splitlines()]
    assert {HOST} == {line["client"] for line in lines if line["method"] == "POST"}


@pytest.mark.parametrize("ending", [Ending.RESET, Ending.FINISH])
def test_a_large_upload_is_cut_and_goes_on(site: Site, tmp_path: Path, ending: Ending) -> None:
    sample = write_sample(tmp_path / "sample.bin", 200 * MIB)

    with CuttingProxy(site.url, [120 * MIB], endings=[ending]) as proxy:
        client = CountingClient(proxy.url, sample.path, most_attempts=2, tls=site.tls)
        client.upload()

    assert 1 == len(proxy.cuts)
    first, second = client.attempts
    # Had it waited for all of the body, the server would have nothing of it.
    assert 120 * MIB - ON_THE_WAY <= first.kept <= 120 * MIB
    assert sample.length - first.kept == second.kept
    sample.path.unlink()
    path = "/files/" + client.url.rpartition("/")[2]
    _, stored = site.ask("GET", path)
    assert sample.digest == hashlib.sha256(stored).hexdigest()
    site.ask("DELETE", path)


def test_parts_and_conditions_come_through(site: Site, tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.bin", 3 * MIB)
    client = CountingClient(site.url, sample.path, most_attempts=1, tls=site.tls)
    client.upload()

    part, body = site.ask("GET", client.url, {"Range": "bytes=-5"})
    assert (206, sample.path.read_bytes()[-5:]) == (part.status, body)
    known, body = site.ask("GET", client.url, {"If-None-Match": part.headers["ETag"]})
    assert (304, b"") == (known.status, body)


def test_what_is_too_large_is_the_servers_to_say(site: Site) -> None:
    answer, body = site.ask("POST", "/files/", {"Upload-Length": str(2 * 10**9)})

    assert 413 == answer.status
    assert b'"code"' in body


def test_without_tls_there_is_but_the_way_to_it(site: Site) -> None:
    if site.plain is None:
        pytest.skip("The test does not let Caddy have the usual ports.")
    connection = http.client.HTTPConnection(HOST, site.plain, timeout=10)
    connection.request("POST", "/files/", headers={**TUS, "Upload-Length": "5"})
    answer = connection.getresponse()
    answer.read()
    connection.close()

    assert 308 == answer.status
    assert answer.headers["Location"].startswith("https://")
