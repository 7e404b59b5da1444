"""Ids that nobody can guess."""

import os
import time

_BYTES = 16
_AT_ONCE = 256


class RandomIds:
    """Makes ids of the time in milliseconds and 128 random bits, as 44 hexadecimal digits.

    What was created together so lies together in a database's index, however large that grows.

    The system is asked for the bits of many at a time: each call lets other threads take over the
    interpreter, and under load waiting to get it back costs more than all the rest of an id.
    """

    def __init__(self) -> None:
        self._stock = b""
        self._process = 0

    def __call__(self) -> str:
        """Make an id."""
        if not self._stock or self._process != os.getpid():
            # A process that was forked must not use its parent's bits.
            self._process = os.getpid()
            self._stock = os.urandom(_BYTES * _AT_ONCE)
        bits, self._stock = self._stock[:_BYTES], self._stock[_BYTES:]
        return f"{time.time_ns() // 1_000_000:012x}{bits.hex()}"
