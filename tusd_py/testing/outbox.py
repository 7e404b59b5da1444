"""What every metadata store promises of events that have to be told."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tusd_py.errors import UploadExists
from tusd_py.metadata import Backlog, Event, Metadata, Receiver
from tusd_py.protocol.upload import UploadId

from .stores import StartedMetadata
from .uploads import an_upload

NOW = 1000.0


def an_event(event_id: str, upload: str = "one", **facts: Any) -> Event:  # noqa: ANN401 - any fact
    """An event for the webhook, unless told otherwise."""
    defaults: dict[str, Any] = {
        "receiver": Receiver.WEBHOOK,
        "name": "post-create",
        "payload": "{}",
    }
    return Event(id=event_id, upload_id=UploadId(upload), **(defaults | facts))


async def due(metadata: Metadata, now: float = NOW, limit: int = 10) -> list[str]:
    """The ids of the events that are due, whoever has to hear of them."""
    return [event.id for event in await metadata.due(now, limit, [*Receiver])]


@pytest.mark.anyio
class OutboxContract(StartedMetadata):
    """The promises of ``tusd_py.metadata.Metadata`` about events. Override ``metadata``."""

    async def _add(self, metadata: Metadata, *events: Event) -> Sequence[Event]:
        for upload_id in {event.upload_id for event in events}:
            await metadata.create(an_upload(upload_id))
        for event in events:
            await metadata.record(an_upload(event.upload_id), events=[event])
        return events

    async def test_every_fact_of_an_event_is_kept(self, started: Metadata) -> None:
        event = an_event(
            "e",
            name="post-finish",
            payload='{"a":"\N{SNOWMAN}"}',
            created_at=NOW + 0.5,
            due_at=NOW + 1.5,
            attempts=3,
            error="It does not answer.",
            dead=True,
        )
        await started.create(an_upload(), events=[event])

        assert [event] == list(await started.events(10))

    async def test_several_events_of_one_fact_come_in_order(self, started: Metadata) -> None:
        events = [an_event("b"), an_event("a", receiver=Receiver.CALLABLES), an_event("c")]
        await started.create(an_upload(), events=events)

        assert events == list(await started.events(10))
        numbers = [event.number for event in await started.events(10)]
        assert [*sorted({*numbers})] == numbers

    async def test_what_is_not_created_leaves_no_event(self, started: Metadata) -> None:
        await started.create(an_upload())

        with pytest.raises(UploadExists):
            await started.create(an_upload(), events=[an_event("a"), an_event("b")])

        assert list(await started.events(10)) == []

    async def test_they_are_listed_page_by_page(self, started: Metadata) -> None:
        events = await self._add(started, *(an_event(f"{number}") for number in range(5)))
        first = await started.events(2)

        assert list(events[:2]) == list(first)
        assert list(events[2:]) == list(await started.events(10, after=first[-1].number))

    async def test_the_dead_are_listed_alone_or_left_out(self, started: Metadata) -> None:
        dead, alive = await self._add(started, an_event("dead", dead=True), an_event("alive"))

        assert [dead] == list(await started.events(10, dead=True))
        assert [alive] == list(await started.events(10, dead=False))
        assert [dead, alive] == list(await started.events(10))

    async def test_of_one_upload_only_the_first_is_due(self, started: Metadata) -> None:
        await self._add(started, an_event("a"), an_event("b"), an_event("c", "two"))

        assert await due(started) == ["a", "c"]
        await started.settle("a")
        assert await due(started) == ["b", "c"]

    async def test_what_has_to_wait_holds_up_what_comes_after_it(self, started: Metadata) -> None:
        await self._add(started, an_event("a", due_at=NOW + 5), an_event("b"))

        assert await due(started) == []
        assert await due(started, NOW + 5) == ["a"]

    async def test_it_holds_up_no_other_upload_and_no_other_receiver(
        self, started: Metadata
    ) -> None:
        await self._add(
            started,
            an_event("a", due_at=NOW + 5),
            an_event("b", receiver=Receiver.CALLABLES),
            an_event("c", "two"),
        )

        assert await due(started) == ["b", "c"]

    async def test_the_dead_are_passed_over(self, started: Metadata) -> None:
        await self._add(started, an_event("a", dead=True), an_event("b"))

        assert await due(started) == ["b"]

    async def test_only_those_for_some_receivers_are_due(self, started: Metadata) -> None:
        await self._add(started, an_event("a", receiver=Receiver.CALLABLES), an_event("b"))

        for receiver, name in ((Receiver.CALLABLES, "a"), (Receiver.WEBHOOK, "b")):
            assert [name] == [event.id for event in await started.due(NOW, 10, [receiver])]
        assert list(await started.due(NOW, 10, [])) == []

    async def test_the_oldest_are_due_first(self, started: Metadata) -> None:
        await self._add(started, *(an_event(name, f"of {name}") for name in "dbca"))

        assert await due(started, limit=3) == ["d", "b", "c"]

    async def test_events_of_no_upload_are_told_in_order(self, started: Metadata) -> None:
        await started.tell([an_event("b", ""), an_event("a", "")])

        assert await due(started) == ["b"]
        await started.settle("b")
        assert await due(started) == ["a"]

    async def test_what_became_of_an_attempt_is_kept(self, started: Metadata) -> None:
        (event,) = await self._add(started, an_event("a"))
        changed = replace(event, due_at=NOW + 9, attempts=2, error="No.", dead=True)

        await started.change_event(changed)

        assert [changed] == list(await started.events(10))

    async def test_nothing_else_of_an_event_changes(self, started: Metadata) -> None:
        (event,) = await self._add(started, an_event("a"))

        await started.change_event(replace(event, payload="{1}", name="other", created_at=5.0))

        assert [event] == list(await started.events(10))

    async def test_a_settled_event_is_not_changed_back_into_being(self, started: Metadata) -> None:
        (event,) = await self._add(started, an_event("a"))
        await started.settle("a")

        await started.change_event(replace(event, attempts=1))

        assert list(await started.events(10)) == []

    async def test_deleting_leaves_what_stands_for_itself_and_adds_to_it(
        self, started: Metadata
    ) -> None:
        await self._add(started, an_event("a"), an_event("b", receiver=Receiver.CALLABLES))

        await started.delete(UploadId("one"), events=[an_event("c", name="post-terminate")])

        assert [event.id for event in await started.events(10)] == ["a", "c"]

    async def test_deleting_nothing_adds_nothing(self, started: Metadata) -> None:
        await started.delete(UploadId("nobody"), events=[an_event("a", "nobody")])

        assert list(await started.events(10)) == []

    async def test_the_backlog_is_counted(self, started: Metadata) -> None:
        assert Backlog(waiting=0, dead=0, oldest=None) == await started.backlog()
        await self._add(
            started,
            an_event("a", dead=True, created_at=1.0),
            an_event("b", created_at=3.0),
            an_event("c", created_at=2.0),
        )

        assert Backlog(waiting=2, dead=1, oldest=2.0) == await started.backlog()
