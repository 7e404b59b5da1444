"""How much of a body or a download is moved at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tusd_py.quantities import KiB, MiB

from .checks import YES_OR_NO, Check, problems_of, refuse, seconds, whole


@dataclass(frozen=True, kw_only=True, slots=True)
class Streaming:
    """How much of a body or a download is moved at once. Sizes are in bytes.

    Raises:
        ConfigError: Values are wrong; it names all of them.
    """

    adaptive_buffers: bool = True
    """Choose the size of each connection's buffers from how fast it is; otherwise they all have
    ``max_buffer_size``. Default: yes.
    """

    min_buffer_size: int = 32 * KiB
    """The size for slow connections. Default: 32 KiB."""

    max_buffer_size: int = 4 * MiB
    """The largest size for fast ones. Default: 4 MiB."""

    buffer_optimization_interval: float = 0.1
    """Choose again after so many seconds. Default: 0.1."""

    def __post_init__(self) -> None:
        problems = problems_of(self, STREAMING_CHECKS)
        if not problems and self.adaptive_buffers and self.min_buffer_size > self.max_buffer_size:
            most = f"the largest size, {self.max_buffer_size} bytes (max_buffer_size)"
            problems = [f"min_buffer_size: {self.min_buffer_size} is more than {most}."]
        refuse(problems)


# A smaller one is all overhead; a larger one serves nothing and holds much.
_size = whole(4 * KiB, 64 * MiB, "number of bytes")

STREAMING_CHECKS: Final[Mapping[str, Check]] = {
    "adaptive_buffers": YES_OR_NO,
    "min_buffer_size": _size,
    "max_buffer_size": _size,
    "buffer_optimization_interval": seconds(),
}
