"""The memory that all transfers and downloads of a process share."""

# What the server itself may hold of a body before it hands it over.
SERVER_SHARE = 128 * 1024
# So many bytes of all transfers can be expected to be in a processor's cache when they are written.
CACHED = 16 * 1024 * 1024


class BufferBudget:
    """Counts the bytes that wait in memory, to be written or to be sent.

    A transfer that finds the budget spent writes out what it holds before it reads on, so that
    the sum exceeds the budget by one message for each transfer at most.
    """

    def __init__(self, limit: int) -> None:
        """Take the limit in bytes."""
        self.limit = limit
        self.used = 0
        self._unread = 0
        self._transfers = 0

    @property
    def spent(self) -> bool:
        """No more should be read before something is written."""
        # However many transfers and downloads there are, half of the budget is for what transfers
        # have read: that is written sooner or later, while nobody knows when a client will read.
        others = min(self._transfers * SERVER_SHARE + self._unread, self.limit // 2)
        return self.used + others >= self.limit

    @property
    def held(self) -> int:
        """How many bytes wait in memory, to be written or to be sent."""
        return self.used + self._unread

    @property
    def fair(self) -> int:
        """How many bytes each transfer may gather before it writes."""
        return CACHED // max(1, self._transfers)

    def begin_transfer(self) -> None:
        """Count a transfer, for what the server holds on its behalf."""
        self._transfers += 1

    def end_transfer(self) -> None:
        """Count it no more."""
        self._transfers -= 1

    def send(self, size: int) -> None:
        """Count bytes that were read to be sent."""
        self._unread += size

    def sent(self, size: int) -> None:
        """Count bytes that were sent, or are not to be sent any more."""
        self._unread -= size

    def take(self, size: int) -> None:
        """Count bytes that were read."""
        self.used += size

    def give(self, size: int) -> None:
        """Count bytes that left memory."""
        self.used -= size
