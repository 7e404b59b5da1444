"""Uploads over links that go and come: how soon they go on, and that they end whole."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.roaming import ETH1, Growth, Roaming, roaming
from tests.e2e.samples import MIB, Sample, write_sample
from tests.e2e.tus_js import installed
from tests.e2e.watching import Event, Telling
from tests.support.server import environment
from tests.support.tools import require_tool

pytestmark = [pytest.mark.quiet, pytest.mark.timeout(180)]

SIZE = 200 * MIB
# Over so fast a link they take five seconds or so.
RATE = "320mbit"
MIDDLE = 60 * MIB
# What is aimed at, and what is promised.
AIM, MOST = 1.0, 3.0
PATIENCE = 60.0


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sample]:
    sample = write_sample(tmp_path_factory.mktemp("sample") / "sample.bin", SIZE)
    yield sample
    sample.path.unlink()


@pytest.fixture(params=["at the server", "at a router"])
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Roaming]:
    with roaming(tmp_path, RATE, routed=request.param == "at a router") as made:
        yield made


@pytest.fixture
def routed(tmp_path: Path) -> Iterator[Roaming]:
    with roaming(tmp_path, RATE, routed=True) as made:
        yield made


class Upload(Telling):
    """``tusd-py upload`` on the client."""

    def __init__(self, ground: Roaming, sample: Sample, *options: str) -> None:
        arguments = ("upload", "--json", "--no-resume", *options, str(sample.path))
        super().__init__(ground.client, *arguments, ground.server.url, environment=environment())

    def until_sent(self, count: int) -> None:
        """Wait until so many bytes have left the client."""
        self.until_so(lambda line: line.get("sent", 0) >= count, PATIENCE)

    def finished(self) -> list[Event]:
        """Wait for the end, and give all that it told."""
        assert 0 == self.ended(PATIENCE), self.complaints
        told = [line for _, line in self.told]
        assert "uploaded" == told[-1]["event"]
        return told

    def moved_after(self, moment: float) -> float:
        """Seconds from a moment until the server's system had more than HEAD told after it."""
        later = ((at, line) for at, line in self.told if at >= moment)
        next(line for _, line in later if line["event"] == "paused")
        _, there = next(each for each in later if each[1]["event"] == "uploading")
        return next(at for at, line in later if line["sent"] > there["sent"]) - moment


def whys(told: list[Event]) -> list[str]:
    return [line["why"] for line in told if line["event"] == "paused"]


def sent_twice(told: list[Event]) -> int:
    """Bytes that had left the client and were sent once more."""
    sent = [line["sent"] for line in told if "sent" in line]
    return sum(max(0, before - after) for before, after in pairwise(sent))


def in_flight() -> int:
    """The most bytes that can be on their way on one connection: what both kernels may hold."""
    limits = (Path(f"/proc/sys/net/ipv4/tcp_{end}mem").read_text() for end in "wr")
    return sum(int(limit.split()[2]) for limit in limits)


def report(what: str, seconds: float) -> None:
    """Say how long it took; more than is aimed at shows there, and more than is promised fails."""
    missed = ", which is more than the aim" if seconds > AIM else ""
    sys.stdout.write(f"{what}: new bytes were there after {seconds * 1000:.0f} ms{missed}\n")
    assert seconds < MOST


def switched_off(ground: Roaming) -> None:
    ground.switch_off("eth1")


def pulled(ground: Roaming) -> None:
    ground.pull("eth1")


def without_address(ground: Roaming) -> None:
    ground.client.ip("address", "delete", ETH1, "dev", "eth1")


