"""The one table of settings, from which TOML keys, environment variables and flags follow."""

import sys
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Final, get_args

from tusd_py import affinity, config
from tusd_py.config import Check, Config, Cors, HttpHooks, Network, Settings, Streaming

from .kinds import (
    DURATION,
    FILE,
    FOLDER,
    LATENCY,
    MODE,
    NUMBER,
    SHARE,
    SIZE,
    SWITCH,
    TEXT,
    WHOLE_SECONDS,
    Kind,
    choice,
    or_none,
    texts,
)

PREFIX: Final = "TUSD_PY_"
CONFIG_FLAG: Final = "--config"
CONFIG_VARIABLE: Final = f"{PREFIX}CONFIG"


@dataclass(frozen=True, slots=True)
class Group:
    """An object that holds settings, and the checks of its attributes."""

    type: (
        type[Settings]
        | type[Config]
        | type[Cors]
        | type[HttpHooks]
        | type[Network]
        | type[Streaming]
    )
    checks: Mapping[str, Check]


GROUPS: Final[Mapping[str, Group]] = {
    "": Group(Settings, config.SETTINGS_CHECKS),
    "app": Group(Config, config.CONFIG_CHECKS),
    "app.cors": Group(Cors, config.CORS_CHECKS),
    "app.hooks": Group(HttpHooks, config.HOOKS_CHECKS),
    "app.network": Group(Network, config.NETWORK_CHECKS),
    "app.streaming": Group(Streaming, config.STREAMING_CHECKS),
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table."""

    name: str
    """The key in TOML; a dot separates a section from its key."""

    attribute: str
    """Where its value goes, from ``Settings`` on."""

    kind: Kind

    effect: str
    """What it does, for help."""

    secret: bool = False
    """Its value is not shown."""

    @property
    def parameter(self) -> str:
        """Its name as an identifier."""
        return self.name.replace(".", "_")

    @property
    def flag(self) -> str:
        """``--max-size``."""
        return "--" + self.parameter.replace("_", "-")

    @property
    def variable(self) -> str:
        """``TUSD_PY_MAX_SIZE``."""
        return PREFIX + self.parameter.upper()

    @property
    def group(self) -> str:
        """The key in ``GROUPS`` of the object that holds it."""
        return self.attribute.rpartition(".")[0]

    @property
    def field(self) -> str:
        """The attribute's own name in that object."""
        return self.attribute.rpartition(".")[2]

    @property
    def default(self) -> object:
        """What holds where nothing is chosen; None too for what is needed only with others."""
        found = next(f for f in fields(GROUPS[self.group].type) if f.name == self.field)
        return None if found.default is MISSING else found.default

    @property
    def help(self) -> str:
        """Effect, unit and default."""
        return f"{self.effect} Default: {self.kind.show(self.default)}."

    def read(self, value: object) -> object:
        """Read and check a value from any source.

        Raises:
            ValueError: It is wrong; the text is a sentence.
        """
        read = self.kind.read(value)
        problem = GROUPS[self.group].checks[self.field](read)
        if problem:
            raise ValueError(problem)
        if self.name == "workers" and read != 1 and sys.platform == "win32":
            raise ValueError("this system has no locks between processes; use 1.")
        if self.name == "unix_socket" and read is not None and sys.platform == "win32":
            raise ValueError("this system has no socket files that Python knows; use a port.")
        if self.name == "cpu_affinity" and read and not affinity.available():
            raise ValueError("this system does not let processes choose; leave it out.")
        return read


SETTINGS: Final = (
    Setting("host", "host", TEXT, "Address or name to listen on."),
    Setting("port", "port", NUMBER, "TCP port to listen on; 0 takes a free one."),
    Setting(
        "unix_socket",
        "unix_socket",
        or_none(FILE, "none"),
        "Socket file to listen on instead of a port, for a proxy on this machine.",
    ),
    Setting("unix_socket_mode", "unix_socket_mode", MODE, "Rights of that file."),
    Setting(
        "tls_cert",
        "tls_cert",
        or_none(FILE, "none"),
        "File of the certificate and its chain, in PEM form; with it, HTTPS is spoken.",
    ),
    Setting(
        "tls_key",
        "tls_key",
        or_none(FILE, "none"),
        "File of the certificate's key, if that is not in the same one.",
    ),
    Setting("data_dir", "data_dir", FOLDER, "Folder for uploads and the database."),
    Setting("base_path", "base_path", TEXT, "Path of URLs below which uploads live."),
    Setting("workers", "workers", NUMBER, "Number of processes that share the work."),
    Setting(
        "cpu_affinity",
        "cpu_affinity",
        SWITCH,
        "Keep each process on a processor of its own, on machines that do little else.",
    ),
    Setting(
        "log_format",
        "log_format",
        choice(*get_args(config.LogFormat)),
        "Form of log lines: auto is console on a terminal and json elsewhere; none leaves out "
        "all but warnings and errors.",
    ),
    Setting(
        "log_level",
        "log_level",
        choice(*get_args(config.LogLevel)),
        "Least serious level that is logged.",
    ),
    Setting(
        "metrics_path",
        "metrics_path",
        or_none(TEXT, "none"),
        'Path of the page for Prometheus, which all can read who can reach the server, or "none".',
    ),
    Setting(
        "auth_keys",
        "auth_keys",
        or_none(FILE, "none"),
        "File of the keys that sign grants and capabilities; with it, who has none may not upload. "
        'Make it with "tusd-py keys new".',
    ),
    Setting(
        "layout",
        "layout",
        choice(*get_args(config.LayoutName)),
        "Where finished files go: in folders by day, or all in one.",
    ),
    Setting(
        "header_timeout", "header_timeout", DURATION, "Time for a client to send request headers."
    ),
    Setting("max_header_size", "max_header_size", SIZE, "Most bytes of a request's headers."),
    Setting(
        "keep_alive_timeout",
        "keep_alive_timeout",
        DURATION,
        "Close a connection after this long without a request.",
    ),
    Setting(
        "shutdown_grace", "shutdown_grace", DURATION, "Time for open requests to end at a stop."
    ),
    Setting(
        "max_size",
        "app.max_size",
        or_none(SIZE, "none"),
        'Most bytes of one upload, such as 5GB or 5GiB, or "none".',
    ),
    Setting(
        "expire_after",
        "app.expire_after",
        or_none(DURATION, "never"),
        'Remove an unfinished upload after so long without a byte, such as 24h or 7d, or "never".',
    ),
    Setting(
        "durability",
        "app.durability",
        choice(*get_args(config.Durability)),
        "What an acknowledged byte survives: the loss of power (disk), or only the death of the "
        "server's process (process), which is faster.",
    ),
    Setting(
        "cors_origin",
        "app.cors.origins",
        texts("ORIGIN"),
        "Pages that may upload from a browser: an origin, or *. May be repeated.",
    ),
    Setting(
        "cors_credentials",
        "app.cors.credentials",
        SWITCH,
        "Let those pages send cookies; needs exact origins.",
    ),
    Setting(
        "cors_max_age",
        "app.cors.max_age",
        WHOLE_SECONDS,
        "How long browsers may keep the answer to a preflight.",
    ),
    Setting(
        "cors_header",
        "app.cors.extra_headers",
        texts("NAME"),
        "Request header that those pages may send beside the protocol's. May be repeated.",
    ),
    Setting(
        "trusted_proxy",
        "app.trusted_proxies",
        texts("CIDR"),
        "Network whose Forwarded and X-Forwarded-* headers are believed, or unix for who comes "
        "through the socket file. May be repeated.",
    ),
    Setting(
        "gone_status", "app.gone_status", NUMBER, "Status for uploads that are gone: 404 or 410."
    ),
    Setting(
        "relative_location",
        "app.relative_location",
        SWITCH,
        "Answer with a path in Location, not with a whole URL.",
    ),
    Setting(
        "lock_timeout",
        "app.lock_timeout",
        DURATION,
        "How long a request waits for another one to let go of the upload.",
    ),
    Setting(
        "idle_timeout",
        "app.idle_timeout",
        DURATION,
        "Give up on a body that brings no byte for this long, and on a download that nobody reads.",
    ),
    Setting(
        "min_rate",
        "app.min_rate",
        or_none(SIZE, "none"),
        "Give up on a body that brings fewer bytes per second, over the idle timeout, such as "
        '1KiB, or "none".',
    ),
    Setting(
        "max_uploads",
        "app.max_uploads",
        or_none(NUMBER, "none"),
        "Most transfers at once in each process: beyond it new uploads get 503, and others wait "
        'for their turn up to the lock timeout; or "none".',
    ),
    Setting(
        "max_uploads_per_client",
        "app.max_uploads_per_client",
        or_none(NUMBER, "none"),
        'The same for each client\'s address, which a whole office may share, or "none".',
    ),
    Setting(
        "subject_bytes",
        "app.subject_bytes",
        or_none(SIZE, "none"),
        "Most bytes of all uploads of one subject of grants, finished ones too, such as 50GB, or "
        '"none".',
    ),
    Setting(
        "subject_unfinished",
        "app.subject_unfinished",
        or_none(NUMBER, "none"),
        'Most unfinished uploads of one subject, or "none".',
    ),
    Setting(
        "subject_rate",
        "app.subject_rate",
        or_none(NUMBER, "none"),
        'Most uploads that one subject may create in a minute, or "none".',
    ),
    Setting(
        "buffer_budget",
        "app.buffer_budget",
        SIZE,
        "Bytes that all transfers together may hold in memory.",
    ),
    Setting(
        "direct_body",
        "app.direct_body",
        SWITCH,
        "Take large bodies straight from the socket to the file, and send downloads straight from "
        "the file, where the system and the connection allow it.",
    ),
    Setting(
        "sync_bytes", "app.sync_bytes", SIZE, "Make a long request durable every so many bytes."
    ),
    Setting(
        "sync_seconds", "app.sync_seconds", DURATION, "Make a long request durable this often."
    ),
    Setting(
        "sweep_interval",
        "app.sweep_interval",
        DURATION,
        "Remove expired uploads this often; 0 leaves it to tusd-py sweep.",
    ),
    Setting(
        "recover_at_start",
        "app.recover_at_start",
        SWITCH,
        "Clean up after a process that died, in the background of the start.",
    ),
    Setting(
        "min_free",
        "app.min_free",
        or_none(SIZE, "none"),
        'Not to be ready (/readyz) with less room than this, such as 1GiB, or "none".',
    ),
    Setting(
        "max_outbox",
        "app.max_outbox",
        or_none(NUMBER, "none"),
        "Not to be ready (/readyz) while more events than this wait to be told to the application, "
        'or "none".',
    ),
    Setting(
        "client_profiles",
        "app.client_profiles",
        SWITCH,
        "Remember for a day how fast, how far away and how reliable each client is, by its subject "
        "or else its address. Turn it off where many clients share addresses.",
    ),
    Setting("disable_download", "app.disable_download", SWITCH, "Don't answer GET."),
    Setting(
        "download_unfinished",
        "app.download_unfinished",
        SWITCH,
        "Answer GET on an unfinished upload with what has arrived, not with 404.",
    ),
    Setting("disable_termination", "app.disable_termination", SWITCH, "Don't answer DELETE."),
    Setting(
        "disable_concatenation",
        "app.disable_concatenation",
        SWITCH,
        "Don't make one upload of several.",
    ),
    Setting(
        "hooks.http",
        "app.hooks.url",
        TEXT,
        "URL of an application that is asked and told over HTTP, in the form of tusd's hooks.",
    ),
    Setting(
        "hooks.enabled_events",
        "app.hooks.enabled_events",
        texts("HOOK"),
        f"Which hooks there are, of {', '.join(get_args(config.HookName))}. May be repeated.",
    ),
    Setting(
        "hooks.http_forward_headers",
        "app.hooks.forward_headers",
        texts("NAME"),
        "Header of clients' requests that the hooks' requests have too. May be repeated.",
    ),
    Setting(
        "hooks.http_retry",
        "app.hooks.retry",
        NUMBER,
        "How often a hook that is waited for is tried before it has failed.",
    ),
    Setting(
        "hooks.http_backoff",
        "app.hooks.backoff",
        DURATION,
        "Time before each further try of a hook that is waited for.",
    ),
    Setting(
        "hooks.http_timeout",
        "app.hooks.timeout",
        DURATION,
        "How long a hook may take, with all its tries.",
    ),
    Setting("hooks.http_size_limit", "app.hooks.size_limit", SIZE, "Most bytes of an answer."),
    Setting(
        "hooks.progress_interval",
        "app.hooks.progress_interval",
        DURATION,
        "How often post-receive tells of a running transfer.",
    ),
    Setting(
        "hooks.max_attempts",
        "app.hooks.max_attempts",
        NUMBER,
        "How often a hook that is not waited for is sent before it is put aside.",
    ),
    Setting(
        "hooks.secret_file",
        "app.hooks.secret_file",
        or_none(FILE, "none"),
        "File of the secret that signs the hooks' requests: whsec_ and 24 to 64 bytes in Base64.",
    ),
    Setting(
        "network.networkchangedetection",
        "app.network.networkchangedetection",
        SWITCH,
        "Watch the machine's links, so that what happens to them is known at once.",
    ),
    Setting(
        "network.reconnectdelay",
        "app.network.reconnectdelay",
        DURATION,
        "How long an interface must not change to have settled.",
    ),
    Setting(
        "network.uploadpauseonchange",
        "app.network.uploadpauseonchange",
        SWITCH,
        "Pause all uploads at any change until it has settled, not only those that can feel it.",
    ),
    Setting(
        "network.seamless_switching",
        "app.network.seamless_switching",
        SWITCH,
        "Wait whether an upload's connection lives on after its link or address was lost.",
    ),
    Setting(
        "network.keepaliveinterval",
        "app.network.keepaliveinterval",
        WHOLE_SECONDS,
        "Ask a silent client this often whether it is there, and give it up after three times in "
        "vain; 0 never does.",
    ),
    Setting(
        "network.interface_priority",
        "app.network.interface_priority",
        texts("NAME"),
        "Interface to prefer, such as eth0; the first most. Others follow by their kind: ethernet, "
        "wifi, lte, cellular, vpn. May be repeated.",
    ),
    Setting(
        "network.interface_override",
        "app.network.interface_override",
        or_none(TEXT, "none"),
        "Interface to use whenever it can be used, however good it is.",
    ),
    Setting(
        "network.auto_switch_enabled",
        "app.network.auto_switch_enabled",
        SWITCH,
        "Leave an interface that is lost or bad for another.",
    ),
    Setting(
        "network.switch_threshold_latency",
        "app.network.switch_threshold_latency",
        LATENCY,
        "A link with longer round trips is bad; a bare number is in milliseconds.",
    ),
    Setting(
        "network.switch_threshold_packet_loss",
        "app.network.switch_threshold_packet_loss",
        SHARE,
        "A link that loses more than this is bad; a bare number is in percent.",
    ),
    Setting(
        "network.switch_dwell",
        "app.network.switch_dwell",
        DURATION,
        "Least time between two switches, unless the interface in use is lost.",
    ),
    Setting(
        "network.switch_return",
        "app.network.switch_return",
        DURATION,
        "How long a preferred interface has to be good before it is used again.",
    ),
    Setting(
        "network.switch_notification_enabled",
        "app.network.switch_notification_enabled",
        SWITCH,
        "Tell of a switch to another interface, in the log and by hooks.",
    ),
    Setting(
        "network.chunk_retry_on_switch",
        "app.network.chunk_retry_on_switch",
        SWITCH,
        "Send the hooks' requests at once again if the link that they were on is lost.",
    ),
    Setting(
        "network.probe_target",
        "app.network.probe_target",
        or_none(TEXT, "none"),
        "Where to connect to over each interface to measure it, as host:port.",
    ),
    Setting(
        "network.probe_interval",
        "app.network.probe_interval",
        DURATION,
        "Time between two measurements.",
    ),
    Setting(
        "streaming.adaptive_buffers",
        "app.streaming.adaptive_buffers",
        SWITCH,
        "Choose the size of each connection's buffers from how fast it is; otherwise they all "
        "have the largest size.",
    ),
    Setting(
        "streaming.min_buffer_size",
        "app.streaming.min_buffer_size",
        SIZE,
        "Size of buffers for slow connections.",
    ),
    Setting(
        "streaming.max_buffer_size",
        "app.streaming.max_buffer_size",
        SIZE,
        "Largest size of buffers, for fast ones.",
    ),
    Setting(
        "streaming.buffer_optimization_interval",
        "app.streaming.buffer_optimization_interval",
        DURATION,
        "Time between two choices of a connection's buffer size.",
    ),
    Setting(
        "streaming.intelligent_chunking",
        "app.streaming.intelligent_chunking",
        SWITCH,
        "Tell clients how large their requests had better be.",
    ),
    Setting(
        "streaming.chunk_adaptation_algorithm",
        "app.streaming.chunk_adaptation_algorithm",
        choice(*get_args(config.ChunkAlgorithm)),
        "What that is told by: fixed, the kind of interface; adaptive, what was measured of the "
        "client lately; predictive, what that is about to become.",
    ),
)

# What the command that watches links takes as flags, and the server does not.
_OF_CONNECTIONS = frozenset(("uploadpauseonchange", "seamless_switching", "keepaliveinterval"))
OF_NETWORK: Final = tuple(
    setting
    for setting in SETTINGS
    if setting.group == "app.network" and setting.field not in _OF_CONNECTIONS
)
OF_SERVER: Final = tuple(setting for setting in SETTINGS if setting not in OF_NETWORK)
