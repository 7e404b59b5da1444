"""How many bytes one request has."""

from collections.abc import Callable

from .options import Options


class Steps:
    """Decides for all parts of one upload.

    Where nobody chose, one request has all that there is over a link that hardly breaks, and over
    Wi-Fi and mobile networks as much as its kind can bear to lose. A server that has shown that it
    keeps what a broken request brought loses nothing: it gets all in one from then on.

    Args:
        options: What was chosen.
        by_link: Gives the most bytes over the link with a local address; None is no matter.
    """

    def __init__(self, options: Options, by_link: Callable[[str | None], int | None]) -> None:
        self._chosen = options.chunk_size
        self._usual = options.step
        self._verified = options.checksum is not None
        self._by_link = by_link
        self._kept = False

    def most(self, local: str | None) -> int | None:
        """Most bytes of a request over the link with this address; None is all that there are."""
        if self._chosen is not None or (self._kept and not self._verified):
            return self._usual
        return min((size for size in (self._usual, self._by_link(local)) if size), default=None)

    def broken(self, start: int, end: int, offset: int) -> None:
        """A request from one offset to another had no answer, and now the upload is so long."""
        self._kept = self._kept or start < offset < end
