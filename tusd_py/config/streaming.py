"""How bytes flow, and in what pieces."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from tusd_py.quantities import KiB, MiB

from .checks import YES_OR_NO, Check, one_of, problems_of, refuse, seconds, whole

ChunkAlgorithm = Literal["fixed", "adaptive", "predictive"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Streaming:
    """How bytes flow, and in what pieces. Sizes are in bytes.

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

    intelligent_chunking: bool = True
    """Tell clients how large their requests had better be. Default: yes."""

    chunk_adaptation_algorithm: ChunkAlgorithm = "adaptive"
    """What that is told by: ``fixed``, the kind of interface; ``adaptive``, what was measured of
    the client lately; ``predictive``, what that is about to become. Default: ``adaptive``.
    """

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
    "intelligent_chunking": YES_OR_NO,
    "chunk_adaptation_algorithm": one_of(*get_args(ChunkAlgorithm)),
}
