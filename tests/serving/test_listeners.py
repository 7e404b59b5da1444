"""The socket file: who may connect, and what becomes of one that was there before."""

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tusd_py.config import Config, Network, Settings
from tusd_py.serving.listeners import CannotListen, listening, url_of


@pytest.fixture
def path() -> Iterator[Path]:
    """Where a socket file can be: their paths are short."""
    with TemporaryDirectory() as folder:
        yield Path(folder) / "tus.sock"


def settings(path: Path, mode: int = 0o660) -> Settings:
    return Settings(unix_socket=path, unix_socket_mode=mode)


def connects(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
def test_it_has_its_mode_whatever_the_umask(path: Path, mode: int) -> None:
    before = os.umask(0o077)
    try:
        with listening(settings(path, mode)) as listener:
            listener.listen()
            assert stat.S_ISSOCK(path.stat().st_mode)
            assert mode == stat.S_IMODE(path.stat().st_mode)
            assert [path] == [*path.parent.iterdir()]
            assert connects(path)
            assert f"http://unix:{path}:/files/" == url_of(listener, settings(path))
    finally:
        os.umask(before)


def test_it_goes_with_the_server(path: Path) -> None:
    with listening(settings(path)):
        pass

    assert [] == [*path.parent.iterdir()]


def test_one_that_nobody_listens_on_is_replaced(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert path.exists()

    with listening(settings(path)) as listener:
        listener.listen()
        assert connects(path)


def test_one_that_somebody_listens_on_stays(path: Path) -> None:
    with listening(settings(path)) as listener:
        listener.listen()
        with pytest.raises(CannotListen, match="already"), listening(settings(path)):
            pass
        assert connects(path)


def test_one_whose_server_is_too_busy_to_accept_stays(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(path))
        busy.listen(0)
        waiting.connect(str(path))
        with pytest.raises(CannotListen, match="already"), listening(settings(path)):
            pass
        assert path.exists()


def test_what_is_no_socket_stays(path: Path) -> None:
    path.write_text("precious")

    with pytest.raises(CannotListen, match="stays as it is"), listening(settings(path)):
        pass

    assert "precious" == path.read_text()


def test_a_link_to_somewhere_stays(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))

    with pytest.raises(CannotListen, match="stays as it is"), listening(settings(path)):
        pass

    assert path.is_symlink()


def test_what_took_its_place_stays(path: Path) -> None:
    with listening(settings(path)):
        path.unlink()
        path.write_text("another's")

    assert "another's" == path.read_text()


@pytest.mark.parametrize("name", ["x" * 120])
def test_a_path_that_cannot_be_is_explained(path: Path, name: str) -> None:
    with (
        pytest.raises(CannotListen, match="cannot listen on"),
        listening(settings(path / ".." / name)),
    ):
        pass


@pytest.mark.skipif(not hasattr(socket, "TCP_KEEPIDLE"), reason="The system has other names.")
@pytest.mark.parametrize("interval", [0, 7])
def test_accepted_connections_are_asked_whether_they_are_there(interval: int) -> None:
    network = Network(keepaliveinterval=interval)
    with listening(Settings(port=0, app=Config(network=network))) as listener:
        listener.listen()
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            asked = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            how = [accepted.getsockopt(socket.IPPROTO_TCP, option) for option in options]
    assert bool(interval) is bool(asked)
    assert not interval or [7, 7, 3] == how
