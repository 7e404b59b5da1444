"""How long to wait before something that failed is tried again."""

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 3600.0
MOST_ATTEMPTS = 30


def pause_after(attempts: int, chance: float) -> float:
    """Seconds until the next attempt: 1, 2, 4 ... 3600, less up to half of it by chance.

    Args:
        attempts: How many have failed, 1 or more.
        chance: 0 to 1. What failed together is not tried again all at the same moment.
    """
    # Higher powers are far beyond the longest pause.
    longest = min(FIRST_PAUSE * (1 << min(attempts - 1, 32)), LONGEST_PAUSE)
    return longest * (1 - chance / 2)
