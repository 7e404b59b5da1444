"""How fast a client sends."""


class Pace:
    """Judges a client by the bytes that came while the server did nothing but wait for them.

    The time that a slow disk or a spent budget takes is not the client's, and does not count.

    Args:
        least: The bytes per second that are asked for.
        window: Over how many seconds of waiting.
    """

    def __init__(self, *, least: float, window: float) -> None:
        self._least = least
        self._window = window
        self._waited = 0.0
        self._bytes = 0

    def too_slow(self, size: int, waited: float) -> bool:
        """Count ``size`` bytes that came after ``waited`` seconds; tells whether it is enough.

        That is known at the end of each window only.
        """
        self._bytes += size
        self._waited += waited
        if self._waited < self._window:
            return False
        slow = self._bytes < self._least * self._waited
        self._bytes, self._waited = 0, 0.0
        return slow
