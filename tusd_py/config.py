"""Settings: typed, frozen, checked as a whole, and passed down as one object.

``Config`` is the behaviour of the app, wherever it runs; ``Settings`` adds what only the
standalone server needs. Nothing here reads a file or the environment: that is the command line's.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from tusd_py.errors import ConfigError
from tusd_py.quantities import GiB, KiB, MiB, days, shown

Durability = Literal["disk", "process"]
LogFormat = Literal["auto", "console", "json", "none"]
LogLevel = Literal["debug", "info", "warning", "error", "critical"]
LayoutName = Literal["date", "id"]
HookName = Literal[
    "pre-access",
    "pre-create",
    "post-create",
    "post-receive",
    "pre-finish",
    "post-finish",
    "pre-terminate",
    "post-terminate",
]

UNIX = "unix"
"""Stands among ``trusted_proxies`` for who connects to a socket file, and has no address."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cors:
    """Which pages of other origins may use the server from a browser."""

    origins: tuple[str, ...]
    """``("*",)`` for all, or exact origins such as ``https://app.example``."""

    credentials: bool = False
    """Let pages send cookies; needs exact origins. Default: no."""

    max_age: int = 86400
    """For how many seconds browsers may keep the answer to a preflight. Default: a day."""

    extra_headers: tuple[str, ...] = ()
    """Request headers that pages may send beside those of the protocol. Default: none."""

    def __post_init__(self) -> None:
        problems = _problems(self, CORS_CHECKS)
        if self.credentials and "*" in self.origins:
            problems.append('credentials: Browsers want exact origins with it, not "*".')
        _refuse(problems)


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpHooks:
    """What an application is asked and told over HTTP. Sizes are in bytes, times in seconds."""

    url: str
    """Where the requests go: ``http`` or ``https``, without a user or a password in it."""

    enabled_events: tuple[HookName, ...] = (
        "pre-create",
        "post-create",
        "post-receive",
        "post-terminate",
        "post-finish",
    )
    """Which hooks there are. Default: all but ``pre-access``, ``pre-finish``, ``pre-terminate``."""

    forward_headers: tuple[str, ...] = ()
    """Headers of clients' requests that the hooks' requests have too. Default: none."""

    retry: int = 3
    """How often one that is waited for is tried, before it has failed. Default: 3."""

    backoff: float = 1.0
    """How long to wait before each further try. Default: 1."""

    timeout: float = 15.0
    """How long a hook may take, with all its tries. Default: 15."""

    size_limit: int = 5 * KiB
    """The most bytes of an answer. Default: 5 KiB."""

    progress_interval: float = 1.0
    """How often ``post-receive`` tells of a running transfer. Default: 1."""

    max_attempts: int = 30
    """How often one that is not waited for is sent, before it is put aside. Default: 30, which
    takes about 18 hours.
    """

    secret_file: Path | None = None
    """The file of the secret that signs the requests. Default: ``None``, they are not signed."""

    def __post_init__(self) -> None:
        _refuse(_problems(self, HOOKS_CHECKS))


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """How the app behaves. All sizes are in bytes and all times in seconds.

    Raises:
        ConfigError: Values are wrong; it names all of them.
    """

    max_size: int | None = None
    """The most bytes that one upload may have. Default: no limit."""

    expire_after: float | None = days(7)
    """Remove an unfinished upload after this long without a byte; ``None`` never does.

    Default: 7 days.
    """

    durability: Durability = "disk"
    """What an acknowledged byte survives: ``disk`` the loss of power, ``process`` the death of the
    server's process only, which is faster. Default: ``disk``.
    """

    cors: Cors | None = None
    """Pages of which origins may upload from a browser. Default: ``None``, those of its own."""

    trusted_proxies: tuple[str, ...] = ()
    """Networks such as ``10.0.0.0/8`` whose ``Forwarded`` and ``X-Forwarded-*`` headers are
    believed, and ``unix`` for who connects to a socket file. Default: none.
    """

    gone_status: Literal[404, 410] = 404
    """The status for uploads that are not there, or not any more. Default: 404."""

    relative_location: bool = False
    """Answer with a path in ``Location``, not with a whole URL. Default: no."""

    lock_timeout: float = 15.0
    """How long a request waits in seconds for another one to let go of the upload. Default: 15."""

    idle_timeout: float = 60.0
    """Give up on a body that brings no byte for this many seconds, and in the standalone server on
    a download of which no byte is read for as long. Default: 60.
    """

    min_rate: int | None = None
    """Give up on a body that brings fewer bytes per second, over ``idle_timeout`` seconds of
    waiting for them. Default: no least rate.
    """

    max_uploads: int | None = 5000
    """How many transfers the process runs at once; ``None`` is no limit. Beyond it, new uploads
    are answered with 503, and requests that continue one wait up to ``lock_timeout`` for their
    turn. Default: 5000.
    """

    max_uploads_per_client: int | None = None
    """The same for each client's address, which a whole office may share. Default: no limit."""

    subject_bytes: int | None = None
    """The most bytes that all uploads of one subject may have together, finished ones too. It is
    looked at again when an upload is complete. Default: no limit.
    """

    subject_unfinished: int | None = None
    """The most unfinished uploads that one subject may have. Default: no limit."""

    subject_rate: int | None = None
    """The most uploads that one subject may create in a minute, but for those that were removed
    since. Default: no limit.
    """

    buffer_budget: int = 64 * MiB
    """How many bytes all transfers of the process may hold in memory together. Default: 64 MiB."""

    direct_body: bool = True
    """Take large bodies straight from the socket to the file, and send downloads straight from the
    file, which is faster. It is done where the server can: the standalone one on Linux and macOS.
    Default: yes.
    """

    sync_bytes: int = 64 * MiB
    """Make a long request durable every so many bytes, while it runs. Default: 64 MiB."""

    sync_seconds: float = 10.0
    """The same, by time: every so many seconds. Default: 10."""

    sweep_interval: float = 60.0
    """Look for expired uploads every so many seconds; 0 never does. Default: 60."""

    recover_at_start: bool = True
    """Clean up after a process that died, in the background of each start: remove what is nobody's,
    and finish what has all its bytes. Of several processes on one folder, one does, and again after
    another died. Default: yes.
    """

    min_free: int | None = 100 * MiB
    """Not to be ready (``/readyz``) with less room than this; ``None`` does not look.

    Default: 100 MiB.
    """

    max_outbox: int | None = 10_000
    """Not to be ready (``/readyz``) while more events than this wait to be told to the application;
    ``None`` does not look. Default: 10000.
    """

    disable_download: bool = False
    """Don't answer GET. Default: stored files can be downloaded."""

    download_unfinished: bool = False
    """Answer GET on an unfinished upload with the bytes that are recorded. Default: no."""

    disable_termination: bool = False
    """Don't answer DELETE. Default: clients may remove uploads."""

    disable_concatenation: bool = False
    """Don't make one upload of several. Default: clients may."""

    hooks: HttpHooks | None = None
    """What an application is asked and told over HTTP. Default: ``None``, nothing."""

    def __post_init__(self) -> None:
        _refuse(_problems(self, CONFIG_CHECKS))


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """How the machine's links are watched, and which one is used. Times are in seconds.

    Raises:
        ConfigError: Values are wrong; it names all of them.
    """

    reconnectdelay: float = 2.0
    """For how long an interface must not change to have settled. Default: 2."""

    interface_priority: tuple[str, ...] = ()
    """Names of interfaces, the best first; others come after them, by their kind.

    Default: none.
    """

    interface_override: str | None = None
    """The interface to use whenever it can be used, however good it is. Default: none."""

    auto_switch_enabled: bool = True
    """Leave an interface that is lost or bad for another. Default: yes."""

    switch_threshold_latency: float = 0.5
    """A link with longer round trips is bad. Default: 0.5."""

    switch_threshold_packet_loss: float = 0.05
    """A link that loses a larger share than this, from 0 to 1, is bad. Default: 0.05."""

    switch_dwell: float = 10.0
    """The least time between two switches, unless the interface in use is lost. Default: 10."""

    switch_return: float = 30.0
    """How long a preferred interface has to be good before it is used again. Default: 30."""

    probe_target: str | None = None
    """``host:port`` to connect to over each interface, to measure it. Default: none."""

    probe_interval: float = 1.0
    """The time between two measurements. Default: 1."""

    def __post_init__(self) -> None:
        _refuse(_problems(self, NETWORK_CHECKS))


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

    network: Network = field(default_factory=Network)
    """How links are watched."""

    app: Config = field(default_factory=Config)
    """The behaviour of the app."""

    def __post_init__(self) -> None:
        problems = _problems(self, SETTINGS_CHECKS)
        if not problems and self.metrics_path in (self.base_path, self.base_path.rstrip("/")):
            problems.append("metrics_path: It is the path of the uploads too.")
        if self.tls_key is not None and self.tls_cert is None:
            problems.append("tls_key: It needs tls_cert.")
        _refuse(problems)


