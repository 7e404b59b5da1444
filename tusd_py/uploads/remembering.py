"""Clients are remembered for as long as the engine runs, and for a day."""

from collections.abc import Collection

from .clients import KEEP, MOST_STORED, Clients
from .engine import Engine


def remember_clients(engine: Engine) -> None:
    """Begin to remember clients, if that is wanted."""
    if engine.config.client_profiles:
        engine.clients = Clients(engine.metadata.clients, engine.now)
        engine.background.start(engine.clients.run())


async def leave_clients(engine: Engine) -> None:
    """Write what was learned last; what runs in the background has ended."""
    clients, engine.clients = engine.clients, None
    if clients is not None:
        await clients.close()


async def expire_clients(engine: Engine) -> None:
    """Forget those that did not come back, also those of a server that remembered them before.

    Raises:
        MetadataError: The store failed.
    """
    now = engine.now()
    await engine.metadata.clients.expire(since=now - KEEP, until=now + KEEP, most=MOST_STORED)


async def forget_clients(engine: Engine, keys: Collection[str]) -> Collection[str]:
    """Forget some clients; gives the keys of those that were known.

    Raises:
        MetadataError: The store failed.
    """
    if engine.clients is not None:
        return await engine.clients.forget(keys)
    return await engine.metadata.clients.forget(keys)
