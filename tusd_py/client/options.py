"""How an upload is to be done."""

from dataclasses import dataclass, fields

from tusd_py.errors import ConfigError
from tusd_py.protocol.checksum import ALGORITHMS
from tusd_py.quantities import MiB

_MOST_PARALLEL = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Sizes are in bytes and times in seconds.

    Raises:
        ConfigError: One of them cannot be.
    """

    chunk_size: int | None = None
    """Most bytes of one request; None sends all in one, 8 MiB at a time with checksums, and less
    over Wi-Fi and mobile networks that are known as such. Smaller chunks are for servers and
    proxies that forget what a broken request brought."""

    parallel: int = 1
    """How many parts are sent at once, where the server can concatenate."""

    checksum: str | None = None
    """The algorithm of a checksum for every chunk, such as ``sha256``, if the server offers it."""

    by_content: bool = False
    """Tell files apart by their SHA-256, not by name, size and time alone."""

    stall_timeout: float = 30.0
    """After so long without a byte getting through, another connection is tried."""

    answer_timeout: float = 120.0
    """For how long the server may think once it has everything."""

    connect_timeout: float = 10.0
    """For how long a connection may take to come about."""

    patience: float = 600.0
    """After so long without progress an upload is given up; it can be resumed later."""

    first_contact: float = 20.0
    """The same until the server has answered once, so that a wrong URL is told soon."""

    first_delay: float = 0.5
    """Up to so long is the first pause after a failure; the bound doubles with each."""

    longest_delay: float = 30.0
    """The longest bound of a pause."""

    reconnect_delay: float = 2.0
    """The longest bound of a pause for half a minute after the link changed. The first attempt on
    a new link is made at once."""

    def __post_init__(self) -> None:
        problems = [
            f"{field.name} must be above zero."
            for field in fields(self)
            if type(value := getattr(self, field.name)) in (int, float) and value <= 0
        ]
        if self.parallel > _MOST_PARALLEL:
            problems.append(f"parallel must not be above {_MOST_PARALLEL}.")
        if self.checksum is not None and self.checksum not in ALGORITHMS:
            problems.append(f"checksum must be one of {', '.join(ALGORITHMS)}.")
        if problems:
            raise ConfigError(problems)

    @property
    def step(self) -> int | None:
        """Most bytes of one request, or None."""
        if self.chunk_size is None and self.checksum is not None:
            return 8 * MiB
        return self.chunk_size
