"""What every metadata store promises of what is known of clients."""

import asyncio
from typing import Any

import pytest

from tusd_py.metadata import Metadata
from tusd_py.network.clients import ClientProfile, SeenInterface
from tusd_py.network.trend import Trend

from .stores import StartedMetadata

SEEN_AT = 1_800_000_000.0


def a_client(key: str = "subject:alice", **facts: Any) -> ClientProfile:  # noqa: ANN401 - any fact
    """A client of which nothing is known but that it was there, unless told otherwise."""
    defaults: dict[str, Any] = {"first_seen": SEEN_AT, "last_seen": SEEN_AT}
    return ClientProfile(key, **(defaults | facts))


EVERYTHING = a_client(
    "address:fe80::1%eth0",
    last_seen=SEEN_AT + 0.5,
    transfers=7,
    downloads=2,
    reliability=0.75,
    rate=Trend(2_000_000.5, -10.25),
    latency=Trend(0.04, 0.001),
    download_rate=3_000_000.0,
    jitter=0.01,
    loss=0.002,
    interfaces=(SeenInterface("eth0", "ethernet", 5), SeenInterface("wlan0", "wifi", 2)),
)


@pytest.mark.anyio
class ClientsContract(StartedMetadata):
    """The promises of ``tusd_py.metadata.ClientStore``. Override ``metadata``."""

    persistent = True

    async def test_what_was_kept_is_found(self, started: Metadata) -> None:
        little = a_client()

        assert list(await started.clients.keep([EVERYTHING, little])) == []

        found = await started.clients.find([EVERYTHING.key, "subject:nobody", little.key])
        assert {EVERYTHING, little} == {*found}
        assert list(await started.clients.find(["subject:nobody"])) == []

    async def test_the_last_one_counts(self, started: Metadata) -> None:
        await started.clients.keep([EVERYTHING])
        changed = EVERYTHING._replace(rate=None, transfers=8)

        assert list(await started.clients.keep([changed])) == []
        assert [changed] == list(await started.clients.find([changed.key]))

        assert list(await started.clients.keep([EVERYTHING], known=[EVERYTHING.key])) == []
        assert list(await started.clients.find([EVERYTHING.key])) == [EVERYTHING]

    async def test_who_was_forgotten_does_not_come_back_by_itself(self, started: Metadata) -> None:
        alice, bob, carol = (a_client(f"subject:{name}") for name in ("alice", "bob", "carol"))
        await started.clients.keep([alice, bob])
        assert [alice.key] == list(await started.clients.forget([alice.key, "subject:nobody"]))

        forgotten = await started.clients.keep([alice, bob, carol], known=[alice.key, bob.key])

        assert [alice.key] == list(forgotten)
        assert [bob, carol] == list(await started.clients.page())

    async def test_all_can_be_forgotten(self, started: Metadata) -> None:
        await started.clients.keep([a_client("subject:a"), a_client("subject:b")])

        assert await started.clients.forget_all() == 2
        assert await started.clients.forget_all() == 0
        assert list(await started.clients.page()) == []

    async def test_they_are_listed_by_key_a_page_at_a_time(self, started: Metadata) -> None:
        profiles = [a_client(f"subject:{name}") for name in "abc"]
        await started.clients.keep(profiles[::-1])

        assert profiles[:2] == list(await started.clients.page(limit=2))
        assert profiles[2:] == list(await started.clients.page(after="subject:b", limit=2))

    async def test_what_is_old_goes_and_what_comes_from_the_future(self, started: Metadata) -> None:
        seen = {"old": 99.5, "first": 100.0, "last": 200.0, "future": 200.5}
        profiles = {name: a_client(name, last_seen=at) for name, at in seen.items()}
        await started.clients.keep([*profiles.values()])

        await started.clients.expire(since=100.0, until=200.0, most=10)

        kept = [profiles["first"], profiles["last"]]
        assert kept == list(await started.clients.page())

    async def test_of_too_many_those_seen_last_stay(self, started: Metadata) -> None:
        profiles = [a_client(f"{at}", last_seen=float(at)) for at in (3, 1, 4, 2)]
        await started.clients.keep(profiles)

        await started.clients.expire(since=0.0, until=10.0, most=2)

        assert [each.key for each in await started.clients.page()] == ["3", "4"]

    def test_it_works_after_an_event_loop_that_did_not_close_it(self, metadata: Metadata) -> None:
        async def first() -> None:
            await metadata.start(durable=False)
            await metadata.clients.keep([EVERYTHING])

        async def second() -> list[ClientProfile]:
            await metadata.start(durable=False)
            found = await metadata.clients.find([EVERYTHING.key])
            await metadata.close()
            return [*found]

        asyncio.run(first())

        assert asyncio.run(second()) == [EVERYTHING]

    async def test_profiles_outlive_closing(self, metadata: Metadata) -> None:
        if not self.persistent:
            pytest.skip("Nothing is kept.")
        await metadata.start(durable=True)
        await metadata.clients.keep([EVERYTHING])
        await metadata.close()

        await metadata.start(durable=True)

        assert list(await metadata.clients.find([EVERYTHING.key])) == [EVERYTHING]
        await metadata.close()
