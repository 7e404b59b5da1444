"""Uploads whose link changes, over real sockets; what the interfaces are is up to a test."""

import hashlib
import sqlite3
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from statistics import median

import pytest

from tests.serving.test_other_servers import hypercorn
from tests.support.hooks import hook_server
from tests.support.live import (
    Wire,
    created,
    live,
    offset_of,
    patch_head,
    wait_until_stored,
)
from tests.support.metrics import scraped
from tests.support.workers import wait_until
from tests.unit.network.machine import Machine
from tests.unit.network.samples import interface, snapshot
from tusd_py import Config, FileStorage, HttpHooks, Network, SQLiteMetadata, TusApp
from tusd_py.network import Monitor
from tusd_py.serving.protocol import protocol_class
from tusd_py.uploads import network

# The loopback address stands for that of a link, for it is the one that clients here can reach.
ETH0 = interface("eth0", "127.0.0.1/8")
WLAN0 = interface("wlan0", "198.51.100.7/24")
BOTH = snapshot(ETH0, WLAN0)
GONE = snapshot(interface("eth0"), WLAN0)

SETTLE = 0.15
IDLE = 1
SOON = 0.1
DATA = bytes(range(256)) * 4000
HALF = len(DATA) // 2
CHECKSUM = f"sha1 {b64encode(hashlib.sha1(DATA).digest()).decode()}"  # noqa: S324


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """What the servers of a test take for this machine."""
    made = Machine(BOTH)
    monkeypatch.setattr(network, "Monitor", partial(Monitor, poll=0.01, read=made, doorbell=None))
    return made


class Served:
    """A server whose uploads may be paused."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port = port
        self.folder = folder

    def counted(self, sample: str, **labels: str) -> float:
        return scraped(self.port).get(sample, **labels)

    def paused(self, count: int = 1) -> None:
        """Wait until so many uploads were paused, which may be over by then."""

        def pauses() -> float:
            page = scraped(self.port)
            return page.get("sessions_paused") + page.get("session_pauses_total")

        wait_until(lambda: pauses() >= count)

    def ended(self, end: str, count: int = 1) -> None:
        """Wait until so many pauses have ended in a way."""
        wait_until(lambda: self.counted("session_pauses_total", end=end) == count)

    def committed(self, path: str) -> int:
        """The offset in the database."""
        with closing(sqlite3.connect(self.folder / "tus.db")) as database:
            query = "SELECT offset FROM uploads WHERE id = ?"
            (offset,) = database.execute(query, [path.rpartition("/")[2]]).fetchone()
        return int(offset)

    def half_sent(self, wire: Wire, stored: int = HALF, **headers: str) -> str:
        """Send the first half of an upload, and wait until the disk has it, with others'."""
        path = created(self.port, len(DATA))
        wire.send(patch_head(path, len(DATA), **headers), DATA[:HALF])
        wait_until_stored(self.folder, stored)
        return path


def serving(folder: Path, kind: str, settings: Network, **config: object) -> Iterator[Served]:
    tus = TusApp(
        storage=FileStorage(folder),
        metadata=SQLiteMetadata(folder / "tus.db"),
        config=Config(network=settings, direct_body=kind == "direct", **config),  # type: ignore[arg-type]
    )
    app = tus.alone("/files/", metrics_path="/metrics")
    if kind == "hypercorn":
        with hypercorn(app) as port:
            yield Served(port, folder)
        return
    own = protocol_class(header_timeout=10, max_header_size=65536)
    with live(app, http=own if kind in ("direct", "received") else kind) as server:
        yield Served(server.port, folder)


@pytest.fixture(params=["direct", "received", "h11", "hypercorn"])
def served(request: pytest.FixtureRequest, tmp_path: Path, machine: Machine) -> Iterator[Served]:
    """A server of each kind, ours with both ways of taking bodies."""
    del machine
    yield from serving(tmp_path, request.param, Network(reconnectdelay=SETTLE))


@pytest.fixture
def impatient(tmp_path: Path, machine: Machine) -> Iterator[Served]:
    """A server that gives silent uploads up after a second."""
    del machine
    settings = Network(reconnectdelay=SETTLE)
    yield from serving(tmp_path, "direct", settings, idle_timeout=IDLE)


