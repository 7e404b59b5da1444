"""Trials: every server once a round, in an order that turns from round to round.

Every trial has a fresh server with an empty folder, so that none inherits the memory, the warm
caches or the fragmented files of the one before; and a drift of the machine hits all alike. Where
a case keeps its servers, they run from its first trial to its last, and what they stored is removed
after each: servers that are nearly alike need more rounds than there is time to start them in.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from benchmarks.bodies import remove_stored
from benchmarks.errors import NotOfferedError, TrialFailedError
from benchmarks.folders import make_trial_folder
from benchmarks.progress import say
from benchmarks.scenarios.base import Bench, Case
from benchmarks.servers import Server, Target, running

_SETTLE_SECONDS: Final = 0.5

_Start = Callable[[Server], AbstractContextManager[Target]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One server, one case, one round: its figures, or why there are none.

    `not_offered` is no failure: it says what the case needs that the server does not do.
    """

    case: str
    server: str
    round: int
    load_before: float
    figures: Mapping[str, float] = field(default_factory=dict)
    failure: str | None = None
    not_offered: str | None = None


def run(
    cases: Sequence[Case], servers: Mapping[str, Sequence[Server]], rounds: int, bench: Bench
) -> Iterator[Trial]:
    """Run all trials and yield each when it is done; `servers` are given for each case."""
    total = rounds * sum(len(servers[case.name]) for case in cases)
    done = 0
    for case in cases:
        say(f"{case.name}: preparing {case.title}")
        for size in case.sources:
            bench.source(size)
        with _started(case, bench) as start:
            for number in range(rounds):
                for server in _turned(servers[case.name], number):
                    trial = _attempt(case, start, server, number + 1, bench)
                    done += 1
                    say(f"[{done}/{total}] {_progress(case, trial)}")
                    yield trial


def _turned(servers: Sequence[Server], by: int) -> Sequence[Server]:
    start = by % len(servers) if servers else 0
    return [*servers[start:], *servers[:start]]


@contextmanager
def _started(case: Case, bench: Bench) -> Iterator[_Start]:
    """Give the way to start a server for a trial: anew, or once for all trials of the case."""
    if not case.kept:
        yield lambda server: _fresh(server, bench)
        return
    targets: dict[str, Target] = {}
    # One that died has told so in a trial.
    with suppress(TrialFailedError), ExitStack() as stack:

        @contextmanager
        def kept(server: Server) -> Iterator[Target]:
            if server.name not in targets:
                targets[server.name] = stack.enter_context(_fresh(server, bench))
            target = targets[server.name]
            try:
                yield target
            finally:
                for size in case.sources:
                    remove_stored(target.data, size)

        yield kept


@contextmanager
def _fresh(server: Server, bench: Bench) -> Iterator[Target]:
    folder = make_trial_folder(bench.folder)
    try:
        with running(server, folder) as target:
            yield target
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _attempt(case: Case, start: _Start, server: Server, number: int, bench: Bench) -> Trial:
    load = os.getloadavg()[0]
    figures: Mapping[str, float] = {}
    failure = not_offered = None
    try:
        with start(server) as target:
            figures = case.measure(bench, target)
    except NotOfferedError as error:
        not_offered = str(error)
    except TrialFailedError as error:
        figures, failure = {}, str(error)
    _settle()
    return Trial(
        case=case.name,
        server=server.name,
        round=number,
        load_before=load,
        figures=figures,
        failure=failure,
        not_offered=not_offered,
    )


def _settle() -> None:
    # What one trial left to be written must not be written during the next.
    os.sync()
    time.sleep(_SETTLE_SECONDS)


def _progress(case: Case, trial: Trial) -> str:
    what = f"{case.name}, round {trial.round}, {trial.server}"
    if trial.failure is not None:
        return f"{what}: FAILED: {trial.failure}"
    if trial.not_offered is not None:
        return f"{what}: {trial.not_offered}"
    shown = (
        f"{metric.title} {trial.figures[metric.key]:.{metric.digits}f}"
        for metric in case.metrics
        if metric.key in trial.figures
    )
    return f"{what}: {'; '.join(shown)}"
