"""The uploader over TLS, and whom it does not trust."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.samples import MIB, Sample, write_sample
from tests.support.certificates import Certificate, self_signed
from tests.support.troubled import Trouble, Troubled, troubled
from tusd_py.client import NotTrusted, Options, Uploader


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return self_signed(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def running(certificate: Certificate) -> Iterator[Troubled]:
    with troubled(ssl_certfile=certificate.cert, ssl_keyfile=certificate.key) as server:
        yield server


@pytest.fixture
def server(running: Troubled) -> Troubled:
    running.troubles.clear()
    running.requests.clear()
    return running


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return write_sample(tmp_path / "sample.bin", 3 * MIB + 7)


def secured(server: Troubled) -> str:
    return server.url.replace("http://", "https://")


def trusting(server: Troubled, certificate: Certificate, **options: float) -> Uploader:
    bounds = Options(first_delay=0.01, **options)  # type: ignore[arg-type]
    return Uploader(secured(server), options=bounds, tls=certificate.trusting(), remember=False)


async def test_a_trusted_server_gets_the_file(
    server: Troubled, certificate: Certificate, sample: Sample
) -> None:
    server.troubles["PATCH"] = [Trouble(503)]
    uploader = await asyncio.to_thread(trusting, server, certificate, chunk_size=MIB)

    done = await uploader.upload(sample.path)

    assert done.url.startswith(secured(server))
    assert [("PATCH", 204)] * 4 == [request for request in server.requests if request[1] == 204]


async def test_a_certificate_that_does_not_hold_is_told_at_once(
    server: Troubled, sample: Sample
) -> None:
    with pytest.raises(NotTrusted, match="certificate does not hold: self-signed certificate"):
        await Uploader(secured(server), remember=False).upload(sample.path)
    assert [] == server.requests


async def test_no_byte_goes_to_a_url_without_tls(
    server: Troubled, certificate: Certificate, sample: Sample
) -> None:
    server.troubles["POST"] = [Trouble(201, {"Location": f"{server.url}x"})]
    uploader = await asyncio.to_thread(trusting, server, certificate)

    with pytest.raises(NotTrusted, match="without TLS"):
        await uploader.upload(sample.path)
    assert ["POST"] == server.methods
