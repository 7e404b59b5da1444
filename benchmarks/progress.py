"""What a run says on stderr while it works."""

from __future__ import annotations

import sys


def say(sentence: str) -> None:
    """Print one line of progress."""
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()