@pytest.mark.parametrize("lose", [switched_off, pulled, without_address])
@pytest.mark.parametrize("parallel", [1, 4])
def test_an_upload_goes_on_over_the_other_link(
    ground: Roaming, sample: Sample, lose: Callable[[Roaming], None], parallel: int
) -> None:
    with Growth(ground) as growth:
        with Upload(ground, sample, "--parallel", str(parallel)) as upload:
            upload.until_sent(MIDDLE)
            moment = time.monotonic()
            lose(ground)
            told = upload.finished()
        # What the old connection still had on its way is not what is meant.
        seconds = max(growth.resumed_after(moment, "wlan1"), upload.moved_after(moment))

    report(f"{lose.__name__}, {parallel} at once", seconds)
    assert sample.digest == ground.digest()
    assert whys(told)[0].startswith("eth1 ")
    assert sent_twice(told) <= parallel * in_flight()


def test_both_links_are_away_for_ten_seconds(routed: Roaming, sample: Sample) -> None:
    with Growth(routed) as growth:
        with Upload(routed, sample) as upload:
            upload.until_sent(MIDDLE)
            routed.switch_off("eth1")
            routed.pull("wlan1")
            time.sleep(10)
            moment = time.monotonic()
            routed.plug_in("wlan1")
            told = upload.finished()
        seconds = growth.resumed_after(moment, "wlan1")

    report("both away for 10 s", seconds)
    assert sample.digest == routed.digest()
    assert {"eth1 went down", "wlan1 went down"} <= {*whys(told)}


def flap(ground: Roaming) -> None:
    """Pull the cable and plug it in, twenty times in ten seconds."""
    for _ in range(20):
        ground.pull("eth1")
        time.sleep(0.25)
        ground.plug_in("eth1")
        time.sleep(0.25)


@pytest.mark.parametrize("alone", [False, True])
def test_a_link_flaps_twenty_times_in_ten_seconds(
    tmp_path: Path, sample: Sample, *, alone: bool
) -> None:
    with roaming(tmp_path, "160mbit", routed=True) as ground:
        if alone:
            ground.switch_off("wlan1")
        with Upload(ground, sample) as upload:
            upload.until_sent(5 * MIB)
            flap(ground)
            told = upload.finished()
        assert sample.digest == ground.digest()
    assert "eth1 went down" in whys(told)
    if not alone:
        # Who has gone to the other link stays there.
        assert 1 == len(whys(told))


def test_links_that_come_and_go_beside_it_do_not_disturb_it(
    routed: Roaming, sample: Sample
) -> None:
    with Upload(routed, sample) as upload:
        upload.until_sent(20 * MIB)
        routed.client.tunnel("tun7")
        routed.client.ip("address", "add", "10.77.0.1/24", "dev", "tun7")
        routed.client.ip("link", "set", "tun7", "up")
        upload.until_sent(60 * MIB)
        routed.client.ip("link", "delete", "tun7")
        upload.until_sent(90 * MIB)
        routed.switch_off("wlan1")
        told = upload.finished()

    assert [] == whys(told)
    assert sample.digest == routed.digest()


def test_the_first_retry_of_tus_js_client_gets_in(routed: Roaming, sample: Sample) -> None:
    options = {"endpoint": routed.server.url, "retryDelays": [500, 10_000, 10_000]}
    task = json.dumps({"file": str(sample.path), "options": options})
    command = routed.client.command(require_tool("node"), "upload.mjs", task)
    with (
        Growth(routed) as growth,
        subprocess.Popen(command, cwd=installed(), stdout=subprocess.PIPE) as client,
    ):
        routed.until_stored(MIDDLE)
        moment = time.monotonic()
        # The server cannot know: it has a connection that is merely silent.
        routed.pull("eth1")
        routed.cut_off("eth1")
        out, _ = client.communicate(timeout=PATIENCE)
    seconds = growth.resumed_after(moment, "wlan1")

    told = json.loads(out)
    report("tus-js-client, which waits 500 ms before it tries again", seconds)
    assert ["POST", "PATCH", "HEAD", "PATCH"] == [each["method"] for each in told["requests"]]
    assert [201, None, 200, 204] == [each["status"] for each in told["requests"]]
    assert sample.digest == routed.digest()
