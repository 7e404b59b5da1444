"""Connections and servers that break: what has arrived is kept, and nothing is sent twice.

Nearly nothing: after a cut the server may have lost the last 64 KiB that reached it.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.counting_client import Attempt, CountingClient, create_upload, unfinished_patch
from tests.e2e.inspection import inspect, stored_digest
from tests.e2e.samples import GIB, KIB, MIB, write_sample
from tests.support.proxy import Cut, CuttingProxy
from tests.support.server import ServerProcess

pytestmark = pytest.mark.timeout(300)

CUTS = 20
# Twenty times the longest stay below 1 GiB, so every cut happens.
LENGTHS = range(64 * KIB, 50 * MIB)
LOST_PER_CUT = 64 * KIB
AT_ONCE = 2.0


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A temporary folder that does not outlive the test, for its files are large."""
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture
def own_server(folder: Path) -> Iterator[ServerProcess]:
    """A server that the test may end."""
    with ServerProcess(folder / "data", "--durability", "process") as server:
        yield server


@pytest.mark.slow
def test_a_cut_upload_resumes_at_the_offset_the_server_kept(files_url: str, folder: Path) -> None:
    sample = write_sample(folder / "sample.bin", GIB)
    lengths = random.Random(20).choices(LENGTHS, k=CUTS)  # noqa: S311 - a test must be repeatable

    with CuttingProxy(files_url, lengths, seed=20) as proxy:
        client = CountingClient(proxy.url, sample.path, most_attempts=CUTS + 1)
        client.upload()

    assert CUTS == len(proxy.cuts)
    cut_attempts = [attempt for attempt in client.attempts if not attempt.complete]
    lost = [lost_bytes(a, c) for a, c in zip(cut_attempts, proxy.cuts, strict=True)]
    assert max(lost) <= LOST_PER_CUT, lost
    assert sample.digest == stored_digest(files_url + client.url.rsplit("/", 1)[1])


def test_a_resume_takes_over_from_a_silent_connection_at_once(files_url: str, folder: Path) -> None:
    sample = write_sample(folder / "sample.bin", 8 * MIB)
    url = create_upload(files_url, sample.length)

    with unfinished_patch(url, sample.path, 3 * MIB) as silent:
        asked = time.monotonic()
        offset = inspect(url).offset or 0
        waited = time.monotonic() - asked
        # The upload belongs to the next connection now: this must not change it.
        with contextlib.suppress(ConnectionError):
            silent.sendall(bytes(MIB))
        CountingClient(files_url, sample.path, most_attempts=1).resume(url)

    assert 3 * MIB - LOST_PER_CUT <= offset <= 3 * MIB
    assert waited < AT_ONCE
    assert sample.digest == stored_digest(url)


def test_a_server_that_is_stopped_keeps_what_had_arrived(
    own_server: ServerProcess, folder: Path
) -> None:
    sample = write_sample(folder / "sample.bin", 16 * MIB)
    url = create_upload(own_server.url, sample.length)

    with unfinished_patch(url, sample.path, 9 * MIB + 1):
        assert 0 == own_server.stop()
    own_server.start()

    offset = inspect(url).offset or 0
    assert 9 * MIB + 1 - LOST_PER_CUT <= offset <= 9 * MIB + 1
    CountingClient(own_server.url, sample.path, most_attempts=1).resume(url)
    assert sample.digest == stored_digest(url)


def test_a_server_that_is_killed_takes_the_rest_after_its_restart(
    own_server: ServerProcess, folder: Path
) -> None:
    sample = write_sample(folder / "sample.bin", 16 * MIB)
    url = create_upload(own_server.url, sample.length)

    offsets = [0]
    for _ in range(3):
        with unfinished_patch(url, sample.path, 3 * MIB, offset=offsets[-1]):
            own_server.kill()
        own_server.start()
        offsets.append(inspect(url).offset or 0)
    CountingClient(own_server.url, sample.path, most_attempts=1).resume(url)

    assert sorted(offsets) == offsets
    assert sample.digest == stored_digest(url)


def lost_bytes(attempt: Attempt, cut: Cut) -> int:
    """Bytes of the body which the server's kernel had received, and the server did not keep."""
    return cut.delivered - attempt.header - attempt.kept
