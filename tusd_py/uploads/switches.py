"""What happens when the server's own connections move to another link."""

import asyncio
from functools import partial
from typing import Final

from tusd_py.errors import TusError
from tusd_py.hooks.payload import switch_body
from tusd_py.hooks.webhooks import Webhooks
from tusd_py.metadata import Event, Receiver
from tusd_py.network import Change, LinkNews, Switch
from tusd_py.network.book import Noted, write_book
from tusd_py.network.links import News
from tusd_py.protocol.upload import UploadId

from .engine import Engine, log

NAME: Final = "network.switched"


def hear(engine: Engine, news: News) -> None:
    """Act on what happens to the links."""
    webhooks = engine.webhooks
    if isinstance(news, Switch):
        engine.background.start(_switched(engine, news))
        return
    retries = engine.config.network.chunk_retry_on_switch
    if isinstance(news, Change) and webhooks is not None and retries:
        engine.background.start(webhooks.links_changed(LinkNews(news).concerns))


async def begin_book(engine: Engine) -> None:
    """Write down which link is used at the start, if this process leads."""
    if engine.links is not None and engine.locks.leads():
        active = engine.links.active
        await _write(engine, active.name if active is not None else None, None)


async def _switched(engine: Engine, switch: Switch) -> None:
    told = engine.config.network.switch_notification_enabled
    noted = Noted(engine.now(), switch.before, switch.after, switch.reason.value, switch.detail)
    (log.info if told else log.debug)(
        "network.switched",
        before=noted.before,
        after=noted.after,
        reason=noted.reason,
        detail=noted.detail,
    )
    engine.meters.network.switched(noted.reason)
    if engine.webhooks is not None:
        await engine.webhooks.switched()
    # Every process sees it, and one tells.
    if not engine.locks.leads():
        return
    if told and engine.webhooks is not None:
        await _tell(engine, engine.webhooks, noted)
    await _write(engine, noted.after, noted)


async def _tell(engine: Engine, webhooks: Webhooks, noted: Noted) -> None:
    if not webhooks.wants(NAME):
        return
    facts = {
        "Before": noted.before or "",
        "After": noted.after or "",
        "Reason": noted.reason,
        "Detail": noted.detail,
        "At": noted.at,
    }
    event = Event(
        id=engine.new_id(),
        upload_id=UploadId(""),
        receiver=Receiver.WEBHOOK,
        name=NAME,
        payload=switch_body(NAME, facts).decode(),
        created_at=noted.at,
    )
    try:
        await engine.metadata.tell([event])
    except TusError:
        log.exception("events.failed", hook=NAME)
    engine.notify()


async def _write(engine: Engine, active: str | None, noted: Noted | None) -> None:
    if engine.switches is None:
        return
    write = partial(write_book, engine.switches, active, engine.now(), noted)
    try:
        await asyncio.to_thread(write)
    except OSError as error:
        log.warning("network.unwritten", why=error.strerror)
