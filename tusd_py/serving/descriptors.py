"""How many files and connections the operating system lets this process have open."""

import sys
from dataclasses import dataclass

# The program's own: the database, the listener, logs, libraries.
RESERVE = 128
# A connection, its file, and a connection between two requests, of the same client or another.
PER_UPLOAD = 3
# With fewer the server could not serve anyone.
FEWEST = RESERVE + PER_UPLOAD


class TooFewDescriptors(OSError):
    """The operating system admits too few open files for a server to work with."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask the operating system for.

    Attributes:
        soft: The limit to set.
        warning: Why that is less than the settings need, or None.
    """

    soft: int
    warning: str | None = None


def plan_descriptors(soft: int, hard: int, max_uploads: int | None) -> Plan:
    """Decide how many open files to ask for.

    Args:
        soft: The limit now.
        hard: What it may be raised to.
        max_uploads: How many transfers the settings admit; None takes what there is.

    Raises:
        TooFewDescriptors: A server cannot work with as many as it may have.
    """
    if hard < FEWEST:
        raise TooFewDescriptors(
            f"This process may have {hard} files open, and needs {FEWEST} at least. Raise the "
            "limit (ulimit -n, or LimitNOFILE= in systemd)."
        )
    if max_uploads is None:
        return Plan(max(soft, hard))
    needed = RESERVE + PER_UPLOAD * max_uploads
    if needed <= hard:
        return Plan(max(soft, needed))
    fits = (hard - RESERVE) // PER_UPLOAD
    return Plan(
        max(soft, hard),
        f"{max_uploads} uploads at once need {needed} open files, and this process may have "
        f"{hard}: enough for {fits}. Raise the limit (ulimit -n, or LimitNOFILE= in systemd), or "
        f"lower max_uploads to {fits}.",
    )


def raise_descriptors(max_uploads: int | None) -> str | None:
    """Raise this process's limit to what the settings need; returns a warning if it is less.

    Raises:
        TooFewDescriptors: See ``plan_descriptors``.
    """
    if sys.platform == "win32":
        return None
    import resource

    soft, hard = (
        sys.maxsize if limit == resource.RLIM_INFINITY else limit
        for limit in resource.getrlimit(resource.RLIMIT_NOFILE)
    )
    plan = plan_descriptors(soft, hard, max_uploads)
    if plan.soft == soft:
        return plan.warning
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (plan.soft, hard))
    except (OSError, ValueError):
        return (
            f"The limit of open files could not be raised from {soft} to {plan.soft}. Raise it "
            "before the start (ulimit -n, or LimitNOFILE= in systemd)."
        )
    return plan.warning