def test_an_upload_whose_address_goes_is_committed_and_goes_on_when_it_is_back(
    served: Served, machine: Machine
) -> None:
    with Wire(served.port) as wire:
        path = served.half_sent(wire)
        before = served.committed(path)
        machine.interfaces = GONE
        served.paused()
        committed = served.committed(path)
        machine.interfaces = BOTH
        served.ended("resumed")
        wire.send(DATA[HALF:])
        assert 204 == wire.response().status
        assert DATA == wire.request("GET", path).body
    assert (0, HALF) == (before, committed)
    assert 0 == served.counted("sessions_paused")


def test_an_upload_whose_bytes_still_come_goes_on_whatever_the_interfaces_say(
    served: Served, machine: Machine
) -> None:
    with Wire(served.port) as wire:
        path = served.half_sent(wire)
        machine.interfaces = GONE
        served.paused()
        wire.send(DATA[HALF:-1])
        served.ended("resumed")
        wire.send(DATA[-1:])
        assert 204 == wire.response().status
        assert DATA == wire.request("GET", path).body


def test_an_upload_on_an_interface_that_flaps_goes_on_once(
    served: Served, machine: Machine
) -> None:
    with Wire(served.port) as wire:
        path = served.half_sent(wire)
        for _ in range(10):
            machine.interfaces = GONE
            time.sleep(0.03)
            machine.interfaces = BOTH
            time.sleep(0.03)
        served.ended("resumed")
        wire.send(DATA[HALF:])
        assert 204 == wire.response().status
        assert DATA == wire.request("GET", path).body
    assert 1 == served.counted("session_pause_seconds_count")


def test_another_interface_pauses_nobody(served: Served, machine: Machine) -> None:
    with Wire(served.port) as wire:
        served.half_sent(wire)
        machine.interfaces = snapshot(ETH0)
        wait_until(lambda: served.counted("link_changes_total", change="settled") == 1)
        wire.send(DATA[HALF:])
        assert 204 == wire.response().status
    assert 0 == served.counted("session_pause_seconds_count")


@pytest.mark.parametrize("method", ["HEAD", "DELETE"])
def test_who_comes_back_takes_a_paused_upload_over_at_once(
    served: Served, machine: Machine, method: str
) -> None:
    times = []
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(served.port)) for _ in range(5)]
        paths = [served.half_sent(wire, HALF * (number + 1)) for number, wire in enumerate(wires)]
        machine.interfaces = GONE
        served.paused(5)
        for wire, path in zip(wires, paths, strict=True):
            with Wire(served.port) as rival:
                began = time.perf_counter()
                response = rival.request(method, path)
                times.append(time.perf_counter() - began)
            displaced = wire.response()
            assert 2 == response.status // 100
            assert (423, "close") == (displaced.status, displaced.headers["connection"])
    assert 5 == served.counted("session_pauses_total", end="taken-over")
    assert median(times) < SOON


def test_a_new_connection_is_not_paused_by_what_was_before(
    served: Served, machine: Machine
) -> None:
    with Wire(served.port) as wire, Wire(served.port) as rival:
        path = served.half_sent(wire)
        machine.interfaces = GONE
        served.paused()
        offset = str(HALF)
        typed = "application/offset+octet-stream"
        more = {"upload_offset": offset, "content_type": typed}
        assert 204 == rival.request("PATCH", path, DATA[HALF:], **more).status
        assert DATA == rival.request("GET", path).body


def test_a_client_that_goes_ends_its_pause(served: Served, machine: Machine) -> None:
    with Wire(served.port) as wire:
        path = served.half_sent(wire)
        machine.interfaces = GONE
        served.paused()
    served.ended("cut")
    assert HALF == offset_of(served.port, path)


def test_a_checksum_is_verified_over_a_pause_and_nothing_is_committed_before(
    served: Served, machine: Machine
) -> None:
    with Wire(served.port) as wire:
        path = served.half_sent(wire, upload_checksum=CHECKSUM)
        machine.interfaces = GONE
        served.paused()
        committed = served.committed(path)
        machine.interfaces = BOTH
        served.ended("resumed")
        wire.send(DATA[HALF:])
        assert 204 == wire.response().status
    assert 0 == committed


