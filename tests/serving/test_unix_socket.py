"""The whole server on a socket file, with one process and with several."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from tests.support.live import Wire, patch_head
from tests.support.server import ServerProcess

DATA = Random(11).randbytes(4 * 1024 * 1024)  # noqa: S311 - a test must be repeatable


@pytest.fixture
def path() -> Iterator[Path]:
    """Where a socket file can be: their paths are short."""
    with TemporaryDirectory() as folder:
        yield Path(folder) / "tus.sock"


@pytest.fixture(params=["1", "2"], ids=["one process", "two"])
def server(request: pytest.FixtureRequest, path: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    options = ("--workers", request.param, "--trusted-proxy", "unix", "--durability", "process")
    with ServerProcess(tmp_path / "data", *options, unix_socket=path) as server:
        yield server


@pytest.mark.usefixtures("server")
def test_a_file_goes_up_and_comes_back(path: Path) -> None:
    length = str(len(DATA))
    with Wire(path) as wire:
        created = wire.request("POST", "/files/", upload_length=length, x_forwarded_proto="https")
        location = created.headers["location"]
        assert location.startswith("https://testserver/files/")
        upload = location.removeprefix("https://testserver")
        wire.send(patch_head(upload, len(DATA)), DATA)
        assert 204 == wire.response().status
        assert DATA == wire.request("GET", upload).body
        assert DATA[-1000:] == wire.request("GET", upload, range="bytes=-1000").body


def test_the_log_has_the_client_that_the_proxy_names(server: ServerProcess, path: Path) -> None:
    with Wire(path) as wire:
        assert 404 == wire.request("HEAD", "/files/x", x_forwarded_for="203.0.113.9").status
    server.stop()

    assert '"client":"203.0.113.9"' in server.log()


def test_the_file_is_gone_after_a_stop_and_replaced_after_a_kill(
    tmp_path: Path, path: Path
) -> None:
    server = ServerProcess(tmp_path / "data", unix_socket=path).start()
    server.kill()
    assert path.exists()
    server.start()
    assert 0 == server.stop()
    assert not path.exists()


def test_what_is_no_socket_is_said_in_one_sentence_with_exit_1(tmp_path: Path, path: Path) -> None:
    path.write_text("precious")
    result = ServerProcess(tmp_path / "data", unix_socket=path).run_to_its_end()

    assert 1 == result.returncode
    assert f"{path} is no socket" in result.stderr
    assert "Traceback" not in result.stderr
