"""The uploader against the servers of others."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.e2e.inspection import announced_extensions, stored_digest
from tests.e2e.samples import MIB, Sample, write_sample
from tests.support.proxy import CuttingProxy
from tests.support.server import HOST, REPOSITORY, free_port
from tests.support.tools import built_once, require_tool, run_tool
from tusd_py.client import GaveUp, Options, Uploader

pytestmark = pytest.mark.timeout(600)

RECIPE = REPOSITORY / "benchmarks" / "recipes" / "tus-node-server"
START_TIMEOUT = 30.0
QUICK = Options(first_delay=0.05, longest_delay=0.5)


@dataclass(frozen=True, slots=True)
class Other:
    """A server that somebody else wrote, and the folder with its uploads."""

    url: str
    data: Path


@contextmanager
def started(command: list[str], port: int, data: Path) -> Iterator[Other]:
    data.mkdir(exist_ok=True)
    with _Kept(command, data.parent / "server.log").running():
        _wait_for(port)
        yield Other(f"http://{HOST}:{port}/files/", data)


class _Kept:
    """A process that is started again when it ends, as an operator's supervisor would.

    @tus/server on Node 20 may die of a client that closes its connection after the answer: "Invalid
    state: ReadableStream is already closed".
    """

    def __init__(self, command: list[str], log: Path) -> None:
        self._command = command
        self._log = log
        self._lock = threading.Lock()
        self._over = False
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._keep, daemon=True)
        thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._over = True
                if self._process is not None:
                    self._process.kill()
            thread.join()

    def _keep(self) -> None:
        with self._log.open("wb") as log:
            while True:
                with self._lock:
                    if self._over:
                        return
                    self._process = subprocess.Popen(
                        self._command, stdout=log, stderr=log, stdin=subprocess.DEVNULL
                    )
                self._process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, "the server does not start"
            time.sleep(0.05)
        else:
            return


@contextmanager
def node_server(folder: Path) -> Iterator[Other]:
    node, npm = require_tool("node"), require_tool("npm")

    def install(home: Path) -> None:
        run_tool([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=home)

    home, port, data = built_once("tus-node-server", RECIPE, install), free_port(), folder / "data"
    with started([node, str(home / "server.mjs"), str(port), str(data)], port, data) as other:
        yield other


@contextmanager
def tusd(folder: Path) -> Iterator[Other]:
    binary = os.environ.get("TUSD_BIN")
    if not binary:
        pytest.skip("needs tusd; name its binary with TUSD_BIN")
    port, data = free_port(), folder / "data"
    listen = ["-host", HOST, "-port", str(port), "-base-path", "/files/"]
    with started([binary, *listen, "-upload-dir", str(data)], port, data) as other:
        yield other


@pytest.fixture(params=[node_server, tusd], ids=["@tus/server", "tusd"])
def other(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Other]:
    with request.param(tmp_path) as other:
        yield other


@pytest.fixture
def anyio_backend() -> str:
    """One loop is enough: what differs here is the server."""
    return "asyncio"


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return write_sample(tmp_path / "sample.bin", 8 * MIB + 5)


def digest_at(other: Other, url: str) -> str:
    return stored_digest(other.url + url.rpartition("/")[2])


async def test_a_whole_file_in_one_request(other: Other, sample: Sample) -> None:
    done = await Uploader(other.url, remember=False).upload(sample.path)

    assert sample.digest == digest_at(other, done.url)


async def test_an_empty_file(other: Other, tmp_path: Path) -> None:
    empty = write_sample(tmp_path / "empty", 0)

    done = await Uploader(other.url, remember=False).upload(empty.path)

    assert empty.digest == digest_at(other, done.url)


async def test_cuts_in_the_middle(other: Other, sample: Sample) -> None:
    lengths = [MIB, 300_000, 2 * MIB]

    with CuttingProxy(other.url, lengths) as proxy:
        options = replace(QUICK, chunk_size=3 * MIB)
        done = await Uploader(proxy.url, options=options, remember=False).upload(sample.path)

    assert 3 == len(proxy.cuts)
    assert sample.digest == digest_at(other, done.url)


async def test_parts_where_the_server_concatenates(other: Other, sample: Sample) -> None:
    concatenates = "concatenation" in announced_extensions(other.url)
    before = len([*other.data.glob("*.info"), *other.data.glob("*.json")])

    options = Options(parallel=3)
    done = await Uploader(other.url, options=options, remember=False).upload(sample.path)

    made = len([*other.data.glob("*.info"), *other.data.glob("*.json")]) - before
    assert (4 if concatenates else 1) == made
    assert sample.digest == digest_at(other, done.url)


async def test_a_later_run_goes_on(other: Other, sample: Sample, tmp_path: Path) -> None:
    # Once in the middle, and once when it tries for the last time.
    with CuttingProxy(other.url, [4 * MIB, 1]) as proxy:
        impatient = Options(patience=1e-6)
        with pytest.raises(GaveUp):
            await Uploader(proxy.url, options=impatient, remember=tmp_path / "state").upload(
                sample.path
            )
        done = await Uploader(proxy.url, options=QUICK, remember=tmp_path / "state").upload(
            sample.path
        )

    assert 0 < done.resumed_at <= 4 * MIB
    assert sample.digest == digest_at(other, done.url)
