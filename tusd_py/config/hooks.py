"""What an application is asked and told over HTTP."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args
from urllib.parse import urlsplit

from tusd_py.quantities import KiB, MiB

from .checks import (
    HEADER_NAME,
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

HookName = Literal[
    "pre-access",
    "pre-create",
    "post-create",
    "post-receive",
    "pre-finish",
    "post-finish",
    "pre-terminate",
    "post-terminate",
    "session.paused",
    "session.resumed",
    "network.switched",
]


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
    """Which hooks there are.

    Default: all but ``pre-access``, ``pre-finish``, ``pre-terminate``, ``session.paused``,
    ``session.resumed`` and ``network.switched``.
    """

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
        refuse(problems_of(self, HOOKS_CHECKS))


_HOOK_URL = re.compile(r"https?://[\x21-\x22\x24-\x7e]+", re.IGNORECASE)
# They belong to one connection, or say what the request's own body is.
_NOT_FORWARDED = frozenset(
    (
        *("connection", "content-encoding", "content-length", "content-type", "expect", "host"),
        *("keep-alive", "proxy-authorization", "proxy-connection", "te", "trailer"),
        *("transfer-encoding", "upgrade"),
    )
)


def _is_hook_url(value: object) -> bool:
    if not isinstance(value, str) or not _HOOK_URL.fullmatch(value):
        return False
    try:
        parts = urlsplit(value)
        return bool(parts.hostname) and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        return False


def _is_forwarded(value: object) -> bool:
    if not isinstance(value, str) or not HEADER_NAME.fullmatch(value):
        return False
    return value.lower() not in _NOT_FORWARDED and not value.lower().startswith("webhook-")


HOOKS_CHECKS: Final[Mapping[str, Check]] = {
    # It may hold a secret, so it is not repeated.
    "url": lambda value: (
        None
        if _is_hook_url(value)
        else "It is not a URL such as https://app.example/hooks, without a password."
    ),
    "enabled_events": each(one_of(*get_args(HookName))),
    "forward_headers": each(test(_is_forwarded, "the name of a header that can be passed on")),
    "retry": whole(1, 100, "number of tries"),
    "backoff": seconds(zero=True),
    "timeout": seconds(),
    "size_limit": whole(2, MiB, "number of bytes"),
    "progress_interval": seconds(),
    "max_attempts": whole(1, 1_000_000, "number of attempts"),
    "secret_file": optional(instance(Path, "a Path")),
}