Check = Callable[[object], str | None]
"""Says in a sentence what is wrong with a value, or nothing."""

# What fits a file offset and an SQLite integer.
_MOST_BYTES = 2**63 - 1
# Further away there are no dates to put into headers.
_MOST_DAYS = 36_500

_ORIGIN = re.compile(
    r"[a-z][a-z0-9+.-]*://(?:\[[0-9a-f:.]+\]|[^\s/?#@:*,A-Z\[\]]+)(?::[0-9]{1,5})?"
)
_DEFAULT_PORT = re.compile(r"(?:http://.*:80|https://.*:443)")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HOOK_URL = re.compile(r"https?://[\x21-\x22\x24-\x7e]+", re.IGNORECASE)
# They belong to one connection, or say what the request's own body is.
_NOT_FORWARDED = frozenset(
    (
        *("connection", "content-encoding", "content-length", "content-type", "expect", "host"),
        *("keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer"),
        *("transfer-encoding", "upgrade"),
    )
)
_PAGE = re.compile(r"(?!/(?:healthz|readyz)$)(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
_INTERFACE = re.compile(r"[^\x00-\x1f/]{1,256}")
_TARGET = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s/:\[\]]+):0*[1-9][0-9]{0,4}")
_BASE_PATH = re.compile(r"/|(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+/?")


