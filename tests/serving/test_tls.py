"""The server with a certificate of its own."""

import http.client
import ssl
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.support.certificates import HOST, Certificate, self_signed
from tests.support.live import Wire
from tests.support.server import ServerProcess

DATA = Random(12).randbytes(4 * 1024 * 1024)  # noqa: S311 - a test must be repeatable
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return self_signed(tmp_path)


@pytest.fixture
def server(certificate: Certificate, tmp_path: Path) -> Iterator[ServerProcess]:
    with serving(tmp_path, certificate.cert, certificate.key) as server:
        yield server


def serving(folder: Path, cert: Path, key: Path | None) -> ServerProcess:
    options = ("--tls-cert", str(cert), *(("--tls-key", str(key)) if key else ()))
    return ServerProcess(folder / "data", "--durability", "process", *options)


@pytest.fixture
def connection(
    server: ServerProcess, certificate: Certificate
) -> Iterator[http.client.HTTPSConnection]:
    made = http.client.HTTPSConnection(
        HOST, server.port, timeout=10, context=certificate.trusting()
    )
    yield made
    made.close()


def test_a_file_goes_up_and_comes_back_in_parts(
    server: ServerProcess, connection: http.client.HTTPSConnection
) -> None:
    connection.request("POST", "/files/", headers={**TUS, "Upload-Length": str(len(DATA))})
    created = connection.getresponse()
    created.read()
    location = created.headers["Location"]
    assert location.startswith(f"https://{HOST}:{server.port}/files/")

    typed = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    connection.request("PATCH", location, DATA, typed)
    appended = connection.getresponse()
    appended.read()
    assert (204, str(len(DATA))) == (appended.status, appended.headers["Upload-Offset"])

    for wanted, expected in (({}, DATA), ({"Range": "bytes=9-"}, DATA[9:])):
        connection.request("GET", location, headers=wanted)
        assert expected == connection.getresponse().read()


@pytest.mark.usefixtures("server")
def test_old_protocols_are_not_spoken(server: ServerProcess, certificate: Certificate) -> None:
    context = certificate.trusting()
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="deprecated"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    old = http.client.HTTPSConnection(HOST, server.port, timeout=10, context=context)
    with pytest.raises(ssl.SSLError):
        old.request("OPTIONS", "/files/")
    old.close()


def test_plain_http_gets_nothing(server: ServerProcess) -> None:
    with Wire(server.port) as wire, pytest.raises(ConnectionError):
        wire.request("OPTIONS", "/files/")


def test_the_key_can_be_in_the_same_file(certificate: Certificate, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.key.read_bytes() + certificate.cert.read_bytes())
    with serving(tmp_path, both, None) as server:
        assert f"https://{HOST}:{server.port}/files/" in server.log()


@pytest.mark.parametrize("kind", ["missing", "another's", "encrypted", "no PEM"])
def test_what_cannot_be_used_is_said_in_one_sentence_with_exit_1(
    certificate: Certificate, tmp_path: Path, kind: str
) -> None:
    other = self_signed(tmp_path, name="other", password="secret" if kind == "encrypted" else "")
    cert, key, why = {
        "missing": (tmp_path / "none.crt", certificate.key, "cannot be read: No such file"),
        "another's": (certificate.cert, other.key, "The key is another certificate's."),
        "encrypted": (other.cert, other.key, "not encrypted"),
        "no PEM": (certificate.cert, tmp_path / "data.log", "in PEM form"),
    }[kind]
    (tmp_path / "data.log").write_text("nothing of this kind")

    result = serving(tmp_path, cert, key).run_to_its_end()

    assert 1 == result.returncode
    assert why in result.stderr
    assert "Traceback" not in result.stderr


def test_a_key_without_a_certificate_is_refused_with_exit_2(tmp_path: Path) -> None:
    result = ServerProcess(tmp_path / "data", "--tls-key", "a.key").run_to_its_end()

    assert 2 == result.returncode
    assert "--tls-key: It needs tls_cert.\n" == result.stderr
