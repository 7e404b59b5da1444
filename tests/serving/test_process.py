"""The real server process: starting, signals, ending."""

import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.live import Wire, created, head, offset_of, patch_head, wait_until_stored
from tests.support.server import ServerDied, ServerProcess


def test_sigterm_saves_running_uploads_and_exits_with_0(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        path = created(server.port, 1_000_000)
        with Wire(server.port) as wire:
            wire.send(patch_head(path, 1_000_000), b"x" * 500_000)
            wire.wait_until_arrived()
            wait_until_stored(server.data_dir, 1)
            os.kill(server.pid, signal.SIGTERM)
            assert 503 == wire.response().status
            wire.socket.shutdown(socket.SHUT_WR)
            assert 0 == server.stop()
        server.start()
        assert 500_000 == offset_of(server.port, path)


def test_a_killed_process_loses_nothing_that_was_written(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data") as server:
        path = created(server.port, 1_000_000)
        with Wire(server.port) as wire:
            wire.send(patch_head(path, 1_000_000), b"x" * 500_000)
            wait_until_stored(server.data_dir, 500_000)
            server.kill()
        server.start()
        assert 500_000 == offset_of(server.port, path)


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data", "--shutdown-grace", "60s") as server:
        path = created(server.port, 1_000_000)
        with Wire(server.port) as reader:
            # A download that somebody reads slowly keeps the first signal waiting.
            upload_whole(server.port, path, 1_000_000)
            reader.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.send(head("GET", path) * 30)
            with reading_slowly(reader):
                os.kill(server.pid, signal.SIGTERM)
                wait_until_deaf(server.port)
                began = time.monotonic()
                server.stop()
                assert time.monotonic() - began < 10


def test_a_taken_port_is_said_in_one_sentence_with_exit_1(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = ServerProcess(tmp_path, port=port).run_to_its_end()
    assert 1 == result.returncode
    assert str(port) in result.stderr
    assert "Traceback" not in result.stderr


def test_a_second_server_on_the_same_folder_is_refused_with_exit_1(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "data"):
        result = ServerProcess(tmp_path / "data").run_to_its_end()
    assert 1 == result.returncode
    assert "Another server uses the folder" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_limit_of_open_files_is_raised_to_what_the_settings_need(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "d", "--max-uploads", "100", files=(256, 4096)) as server:
        assert (428, 4096) == resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        assert "Warning" not in server.log()


def test_a_limit_of_open_files_below_the_settings_is_explained(tmp_path: Path) -> None:
    with ServerProcess(tmp_path / "d", "--max-uploads", "5000", files=(256, 512)) as server:
        assert (512, 512) == resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        assert "lower max_uploads to 128" in server.log()


def test_too_few_open_files_to_work_with_refuse_the_start(tmp_path: Path) -> None:
    with pytest.raises(ServerDied, match="exit code 1") as died:
        ServerProcess(tmp_path / "d", files=(100, 100)).start()
    assert "needs 131 at least" in str(died.value)
    assert "Traceback" not in str(died.value)


@contextmanager
def reading_slowly(wire: Wire) -> Iterator[None]:
    """Read a little now and then while the block runs."""
    enough = threading.Event()

    def read() -> None:
        with suppress(OSError):
            while not enough.wait(0.05):
                wire.socket.recv(4096)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def upload_whole(port: int, path: str, length: int) -> None:
    with Wire(port) as wire:
        wire.send(patch_head(path, length), b"x" * length)
        assert 204 == wire.response().status


def wait_until_deaf(port: int) -> None:
    """Wait until the server takes no more connections: it has seen the first signal."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.01)
    raise AssertionError("The server still takes connections.")