def _test(is_good: Callable[[object], bool], kind: str) -> Check:
    return lambda value: None if is_good(value) else f"{shown(value)} is not {kind}."


def _whole(low: int, high: int, of: str) -> Check:
    kind = f"a {of} from {low} to {high}"
    return _test(lambda value: type(value) is int and low <= value <= high, kind)


def _within(low: float, high: float, kind: str) -> Check:
    def is_good(value: object) -> bool:
        return (type(value) is int or type(value) is float) and low <= value <= high

    return _test(is_good, kind)


def _time(*, zero: bool = False) -> Check:
    def is_good(value: object) -> bool:
        if type(value) is not int and type(value) is not float:
            return False
        return (value > 0 or (zero and value == 0)) and value <= days(_MOST_DAYS)

    low = "0" if zero else "more than 0"
    return _test(is_good, f"a number of seconds, {low} and at most {_MOST_DAYS} days")


def _one_of(*options: object) -> Check:
    return _test(lambda value: value in options, "one of " + ", ".join(map(shown, options)))


def _text(pattern: re.Pattern[str], kind: str) -> Check:
    return _test(lambda value: isinstance(value, str) and bool(pattern.fullmatch(value)), kind)


def _a(kind: type, name: str) -> Check:
    return _test(lambda value: isinstance(value, kind), name)


def _optional(check: Check) -> Check:
    return lambda value: None if value is None else check(value)


def _each(check: Check) -> Check:
    def problem(value: object) -> str | None:
        if not isinstance(value, tuple):
            return f"{shown(value)} is not a tuple."
        return " ".join(filter(None, map(check, value))) or None

    return problem


def _is_origin(value: object) -> bool:
    if not isinstance(value, str) or _DEFAULT_PORT.fullmatch(value):
        return False
    return bool(_ORIGIN.fullmatch(value))


def _origins(value: object) -> str | None:
    if value == ("*",):
        return None
    if isinstance(value, tuple) and "*" in value:
        return '"*" stands for all origins, so it stands alone.'
    kind = "an origin as browsers send it, such as https://app.example"
    return _each(_test(_is_origin, kind))(value) if value else "There is not even one."


def _is_network(value: object) -> bool:
    if value == UNIX:
        return True
    try:
        return isinstance(value, str) and bool(ip_network(value))
    except ValueError:
        return False


def _is_hook_url(value: object) -> bool:
    if not isinstance(value, str) or not _HOOK_URL.fullmatch(value):
        return False
    try:
        parts = urlsplit(value)
        return bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return False


def _is_forwarded(value: object) -> bool:
    if not isinstance(value, str) or not _HEADER_NAME.fullmatch(value):
        return False
    return value.lower() not in _NOT_FORWARDED and not value.lower().startswith("webhook-")


_bytes = _whole(1, _MOST_BYTES, "number of bytes")
_transfers = _whole(1, 1_000_000, "number of transfers")
_uploads = _whole(1, 1_000_000, "number of uploads")
_yes_or_no = _a(bool, "true or false")

CORS_CHECKS: Mapping[str, Check] = {
    "origins": _origins,
    "credentials": _yes_or_no,
    "max_age": _whole(0, 604_800, "number of seconds"),
    "extra_headers": _each(_text(_HEADER_NAME, "the name of a header")),
}

