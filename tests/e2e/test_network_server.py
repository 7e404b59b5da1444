"""Real links that go and come below uploads: what the server does, and what becomes of them."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.e2e.hosted import HostedServer, Trickle, Trickling, soon
from tests.support.namespaces import Host, host

pytestmark = [pytest.mark.quiet, pytest.mark.timeout(120)]

A, B, OTHER = "192.0.2.1", "198.51.100.1", "192.0.2.77"
SETTLE = 1.0
NETWORK = f'reconnectdelay = "{SETTLE:g}s"'
# What is promised from the change of a link until its uploads are paused and committed.
AT_ONCE = 0.5
SIZE = 2_000_000

Hosts = tuple[Host, Host]


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    """The server's host with two links, and the clients' at their other ends."""
    with ExitStack() as stack:
        here, there = stack.enter_context(host()), stack.enter_context(host())
        here.link("eth1", f"{A}/24", to=there, peer="far1")
        here.link("eth2", f"{B}/24", to=there, peer="far2")
        there.ip("address", "add", "192.0.2.9/24", "dev", "far1")
        there.ip("address", "add", "198.51.100.9/24", "dev", "far2")
        yield here, there


@contextmanager
def serving(hosts: Hosts, folder: Path, *options: str, more: str = "") -> Iterator[HostedServer]:
    settings = f"{NETWORK}\n{more}"
    with HostedServer(hosts[0], folder / "data", settings, *options) as server:
        try:
            yield server
        finally:
            sys.stdout.write(server.log())


Start = Callable[[str, int], list[Trickle]]


@pytest.fixture
def uploads(hosts: Hosts) -> Iterator[Start]:
    """Begin so many uploads to an address of the server's host."""
    with ExitStack() as stack:

        def start(address: str, count: int) -> list[Trickle]:
            started = [Trickle(hosts[1], address, SIZE, seed) for seed in range(count)]
            for each in started:
                stack.callback(each.close)
            return started

        yield start


def paused(server: HostedServer, count: int) -> None:
    """Wait until so many uploads were paused and committed."""
    soon(lambda: len(server.told("session.paused")) >= count)


def resumed(server: HostedServer, count: int) -> None:
    soon(lambda: len(server.told("session.resumed")) >= count)


def ids(lines: Sequence[dict[str, object]]) -> set[object]:
    return {line["upload_id"] for line in lines}


def assert_whole(server: HostedServer, done: Sequence[Trickle]) -> None:
    assert {each.id: each.digest for each in done} == {
        each.id: server.stored(each.id) for each in done
    }


def remove_address(hosts: Hosts) -> None:
    hosts[0].ip("address", "delete", f"{A}/24", "dev", "eth1")


def restore_address(hosts: Hosts) -> None:
    hosts[0].ip("address", "add", f"{A}/24", "dev", "eth1")


def pull_cable(hosts: Hosts) -> None:
    hosts[1].ip("link", "set", "far1", "down")


def plug_cable(hosts: Hosts) -> None:
    hosts[1].ip("link", "set", "far1", "up")


@pytest.mark.parametrize(
    ("lose", "give_back"),
    [(remove_address, restore_address), (pull_cable, plug_cable)],
    ids=["address", "far end"],
)
def test_uploads_of_a_lost_link_are_paused_and_go_on_and_the_others_notice_nothing(
    hosts: Hosts,
    tmp_path: Path,
    uploads: Start,
    lose: Callable[[Hosts], None],
    give_back: Callable[[Hosts], None],
) -> None:
    with serving(hosts, tmp_path) as server:
        on_a, on_b = uploads(A, 20), uploads(B, 20)
        with Trickling([*on_a, *on_b]):
            began = time.time()
            lose(hosts)
            paused(server, 20)
            seconds = server.last("session.paused") - began
            lines = server.told("session.paused")
            committed = {each.id: server.committed(each.id) for each in on_a}
            flowed = [each.sent for each in on_b]
            soon(lambda: all(each.sent > was for each, was in zip(on_b, flowed, strict=True)))
            give_back(hosts)
            resumed(server, 20)
        answers = [each.finish() for each in (*on_a, *on_b)]
        sys.stdout.write(f"paused and committed after {seconds * 1000:.0f} ms\n")

        assert {each.id for each in on_a} == ids(lines) == ids(server.told("session.resumed"))
        assert committed == {line["upload_id"]: line["offset"] for line in lines}
        assert min(committed.values()) > 0
        assert {"eth1"} == {line["interface"] for line in lines}
        assert 20 == len(server.told("session.paused"))
        assert [204] * 40 == answers
        assert_whole(server, [*on_a, *on_b])
        assert seconds < AT_ONCE


