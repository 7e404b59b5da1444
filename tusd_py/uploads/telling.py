"""What is told of which fact: events, to be recorded in the transaction of the fact."""

from collections.abc import Mapping
from typing import Literal

from tusd_py.hooks import Request
from tusd_py.metadata import Event, Receiver
from tusd_py.protocol.upload import Kind, Upload
from tusd_py.storage import Located

from .engine import Engine

Fact = Literal["post-create", "post-finish", "post-terminate", "session.paused", "session.resumed"]


def events_of(
    engine: Engine, fact: Fact, upload: Upload, request: Request | None
) -> tuple[Event, ...]:
    """Make the events that tell a fact; none where nobody wants to hear of it.

    Args:
        engine: The shared parts.
        fact: What happens.
        upload: As it is then.
        request: What makes it happen; None is the server itself.
    """
    webhooks = engine.webhooks
    events: list[Event] = []
    if fact == "post-finish" and engine.hooks.on_finish and upload.kind is not Kind.PARTIAL:
        event_id = engine.new_id()
        events.append(Event(id=event_id, upload_id=upload.id, created_at=engine.now()))
    if webhooks is not None and webhooks.wants(fact):
        body = webhooks.kept_body(fact, upload, storage_of(engine, upload), request)
        events.append(
            Event(
                id=engine.new_id(),
                upload_id=upload.id,
                receiver=Receiver.WEBHOOK,
                name=fact,
                payload=body.decode(),
                created_at=engine.now(),
            )
        )
    return tuple(events)


def storage_of(engine: Engine, upload: Upload) -> Mapping[str, str] | None:
    """Where the bytes of an upload are, if the storage tells."""
    storage = engine.storage
    return storage.location(upload) if isinstance(storage, Located) else None
