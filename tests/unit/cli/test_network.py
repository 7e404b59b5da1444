"""``tusd-py network``: what it shows of this machine, and how it refuses."""

from __future__ import annotations

import errno
import json
import os
from ipaddress import ip_interface
from pathlib import Path

import pytest

from tests.unit.cli.fakes import Run
from tests.unit.network.test_book import BROKEN
from tusd_py.cli.links import Look, as_line, as_table, news_as_object
from tusd_py.config import Network
from tusd_py.network import (
    AddressesChanged,
    Interface,
    InterfaceKind,
    Monitor,
    Settled,
    WentDown,
)
from tusd_py.network.book import Book, Noted, write_book
from tusd_py.network.health import Reason
from tusd_py.network.interfaces import InterfaceReader
from tusd_py.network.links import links_of
from tusd_py.network.quality import Quality
from tusd_py.network.selection import Switch

ETH0 = Interface(
    name="eth0",
    index=2,
    kind=InterfaceKind.ETHERNET,
    up=True,
    addresses=(ip_interface("192.0.2.2/24"),),
    speed=1000,
)
WLAN0 = Interface(name="wlan0", index=3, kind=InterfaceKind.WIFI, up=False)
SWITCH = Switch(0, "wlan0", "eth0", Reason.LATENCY, "wlan0: 600ms of latency, 500ms allowed")


def test_a_table_shows_what_is_known_and_what_is_in_use() -> None:
    look = Look(
        {"eth0": ETH0, "wlan0": WLAN0},
        {"eth0": Quality(latency=0.5, jitter=0.0, loss=0.0)},
        ETH0,
        (SWITCH,),
    )
    *rows, empty, active, switch = as_table(look).splitlines()
    assert [
        ["interface", "kind", "state", "addresses", "speed", "latency", "loss", "score"],
        ["*", "eth0", "ethernet", "up", "192.0.2.2/24", "1000", "Mbit/s", "500ms", "0%", "0.78"],
        ["wlan0", "wifi", "down", "-", "-", "-", "-", "-"],
    ] == [row.split() for row in rows]
    assert ("", "In use: eth0") == (empty, active)
    assert switch.endswith("  wlan0 -> eth0: wlan0: 600ms of latency, 500ms allowed")


def test_without_a_link_the_table_says_so() -> None:
    table = as_table(Look({"wlan0": WLAN0}, {}, None, ()))
    assert table.endswith("\n\nNo interface can be used.")


def test_what_the_server_did_is_shown_beside_it() -> None:
    noted = Noted(1800000000.0, "eth0", None, "lost", "eth0 has no link or no address any more")
    book = Book(active=None, since=1800000000.0, running=False, switches=(noted,))
    *_, empty, used, switch = as_table(Look({}, {}, None, (), book)).splitlines()
    assert "" == empty
    assert used.startswith("The server runs no more; it used none since 2027-01-")
    assert switch.endswith("  eth0 -> none: eth0 has no link or no address any more")


def test_the_command_finds_what_the_server_wrote(run: Run, tmp_path: Path) -> None:
    write_book(tmp_path / "network.json", "eth7", 1800000000.0)
    done = run("network", "--json", "--data-dir", str(tmp_path))
    assert {
        "running": True,
        "active": "eth7",
        "since": "2027-01-15T08:00:00.000+00:00",
        "history": [],
    } == json.loads(done.stdout)["server"]


@pytest.mark.parametrize("text", [BROKEN[0], *BROKEN[9:12]], ids=lambda text: text[:40])
def test_a_file_that_is_broken_is_told_and_nothing_else_is_missing(
    run: Run, tmp_path: Path, text: str
) -> None:
    (tmp_path / "network.json").write_text(text)
    done = run("network", "--json", "--data-dir", str(tmp_path))
    assert (0, None) == (done.exit_code, json.loads(done.stdout)["server"])
    assert f"{tmp_path}/network.json, where the server writes its switches" in done.stderr
    assert done.stderr.endswith("cannot be read: it is broken.\n")