def test_when_the_address_does_not_come_back_other_links_get_in_at_once(
    hosts: Hosts, tmp_path: Path, uploads: Start
) -> None:
    with serving(hosts, tmp_path, "--idle-timeout", "4s") as server:
        taken, left = uploads(A, 5), uploads(A, 2)
        with Trickling([*taken, *left]):
            remove_address(hosts)
            paused(server, 7)
        lines = {line["upload_id"]: line["offset"] for line in server.told("session.paused")}
        back = [each.come_back(B) for each in taken]
        sys.stdout.write(f"HEAD after {max(back)[0] * 1000:.0f} ms at most\n")
        open_until_then = [server.has_connection_from(each.own_port) for each in left]
        soon(lambda: len(server.told("session.ended")) == 7)
        soon(lambda: not any(server.has_connection_from(each.own_port) for each in left), 20)

        ends = {line["upload_id"]: line["end"] for line in server.told("session.ended")}
        assert {each.id: "taken-over" for each in taken} | {
            each.id: "given-up" for each in left
        } == ends
        assert [True, True] == open_until_then
        assert [lines[each.id] for each in taken] == [offset for _, offset in back]
        # Only what was on its way is sent twice.
        assert all(offset <= each.sent for each, (_, offset) in zip(taken, back, strict=True))
        assert [lines[each.id] for each in left] == [each.come_back(B)[1] for each in left]
        assert_whole(server, [*taken, *left])
        assert max(back)[0] < 0.1


def test_when_the_address_changes_who_comes_to_the_new_one_gets_in_at_once(
    hosts: Hosts, tmp_path: Path, uploads: Start
) -> None:
    with serving(hosts, tmp_path) as server:
        running = uploads(A, 5)
        with Trickling(running):
            remove_address(hosts)
            hosts[0].ip("address", "add", f"{OTHER}/24", "dev", "eth1")
            paused(server, 5)
            back = [each.come_back(OTHER) for each in running]

        assert {"taken-over"} == {line["end"] for line in server.told("session.ended")}
        assert [line["offset"] for line in server.told("session.ended")] == [
            offset for _, offset in back
        ]
        assert_whole(server, running)
        assert max(back)[0] < 0.1


def test_uploads_go_on_after_ten_seconds_without_any_link(
    hosts: Hosts, tmp_path: Path, uploads: Start
) -> None:
    with serving(hosts, tmp_path) as server:
        running = [*uploads(A, 4), *uploads(B, 4)]
        with Trickling(running):
            for link in ("far1", "far2"):
                hosts[1].ip("link", "set", link, "down")
            paused(server, 8)
            time.sleep(10)
            waiting = len(server.told("session.resumed"))
            for link in ("far1", "far2"):
                hosts[1].ip("link", "set", link, "up")
            resumed(server, 8)
        answers = [each.finish() for each in running]

        assert ([204] * 8, 0) == (answers, waiting)
        assert_whole(server, running)


def test_a_link_that_flaps_twenty_times_pauses_its_uploads_once(
    hosts: Hosts, tmp_path: Path, uploads: Start
) -> None:
    with serving(hosts, tmp_path) as server:
        running = uploads(A, 5)
        with Trickling(running):
            for _ in range(20):
                pull_cable(hosts)
                time.sleep(0.25)
                plug_cable(hosts)
                time.sleep(0.25)
            flapping = len(server.told("session.resumed"))
            resumed(server, 5)
        answers = [each.finish() for each in running]

        assert ([204] * 5, 0) == (answers, flapping)
        assert (5, 5) == (
            len(server.told("session.paused")),
            len(server.told("session.resumed")),
        )
        assert_whole(server, running)


def test_a_tunnel_that_comes_and_goes_pauses_nobody(
    hosts: Hosts, tmp_path: Path, uploads: Start
) -> None:
    with serving(hosts, tmp_path) as server:
        running = [*uploads(A, 2), *uploads(B, 2)]
        with Trickling(running):
            hosts[0].tunnel("tun7")
            hosts[0].ip("address", "add", "10.77.0.1/24", "dev", "tun7")
            hosts[0].ip("link", "set", "tun7", "up")
            time.sleep(0.5)
            hosts[0].ip("link", "delete", "tun7")
            # What was to be seen of it is seen by then.
            time.sleep(SETTLE + 0.5)
        answers = [each.finish() for each in running]

        assert ([204] * 4, []) == (answers, server.told("session.paused"))
        assert_whole(server, running)


def test_any_change_pauses_all_uploads_where_that_is_wanted(
    hosts: Hosts, tmp_path: Path, uploads: Start
) -> None:
    with serving(hosts, tmp_path, more="uploadpauseonchange = true") as server:
        running = [*uploads(A, 2), *uploads(B, 2)]
        with Trickling(running):
            hosts[0].ip("address", "add", f"{OTHER}/24", "dev", "eth1")
            paused(server, 4)
            resumed(server, 4)
        answers = [each.finish() for each in running]

        assert [204] * 4 == answers
        assert all(line["seconds"] > SETTLE / 2 for line in server.told("session.resumed"))
        assert_whole(server, running)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_server_that_ends_while_uploads_are_paused_loses_nothing(
    hosts: Hosts, tmp_path: Path, uploads: Start, how: signal.Signals
) -> None:
    with serving(hosts, tmp_path) as server:
        running = uploads(A, 5)
        with Trickling(running):
            remove_address(hosts)
            paused(server, 5)
        committed = {line["upload_id"]: line["offset"] for line in server.told("session.paused")}
        if how is signal.SIGKILL:
            server.kill()
        else:
            server.stop()
        server.start()
        offsets = {each.id: each.come_back(B)[1] for each in running}

        assert committed == offsets
        assert_whole(server, running)
