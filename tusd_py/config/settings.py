"""What the standalone server needs beside the behaviour of the app."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, get_args

from tusd_py.quantities import GiB, KiB

from .app import Config
from .checks import (
    YES_OR_NO,
    Check,
    instance,
    one_of,
    optional,
    problems_of,
    refuse,
    seconds,
    text,
    whole,
)

LogFormat = Literal["auto", "console", "json", "none"]
LogLevel = Literal["debug", "info", "warning", "error", "critical"]
LayoutName = Literal["date", "id"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What the standalone server needs beside ``app``. Sizes are in bytes, times in seconds.

    Raises:
        ConfigError: Values are wrong; it names all of them.
    """

    host: str = "127.0.0.1"
    """The address or name to listen on. Default: loopback only."""

    port: int = 1080
    """The TCP port to listen on; 0 takes a free one. Default: 1080."""

    unix_socket: Path | None = None
    """The socket file to listen on instead of a port. Default: ``None``, a port."""

    unix_socket_mode: int = 0o660
    """Who may connect to it, as the rights of a file. Default: 0o660, its owner and group."""

    tls_cert: Path | None = None
    """The file of the certificate, and of those that it builds upon, in PEM form; HTTPS is spoken
    then. Default: ``None``, HTTP.
    """

    tls_key: Path | None = None
    """The file of its key, in PEM form. Default: ``None``, it is in that of the certificate."""

    data_dir: Path = Path("data")
    """The folder for uploads and the database, created at the start. Default: ``data``."""

    base_path: str = "/files/"
    """The path below which uploads live, with or without its last slash. Default: ``/files/``."""

    workers: int = 1
    """The number of processes. Default: 1."""

    cpu_affinity: bool = False
    """Keep each process on a processor of its own, but for the work on large bodies: up to twice as
    many small uploads. For machines that do little else, as no other processor steps in when that
    one is busy. Default: no.
    """

    log_format: LogFormat = "auto"
    """``console``, ``json``, or ``none`` for warnings and errors only. Default: ``auto``, which is
    ``console`` on a terminal and ``json`` elsewhere.
    """

    log_level: LogLevel = "info"
    """The least serious level that is logged. Default: ``info``."""

    metrics_path: str | None = "/metrics"
    """The path of the page for Prometheus; ``None`` is no page. Default: ``/metrics``."""

    auth_keys: Path | None = None
    """The TOML file of the keys that sign grants and capabilities, which are asked for then.

    Default: ``None``, anybody may upload.
    """

    layout: LayoutName = "date"
    """Where finished files go: ``date`` in folders by day, ``id`` all in one. Default: ``date``."""

    header_timeout: float = 10.0
    """How many seconds a client has to send a request's headers. Default: 10."""

    max_header_size: int = 64 * KiB
    """The most bytes of a request's headers. Default: 64 KiB."""

    keep_alive_timeout: float = 75.0
    """Close a connection after this many seconds without a request. Default: 75."""

    shutdown_grace: float = 10.0
    """How many seconds open requests have to end when the server is told to stop. Default: 10."""

    app: Config = field(default_factory=Config)
    """The behaviour of the app."""

    def __post_init__(self) -> None:
        problems = problems_of(self, SETTINGS_CHECKS)
        if not problems and self.metrics_path in (self.base_path, self.base_path.rstrip("/")):
            problems.append("metrics_path: It is the path of the uploads too.")
        if self.tls_key is not None and self.tls_cert is None:
            problems.append("tls_key: It needs tls_cert.")
        refuse(problems)


_PAGE = re.compile(r"(?!/(?:healthz|readyz)$)(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
_BASE_PATH = re.compile(r"/|(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+/?")

SETTINGS_CHECKS: Final[Mapping[str, Check]] = {
    "host": text(re.compile(r"[^\s/]+"), "an address or a host's name"),
    "port": whole(0, 65_535, "port"),
    "unix_socket": optional(instance(Path, "a Path")),
    "unix_socket_mode": whole(0, 0o777, "mode"),
    "tls_cert": optional(instance(Path, "a Path")),
    "tls_key": optional(instance(Path, "a Path")),
    "data_dir": instance(Path, "a Path"),
    "base_path": text(_BASE_PATH, "a path such as /files/, of letters, digits and any of ._~-"),
    "workers": whole(1, 1024, "number of processes"),
    "cpu_affinity": YES_OR_NO,
    "log_format": one_of(*get_args(LogFormat)),
    "log_level": one_of(*get_args(LogLevel)),
    "metrics_path": optional(text(_PAGE, "a path such as /metrics")),
    "auth_keys": optional(instance(Path, "a Path")),
    "layout": one_of(*get_args(LayoutName)),
    "header_timeout": seconds(),
    "max_header_size": whole(KiB, GiB, "number of bytes"),
    "keep_alive_timeout": seconds(),
    "shutdown_grace": seconds(zero=True),
    "app": instance(Config, "a Config object"),
}
