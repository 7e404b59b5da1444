"""The memory that all transfers of a process share for bytes not yet written."""


class BufferBudget:
    """Counts the bytes that wait in memory to be written.

    A transfer that finds the budget spent writes out what it holds before it reads on, so that
    the sum exceeds the budget by one message per connection at most.
    """

    def __init__(self, limit: int) -> None:
        """Take the limit in bytes."""
        self.limit = limit
        self.used = 0

    @property
    def spent(self) -> bool:
        """No more should be read before something is written."""
        return self.used >= self.limit

    def take(self, size: int) -> None:
        """Count bytes that were read."""
        self.used += size

    def give(self, size: int) -> None:
        """Count bytes that left memory."""
        self.used -= size
