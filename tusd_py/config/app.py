"""The behaviour of the app, wherever it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Final, Literal, get_args

from tusd_py.quantities import MiB, days

from .checks import (
    BYTES,
    YES_OR_NO,
    Check,
    each,
    instance,
    one_of,
    optional,
    problems_of,
    refuse,
    seconds,
    test,
    whole,
)
from .cors import Cors
from .hooks import HttpHooks
from .network import Network
from .streaming import Streaming

Durability = Literal["disk", "process"]

UNIX = "unix"
"""Stands among ``trusted_proxies`` for who connects to a socket file, and has no address."""


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

    client_profiles: bool = True
    """Remember for a day how fast, how far away and how reliable each client is, by its subject or
    else its address. Turn it off where many clients share addresses. Default: yes.
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

    network: Network = field(default_factory=Network)
    """How links are watched."""

    streaming: Streaming = field(default_factory=Streaming)
    """How bytes flow, and in what pieces."""

    def __post_init__(self) -> None:
        refuse(problems_of(self, CONFIG_CHECKS))


def _is_network(value: object) -> bool:
    if value == UNIX:
        return True
    try:
        return isinstance(value, str) and bool(ip_network(value))
    except ValueError:
        return False


_transfers = whole(1, 1_000_000, "number of transfers")
_uploads = whole(1, 1_000_000, "number of uploads")

CONFIG_CHECKS: Final[Mapping[str, Check]] = {
    "max_size": optional(BYTES),
    "expire_after": optional(seconds()),
    "durability": one_of(*get_args(Durability)),
    "cors": optional(instance(Cors, "a Cors object")),
    "trusted_proxies": each(test(_is_network, "a network such as 10.0.0.0/8")),
    "gone_status": one_of(404, 410),
    "relative_location": YES_OR_NO,
    "lock_timeout": seconds(),
    "idle_timeout": seconds(),
    "min_rate": optional(BYTES),
    "max_uploads": optional(_transfers),
    "max_uploads_per_client": optional(_transfers),
    "subject_bytes": optional(BYTES),
    "subject_unfinished": optional(_uploads),
    "subject_rate": optional(_uploads),
    "buffer_budget": BYTES,
    "direct_body": YES_OR_NO,
    "sync_bytes": BYTES,
    "sync_seconds": seconds(),
    "sweep_interval": seconds(zero=True),
    "recover_at_start": YES_OR_NO,
    "min_free": optional(BYTES),
    "max_outbox": optional(whole(1, 1_000_000, "number of events")),
    "client_profiles": YES_OR_NO,
    "disable_download": YES_OR_NO,
    "download_unfinished": YES_OR_NO,
    "disable_termination": YES_OR_NO,
    "disable_concatenation": YES_OR_NO,
    "hooks": optional(instance(HttpHooks, "an HttpHooks object")),
    "network": instance(Network, "a Network object"),
    "streaming": instance(Streaming, "a Streaming object"),
}
