"""What is still to be told, for operators."""

from dataclasses import dataclass

from tusd_py.hooks.breaker import BreakerState

from .engine import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbox:
    """What is still to be told, and whether the application is being called.

    Attributes:
        waiting: How many events are to be told.
        dead: How many were told in vain too often.
        oldest: Unix time in seconds when the oldest of those that are to be told happened.
        breaker: Whether the application is called over HTTP by this process: ``closed`` is yes,
            ``open`` no, ``half-open`` to see; None without such hooks.
    """

    waiting: int
    dead: int
    oldest: float | None
    breaker: BreakerState | None


async def outbox(engine: Engine) -> Outbox:
    """Look at what is still to be told.

    Raises:
        MetadataError: The events cannot be counted.
    """
    backlog, webhooks = await engine.metadata.backlog(), engine.webhooks
    return Outbox(
        waiting=backlog.waiting,
        dead=backlog.dead,
        oldest=backlog.oldest,
        breaker=None if webhooks is None else webhooks.breaker,
    )


def watch(engine: Engine) -> None:
    """Let the outbox be among what operators are told."""

    async def waiting() -> float:
        return (await engine.metadata.backlog()).waiting

    async def dead() -> float:
        return (await engine.metadata.backlog()).dead

    async def problem() -> str | None:
        limit = engine.config.max_outbox
        if limit is None or await waiting() <= limit:
            return None
        return f"More than {limit} events wait to be told to the application."

    engine.samples["outbox_events"] = waiting
    engine.samples["outbox_dead_events"] = dead
    engine.checks["outbox"] = problem
