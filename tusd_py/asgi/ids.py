"""Ids that nobody can guess."""

import os

_BYTES = 16
_AT_ONCE = 256


class RandomIds:
    """Makes ids of 128 random bits, as 32 hexadecimal digits.

    The system is asked for the bits of many at a time: each call lets other threads take over the
    interpreter, and under load waiting to get it back costs more than all the rest of an id.
    """

    def __init__(self) -> None:
        self._stock = b""

    def __call__(self) -> str:
        """Make an id."""
        if not self._stock:
            self._stock = os.urandom(_BYTES * _AT_ONCE)
        bits, self._stock = self._stock[:_BYTES], self._stock[_BYTES:]
        return bits.hex()
