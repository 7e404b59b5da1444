"""The server process that other tests start, stop and kill."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.e2e.inspection import announced_extensions
from tests.support.server import ServerDied, ServerProcess

pytestmark = pytest.mark.timeout(60)

AT_ONCE = 10.0


def test_a_stopped_server_ends_with_exit_code_0(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        assert "creation" in announced_extensions(server.url)

        assert 0 == server.stop()


def test_a_restarted_server_is_a_new_process_at_the_same_url(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        before = server.pid, server.url

        server.restart()

        assert before[0] != server.pid
        assert before[1] == server.url
        assert "creation" in announced_extensions(server.url)


def test_a_server_that_cannot_start_says_why_at_once(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path / "data", "--no-such-option")

    started = time.monotonic()
    with pytest.raises(ServerDied, match="no-such-option"):
        server.start()

    assert time.monotonic() - started < AT_ONCE
