"""What an application's other pages notice of an upload of 1 GiB in the same process.

    python -m benchmarks.neighbours              # at 1 Gbit/s
    python -m benchmarks.neighbours --rate 0     # as fast as the loopback interface

A page is asked for over and over: while nothing else happens, while the same upload goes to another
process, and while it goes to the application, in turns. What else runs on the machine is in all
three, and what the sender and the disk take from a small machine in the second, too. The exit
status is 1 if an upload makes the p99 more than twice that of the idle application.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.bodies import remove_stored
from benchmarks.drivers.paced import PacedJob, PacedResult
from benchmarks.drivers.process import Driver
from benchmarks.drivers.timing import percentile
from benchmarks.servers import UVICORN_FLAGS, Launch, Role, Server, running

GIB: Final = 1024 * 1024 * 1024
GIGABIT: Final = 125_000_000
LIMIT: Final = 2.0
_IDLE_SECONDS: Final = 3.0
_PAUSE: Final = 0.002
_TIMEOUT: Final = 300.0
_HOST: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Page:
    """One of the application's own pages."""

    port: int
    path: str
    headers: dict[str, str] = field(default_factory=dict)

    def times(self, over: Callable[[], bool]) -> list[float]:
        """Ask for it, in seconds for each answer, until that is so."""
        took: list[float] = []
        connection = http.client.HTTPConnection(_HOST, self.port, timeout=_TIMEOUT)
        with contextlib.closing(connection):
            while not over():
                start = time.perf_counter()
                connection.request("GET", self.path, headers=self.headers)
                answer = connection.getresponse()
                answer.read()
                took.append(time.perf_counter() - start)
                if answer.status != http.client.OK:
                    raise RuntimeError(f"{self.path} was answered {answer.status}")
                time.sleep(_PAUSE)
        return took


@dataclass(frozen=True, slots=True)
class Round:
    """The p99 of a page in milliseconds: alone, beside an upload elsewhere, and beside one here."""

    idle: float
    elsewhere: float
    busy: float

    def __str__(self) -> str:
        return f"idle {self.idle:.1f} ms, elsewhere {self.elsewhere:.1f}, busy {self.busy:.1f}"


def measured(page: Page, elsewhere: PacedJob, here: PacedJob) -> Round:
    """Measure once."""
    end = time.perf_counter() + _IDLE_SECONDS
    idle = page.times(lambda: time.perf_counter() > end)
    return Round(_p99(idle), _p99(_beside(page, elsewhere)), _p99(_beside(page, here)))


def _beside(page: Page, job: PacedJob) -> list[float]:
    with Driver(job, PacedResult, timeout=_TIMEOUT) as driver, ThreadPoolExecutor(1) as thread:
        sending = thread.submit(driver.go)
        took = page.times(sending.done)
        sending.result()
    return took


def _p99(took: list[float]) -> float:
    return 1e3 * percentile(took, 99)


def _server(name: str, role: Role, *command: str, options: bool = False) -> Server:
    """One that is started with its host and port, as options or without their names."""

    def launch(port: int, data: Path) -> Launch:
        place = ["--host", _HOST, "--port", str(port)] if options else [_HOST, str(port)]
        arguments = [sys.executable, "-m", *command, *place]
        return Launch(arguments=arguments, environment={"UPLOAD_DIR": str(data)})

    return Server(name=name, version="", configuration="", durability="", launch=launch, role=role)


def _bare() -> Server:
    def launch(port: int, data: Path) -> Launch:
        program = [sys.executable, "-m", "benchmarks.bare_server"]
        return Launch(arguments=[*program, str(port), str(data)])

    limit = Role.LIMIT
    return Server(
        name="elsewhere", version="", configuration="", durability="", launch=launch, role=limit
    )


@contextlib.contextmanager
def bare(folder: Path) -> Iterator[int]:
    """Another process that takes uploads; gives its port."""
    with running(_bare(), folder) as target:
        yield target.port


def main(arguments: list[str]) -> int:
    """Measure both ways to serve an application, and say what came of it."""
    parser = argparse.ArgumentParser(prog="benchmarks.neighbours", description="Other pages' p99.")
    parser.add_argument("--rate", type=int, default=GIGABIT, help="bytes a second; 0 is no limit")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    app = "benchmarks.embedded_app"
    plain = ("uvicorn", f"{app}:app", *UVICORN_FLAGS)
    held = True
    for server in (
        _server("uvicorn", Role.EMBEDDED, *plain, options=True),
        _server("uvicorn with protocol_class", Role.EMBEDDED, app),
    ):
        with tempfile.TemporaryDirectory() as folder:
            held &= _report(server, Path(folder), options.rate, options.rounds)
    return 0 if held else 1


def _report(server: Server, folder: Path, rate: int, rounds: int) -> bool:
    (folder / "elsewhere").mkdir()
    with running(server, folder) as target, bare(folder / "elsewhere") as other:
        here = PacedJob(port=target.port, path="/files/", size=GIB, rate=rate)
        page = Page(target.port, "/page")
        done = []
        for _ in range(rounds):
            done.append(measured(page, replace(here, port=other), here))
            print(f"{server.name}: {done[-1]}")
            remove_stored(folder, GIB)
    idle = median(each.idle for each in done)
    elsewhere = median(each.elsewhere for each in done)
    busy = median(each.busy for each in done)
    print(
        f"{server.name}: p99 {busy:.2f} ms, {busy / idle:.2f} times that of the idle application, "
        f"{busy / elsewhere:.2f} times that beside an upload elsewhere"
    )
    return busy <= LIMIT * idle


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
