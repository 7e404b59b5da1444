"""Telling a connection that is slow from one that is dead."""


class StallDetector:
    """Watches how far a request has got. All times in seconds, of one clock.

    Args:
        stall_timeout: For how long nothing may move while bytes are on their way.
        answer_timeout: For how long the server may think once it has everything.
        now: The time at which the request begins.
    """

    def __init__(self, *, stall_timeout: float, answer_timeout: float, now: float) -> None:
        self._stall_timeout = stall_timeout
        self._answer_timeout = answer_timeout
        self._delivered = -1
        self._moved_at = now

    def stalled(self, now: float, delivered: int, *, all_delivered: bool) -> float | None:
        """For how long nothing has moved, if that is too long; otherwise None.

        Args:
            now: The time.
            delivered: Bytes that the other side's kernel has, as far as this one tells.
            all_delivered: Nothing is left to be sent.
        """
        if delivered != self._delivered:
            self._delivered = delivered
            self._moved_at = now
        silent = now - self._moved_at
        allowed = self._answer_timeout if all_delivered else self._stall_timeout
        return silent if silent > allowed else None
