"""What the server listens on: a TCP port, or a socket file."""

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tusd_py.config import Settings

# Of whoever listens already, an answer comes at once.
_PROBE_SECONDS = 1.0
# So many questions without an answer mean that a client has gone.
_PROBES = 3


class CannotListen(Exception):
    """There is no listening on a socket file; the text is a sentence."""


@contextmanager
def listening(settings: Settings) -> Iterator[socket.socket]:
    """Have the socket to listen on, until the end of the block.

    Raises:
        OSError: The address cannot be had.
        CannotListen: The socket file cannot be had.
    """
    if settings.unix_socket is not None:
        with _on_file(settings.unix_socket.absolute(), settings.unix_socket_mode) as listener:
            yield listener
    else:
        with _on_port(settings.host, settings.port) as listener:
            keep_alive(listener, settings.app.network.keepaliveinterval)
            yield listener


def keep_alive(listener: socket.socket, interval: int) -> None:
    """Have the system ask silent clients whether they are there, where it does.

    Accepted connections have what their listener has.

    Args:
        listener: For TCP.
        interval: Seconds of silence before each question; 0 asks none.
    """
    if not interval or not hasattr(socket, "TCP_KEEPINTVL"):
        return
    # macOS has another name for it.
    idle = getattr(socket, "TCP_KEEPIDLE", None) or getattr(socket, "TCP_KEEPALIVE", None)
    if idle is None:
        return
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    listener.setsockopt(socket.IPPROTO_TCP, idle, interval)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)


def url_of(listener: socket.socket, settings: Settings) -> str:
    """The URL to create uploads at; for a socket file as nginx writes one."""
    path = settings.base_path.rstrip("/") + "/"
    if settings.unix_socket is not None:
        return f"http://unix:{settings.unix_socket.absolute()}:{path}"
    port = listener.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    scheme = "http" if settings.tls_cert is None else "https"
    return f"{scheme}://{host}:{port}{path}"


def _on_port(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


@contextmanager
def _on_file(path: Path, mode: int) -> Iterator[socket.socket]:
    try:
        _check_stale(path)
        listener = _bound_to(path, mode)
    except OSError as error:
        raise CannotListen(f"The server cannot listen on {path}: {_reason(error)}.") from error
    own = path.stat()
    try:
        with listener:
            yield listener
    finally:
        # Somebody may have put another in its place.
        with suppress(OSError):
            if os.path.samestat(own, path.stat()):
                path.unlink()


def _check_stale(path: Path) -> None:
    """Let nothing be at a path, or a socket on which nobody listens."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise CannotListen(f"{path} is no socket, and stays as it is. Name another path.")
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(_PROBE_SECONDS)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return
        except (BlockingIOError, TimeoutError):
            # More wait for it already than it lets wait.
            pass
    raise CannotListen(f"Another program listens on {path} already. Stop it, or name another path.")


def _bound_to(path: Path, mode: int) -> socket.socket:
    """Make a socket that has its rights before it takes its place."""
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    listener = socket.socket(socket.AF_UNIX)
    try:
        aside.unlink(missing_ok=True)
        listener.bind(str(aside))
        aside.chmod(mode)
        aside.rename(path)
    except BaseException:
        listener.close()
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise
    return listener


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