HOOKS_CHECKS: Mapping[str, Check] = {
    # It may hold a secret, so it is not repeated.
    "url": lambda value: (
        None
        if _is_hook_url(value)
        else "It is not a URL such as https://app.example/hooks, without a password."
    ),
    "enabled_events": _each(_one_of(*get_args(HookName))),
    "forward_headers": _each(_test(_is_forwarded, "the name of a header that can be passed on")),
    "retry": _whole(1, 100, "number of tries"),
    "backoff": _time(zero=True),
    "timeout": _time(),
    "size_limit": _whole(2, MiB, "number of bytes"),
    "progress_interval": _time(),
    "max_attempts": _whole(1, 1_000_000, "number of attempts"),
    "secret_file": _optional(_a(Path, "a Path")),
}

CONFIG_CHECKS: Mapping[str, Check] = {
    "max_size": _optional(_bytes),
    "expire_after": _optional(_time()),
    "durability": _one_of(*get_args(Durability)),
    "cors": _optional(_a(Cors, "a Cors object")),
    "trusted_proxies": _each(_test(_is_network, "a network such as 10.0.0.0/8")),
    "gone_status": _one_of(404, 410),
    "relative_location": _yes_or_no,
    "lock_timeout": _time(),
    "idle_timeout": _time(),
    "min_rate": _optional(_bytes),
    "max_uploads": _optional(_transfers),
    "max_uploads_per_client": _optional(_transfers),
    "subject_bytes": _optional(_bytes),
    "subject_unfinished": _optional(_uploads),
    "subject_rate": _optional(_uploads),
    "buffer_budget": _bytes,
    "direct_body": _yes_or_no,
    "sync_bytes": _bytes,
    "sync_seconds": _time(),
    "sweep_interval": _time(zero=True),
    "recover_at_start": _yes_or_no,
    "min_free": _optional(_bytes),
    "max_outbox": _optional(_whole(1, 1_000_000, "number of events")),
    "disable_download": _yes_or_no,
    "download_unfinished": _yes_or_no,
    "disable_termination": _yes_or_no,
    "disable_concatenation": _yes_or_no,
    "hooks": _optional(_a(HttpHooks, "an HttpHooks object")),
}

NETWORK_CHECKS: Mapping[str, Check] = {
    "reconnectdelay": _time(zero=True),
    "interface_priority": _each(_text(_INTERFACE, "the name of an interface")),
    "interface_override": _optional(_text(_INTERFACE, "the name of an interface")),
    "auto_switch_enabled": _yes_or_no,
    "switch_threshold_latency": _within(0.001, 60, "a time from 1ms to 60s"),
    "switch_threshold_packet_loss": _within(0, 1, "a share from 0% to 100%"),
    "switch_dwell": _time(zero=True),
    "switch_return": _time(zero=True),
    "probe_target": _optional(_text(_TARGET, "of the form host:port or [::1]:port")),
    "probe_interval": _time(),
}

SETTINGS_CHECKS: Mapping[str, Check] = {
    "host": _text(re.compile(r"[^\s/]+"), "an address or a host's name"),
    "port": _whole(0, 65_535, "port"),
    "unix_socket": _optional(_a(Path, "a Path")),
    "unix_socket_mode": _whole(0, 0o777, "mode"),
    "tls_cert": _optional(_a(Path, "a Path")),
    "tls_key": _optional(_a(Path, "a Path")),
    "data_dir": _a(Path, "a Path"),
    "base_path": _text(_BASE_PATH, "a path such as /files/, of letters, digits and any of ._~-"),
    "workers": _whole(1, 1024, "number of processes"),
    "cpu_affinity": _yes_or_no,
    "log_format": _one_of(*get_args(LogFormat)),
    "log_level": _one_of(*get_args(LogLevel)),
    "metrics_path": _optional(_text(_PAGE, "a path such as /metrics")),
    "auth_keys": _optional(_a(Path, "a Path")),
    "layout": _one_of(*get_args(LayoutName)),
    "header_timeout": _time(),
    "max_header_size": _whole(KiB, GiB, "number of bytes"),
    "keep_alive_timeout": _time(),
    "shutdown_grace": _time(zero=True),
    "network": _a(Network, "a Network object"),
    "app": _a(Config, "a Config object"),
}


def _problems(values: object, checks: Mapping[str, Check]) -> list[str]:
    found = ((name, check(getattr(values, name))) for name, check in checks.items())
    return [f"{name}: {problem}" for name, problem in found if problem]


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ConfigError(problems)
