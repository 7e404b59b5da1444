"""``tusd-py serve``."""

import shlex
import sys
from collections.abc import Callable
from ipaddress import ip_address
from socket import socket

import click

from tusd_py import __version__, telemetry
from tusd_py.config import Settings

from .failures import CannotStart, explained
from .folder import check_database, check_keys, only_server
from .tls import check_tls

log = telemetry.get_logger("tusd_py.cli")


def serve(settings: Settings) -> int:
    """Serve until told to stop; returns the exit code.

    Log lines go to stdout. What is meant for a person goes to stderr, so that either can be had
    alone.
    """
    telemetry.configure(settings.log_format, settings.log_level, sys.stdout)

    def on_listening(url: str) -> None:
        click.echo(_greeting(settings, url), err=True)
        if telemetry.rendering(settings.log_format, sys.stdout) == "json":
            log.info("server.started", **_facts(settings, url))

    with explained(settings), only_server(settings.data_dir):
        from tusd_py.serving.descriptors import raise_descriptors
        from tusd_py.wiring import database

        check_database(settings.data_dir, database(settings))
        check_keys(settings.auth_keys)
        check_tls(settings.tls_cert, settings.tls_key)
        warning = raise_descriptors(settings.app.max_uploads)
        if warning is not None:
            click.echo(f"Warning: {warning}", err=True)
        if settings.workers > 1:
            from tusd_py.metrics.shared import clean
            from tusd_py.serving.workers import supervise

            clean(settings.data_dir / "metrics")
            return supervise(settings, work, on_listening)
        from tusd_py.serving.server import serve as run

        from .app import build_app

        return run(build_app(settings), settings, on_listening)


def work(
    settings: Settings, listener: socket, on_listening: Callable[[str], None], number: int
) -> int:
    """Serve as one of several processes; returns the exit code."""
    from tusd_py.metrics.shared import shared_meters
    from tusd_py.serving.server import serve_on
    from tusd_py.wiring import metrics_folder

    from .app import build_app

    telemetry.configure(settings.log_format, settings.log_level, sys.stdout)
    try:
        with explained(settings):
            folder = metrics_folder(settings)
            app = build_app(settings, shared_meters(folder) if folder is not None else None)
            return serve_on(listener, app, settings, on_listening, number=number)
    except CannotStart as error:
        error.show()
        return error.exit_code


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to an address to listen on."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _is_open(settings: Settings) -> bool:
    return settings.unix_socket is None and not is_loopback(settings.host)


def _facts(settings: Settings, url: str) -> dict[str, object]:
    return {
        "url": url,
        "data_dir": str(settings.data_dir.absolute()),
        "durability": settings.app.durability,
        "version": __version__,
        "open_to_network": _is_open(settings),
        "authentication": "none" if settings.auth_keys is None else "grants",
    }


def _greeting(settings: Settings, url: str) -> str:
    here = _from_here(url)
    where = shlex.quote(here)
    if settings.unix_socket is not None:
        socket_file = shlex.quote(str(settings.unix_socket.absolute()))
        where = f"--unix-socket {socket_file} http://localhost{settings.base_path}"
    grant, bearer, headers = "", "", ""
    if settings.auth_keys is not None:
        keys = shlex.quote(str(settings.auth_keys))
        create = f"tusd-py token create --keys {keys} --subject me --max-length 10MB"
        grant = f"  GRANT=$({create})\n"
        bearer = ' -H "Authorization: Bearer $GRANT"'
        headers = ", headers: { Authorization: `Bearer ${grant}` }"
    curl = (
        f"curl -i -X POST {where} -H 'Tus-Resumable: 1.0.0' -H 'Upload-Length: 5' "
        f"-H 'Content-Type: application/offset+octet-stream'{bearer} --data-binary hello"
    )
    lines = [
        f"tusd-py {__version__} listens on {url}",
        f"and stores under {settings.data_dir.absolute()}",
        "",
        "Upload five bytes with curl:",
        f"{grant}  {curl}",
    ]
    if settings.unix_socket is None:
        lines += [
            "or a file with tus-js-client:",
            f'  new tus.Upload(file, {{ endpoint: "{here}"{headers} }}).start()',
        ]
    if settings.app.cors is None:
        lines.append("Pages of other origins need --cors-origin.")
    if settings.auth_keys is None and _is_open(settings):
        lines += ["", _warning(settings.host)]
    return "\n".join(lines) + "\n"


def _from_here(url: str) -> str:
    # Not every client can connect to "all addresses".
    return url.replace("//0.0.0.0:", "//127.0.0.1:", 1).replace("//[::]:", "//[::1]:", 1)


def _warning(host: str) -> str:
    return (
        f"Warning: the server listens on {host}, and asks nobody who they are: anyone who can "
        'reach it can write to this disk. Ask for grants: make keys with "tusd-py keys new --file '
        'keys.toml" and serve with --auth-keys keys.toml; or keep it behind a proxy that checks.'
    )