def test_bytes_between_two_pauses_give_the_second_a_time_of_its_own(
    impatient: Served, machine: Machine
) -> None:
    # Nothing of such a body is committed, so that its offset does not tell that they came.
    with Wire(impatient.port) as wire:
        impatient.half_sent(wire, upload_checksum=CHECKSUM)
        machine.interfaces = GONE
        impatient.paused()
        sent, first_is_over = HALF, time.monotonic() + IDLE
        machine.interfaces = BOTH
        impatient.ended("resumed")
        while time.monotonic() < first_is_over:
            wire.send(DATA[sent : sent + 1000])
            sent += 1000
            time.sleep(SOON)
        machine.interfaces = GONE
        impatient.paused(2)
        machine.interfaces = BOTH
        impatient.ended("resumed", 2)
        wire.send(DATA[sent:])
        assert 204 == wire.response().status


def test_a_link_that_the_server_lost_says_nothing_about_its_clients(
    served: Served, machine: Machine
) -> None:
    with Wire(served.port) as wire:
        path = served.half_sent(wire)
        machine.interfaces = GONE
        served.paused()
        assert HALF == offset_of(served.port, path)
        assert 423 == wire.response().status
    assert 0 == served.counted("client_reliability_ratio_count")


def test_an_upload_whose_address_does_not_come_back_is_given_up(
    impatient: Served, machine: Machine
) -> None:
    with Wire(impatient.port) as wire:
        path = impatient.half_sent(wire)
        machine.interfaces = GONE
        response = wire.response()
    assert (503, "close") == (response.status, response.headers["connection"])
    assert 1 == impatient.counted("session_pauses_total", end="given-up")
    assert HALF == offset_of(impatient.port, path)


def test_without_seamless_switching_a_lost_address_ends_the_upload(
    tmp_path: Path, machine: Machine
) -> None:
    settings = Network(reconnectdelay=SETTLE, seamless_switching=False)
    for served in serving(tmp_path, "direct", settings):
        with Wire(served.port) as wire:
            path = served.half_sent(wire)
            machine.interfaces = GONE
            response = wire.response()
        assert (503, "close") == (response.status, response.headers["connection"])
        assert b"network changed" in response.body
        assert HALF == offset_of(served.port, path)


def test_any_change_pauses_all_uploads_where_that_is_wanted(
    tmp_path: Path, machine: Machine
) -> None:
    settings = Network(reconnectdelay=SETTLE, uploadpauseonchange=True)
    for served in serving(tmp_path, "direct", settings):
        with Wire(served.port) as wire:
            served.half_sent(wire)
            machine.interfaces = snapshot(ETH0)
            served.paused()
            wire.send(DATA[HALF:])
            assert 204 == wire.response().status
        assert 1 == served.counted("session_pauses_total", end="resumed")
        # It waited until the other interface had settled, although bytes came.
        assert served.counted("session_pause_seconds_sum") > SETTLE / 2


def test_nobody_is_paused_where_nobody_looks(tmp_path: Path, machine: Machine) -> None:
    for served in serving(tmp_path, "direct", Network(networkchangedetection=False)):
        with Wire(served.port) as wire:
            served.half_sent(wire)
            machine.interfaces = GONE
            wire.send(DATA[HALF:])
            assert 204 == wire.response().status
        assert 0 == served.counted("session_pause_seconds_count")


def test_the_application_hears_of_pauses_if_it_wants_to(tmp_path: Path, machine: Machine) -> None:
    settings = Network(reconnectdelay=SETTLE)
    with hook_server() as hooks:
        wanted = HttpHooks(url=hooks.url, enabled_events=("session.paused", "session.resumed"))
        for served in serving(tmp_path, "direct", settings, hooks=wanted):
            with Wire(served.port) as wire:
                path = served.half_sent(wire)
                machine.interfaces = GONE
                served.paused()
                machine.interfaces = BOTH
                served.ended("resumed")
                wire.send(DATA[HALF:])
                assert 204 == wire.response().status
            wait_until(lambda: len(hooks.heard) == 2)
    assert ["session.paused", "session.resumed"] == [each.type for each in hooks.heard]
    assert {(path.rpartition("/")[2], HALF, len(DATA))} == {
        (each.upload["ID"], each.upload["Offset"], each.upload["Size"]) for each in hooks.heard
    }
    assert {"PATCH"} == {each.request["Method"] for each in hooks.heard}