def test_what_the_server_wrote_does_not_move_the_cursor(run: Run, tmp_path: Path) -> None:
    noted = Noted(1800000000.0, "eth0", None, "lost", "\x1b[2J\ud800")
    write_book(tmp_path / "network.json", "eth7", 1800000000.0, noted)
    done = run("network", "--data-dir", str(tmp_path))
    assert 0 == done.exit_code
    assert done.stdout.endswith("  eth0 -> none: \\x1b[2J\\ud800\n")


def test_a_system_that_tells_no_interfaces_is_called_so(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: InterfaceReader) -> dict[str, Interface]:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(InterfaceReader, "__call__", refuse)
    done = run("network")
    told = "The system does not tell its interfaces: Operation not permitted.\n"
    assert (1, told) == (done.exit_code, done.stderr)


@pytest.mark.parametrize(
    ("news", "line", "facts"),
    [
        (WentDown("eth0", ETH0, WLAN0), "eth0 went down", {"event": "down", "interface": "eth0"}),
        (
            AddressesChanged("eth0", ETH0, WLAN0),
            "eth0 lost 192.0.2.2/24",
            {"event": "addresses", "lost": ["192.0.2.2/24"], "gained": []},
        ),
        (
            Settled("eth0", ETH0, None, 3),
            "eth0 has settled after 3 changes",
            {"event": "settled", "seen": 3, "changes": ["removed"]},
        ),
        (
            SWITCH,
            "wlan0 -> eth0: wlan0: 600ms of latency, 500ms allowed",
            {"event": "switch", "before": "wlan0", "after": "eth0", "reason": "latency"},
        ),
    ],
)
def test_news_is_a_line_for_people_and_for_programs(
    news: WentDown | AddressesChanged | Settled | Switch, line: str, facts: dict[str, object]
) -> None:
    assert line == as_line(news).partition("  ")[2]
    assert facts.items() <= json.loads(news_as_object(news)).items()


def test_this_machine_is_shown(run: Run) -> None:
    done = run("network", "--json")
    assert (0, "") == (done.exit_code, done.stderr)
    (line,) = done.stdout.splitlines()
    shown = json.loads(line)
    kinds = {each["kind"] for each in shown["interfaces"]}
    assert ("state", True) == (shown["event"], "loopback" in kinds)
    assert {"latency", "jitter", "loss", "rate", "score"} == set(shown["interfaces"][0]["quality"])


def test_this_machine_is_shown_to_people(run: Run) -> None:
    done = run("network")
    assert (0, "") == (done.exit_code, done.stderr)
    assert "127.0.0.1/8" in done.stdout


def test_what_is_wrong_is_told_all_at_once(run: Run) -> None:
    done = run("network", "--network-probe-target", "here", "--jsn", "now")
    assert (2, "") == (done.exit_code, done.stdout)
    assert [
        '--network-probe-target: "here" is not of the form host:port or [::1]:port.',
        "--jsn: There is no such setting. Did you mean --json?",
    ] == done.stderr.splitlines()


async def test_settings_reach_the_choice() -> None:
    def machine() -> dict[str, Interface]:
        return {"eth0": ETH0, "other": other}

    other = Interface(
        name="other",
        index=3,
        kind=InterfaceKind.WIFI,
        up=True,
        addresses=(ip_interface("198.51.100.2/24"),),
    )
    async with Monitor(read=machine, doorbell=None) as monitor:
        usual = links_of(Network(), monitor)
        preferring = links_of(Network(interface_priority=("other",)), monitor)
        overridden = links_of(Network(interface_override="other"), monitor)
    assert [ETH0, other, other] == [usual.active, preferring.active, overridden.active]
    assert "198.51.100.2" == str(overridden.source(4))
    assert overridden.source(6) is None
