"""Which pages of other origins may use the server."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .checks import HEADER_NAME, YES_OR_NO, Check, each, problems_of, refuse, test, text, whole


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
        problems = problems_of(self, CORS_CHECKS)
        if self.credentials and "*" in self.origins:
            problems.append('credentials: Browsers want exact origins with it, not "*".')
        refuse(problems)


_ORIGIN = re.compile(
    r"[a-z][a-z0-9+.-]*://(?:\[[0-9a-f:.]+\]|[^\s/?#@:*,A-Z\[\]]+)(?::[0-9]{1,5})?"
)
_DEFAULT_PORT = re.compile(r"(?:http://.*:80|https://.*:443)")


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
    return each(test(_is_origin, kind))(value) if value else "There is not even one."


CORS_CHECKS: Final[Mapping[str, Check]] = {
    "origins": _origins,
    "credentials": YES_OR_NO,
    "max_age": whole(0, 604_800, "number of seconds"),
    "extra_headers": each(text(HEADER_NAME, "the name of a header")),
}
