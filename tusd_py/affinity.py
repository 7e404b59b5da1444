"""Which processors threads run on.

Threads of one interpreter take turns. On different processors each turn is a call from one to the
other, which costs small uploads more than their work does; on one processor it is next to nothing.
Threads that work without the interpreter, as those do that move large bodies, gain from being
anywhere.
"""

import os

_anywhere: set[int] | None = None


def available() -> bool:
    """Tell whether the system lets threads choose."""
    return hasattr(os, "sched_setaffinity")


def settle(number: int) -> None:
    """Keep this thread on one processor, and those that it starts from now on.

    Args:
        number: Which one of those that this process may use, counted from the last, for the first
            tend to look after devices. Beyond their number it begins anew.
    """
    global _anywhere  # noqa: PLW0603 - as much of the process as the affinity itself
    if available():
        _anywhere = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {sorted(_anywhere, reverse=True)[number % len(_anywhere)]})


def roam() -> None:
    """Let this thread run on all processors again that the process may use."""
    if _anywhere is not None:
        os.sched_setaffinity(0, _anywhere)
