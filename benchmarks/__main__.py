"""Run the benchmarks: ``python -m benchmarks``."""

from __future__ import annotations

import json
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TypeVar

from benchmarks import catalog, environment, options, plots, runner, saved
from benchmarks.folders import make_run_folder
from benchmarks.options import Options
from benchmarks.progress import say
from benchmarks.report import Report
from benchmarks.runner import Trial
from benchmarks.scenarios import SCENARIOS
from benchmarks.scenarios.base import Bench, Case, Scale
from benchmarks.servers import Missing, Role, Server
from benchmarks.summary import Results

_Contender = TypeVar("_Contender", Server, Missing)


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; the exit status is 1 where a trial failed or nothing could run."""
    signal.signal(signal.SIGTERM, _stop)
    chosen = options.parse(arguments)
    scale = Scale(quick=chosen.quick, large=chosen.size)
    offered = [case for name in chosen.scenarios for case in SCENARIOS[name](scale)]
    cases = [case for case in offered if case.name in chosen.cases or not chosen.cases]
    if problem := _unknown(chosen.cases, offered) or _lack_of_room(cases, chosen.disk):
        say(f"benchmarks: {problem}")
        return 2
    found, missing = catalog.find(chosen.servers or catalog.names(), chosen.python)
    for absent in missing:
        say(f"missing: {absent.name}: {absent.reason}")
    servers = {case.name: _taking_part(case, found, chosen) for case in cases}
    started = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    machine = environment.describe(chosen.disk)
    trials, interrupted = _run(cases, servers, chosen)
    report = Report(
        started=started,
        machine=machine,
        options=_shown(chosen),
        cases=cases,
        servers=servers,
        missing={case.name: _taking_part(case, missing, chosen) for case in cases},
        baselines={name: _baseline(taking_part, chosen) for name, taking_part in servers.items()},
        results=Results(trials),
    )
    _write(report, chosen.out)
    if interrupted:
        return 130
    return 0 if trials and not any(trial.failure for trial in trials) else 1


def _run(
    cases: Sequence[Case], servers: Mapping[str, Sequence[Server]], chosen: Options
) -> tuple[list[Trial], bool]:
    """Run the trials; an interrupted run keeps those that are done."""
    trials: list[Trial] = []
    folder = make_run_folder(chosen.disk)
    try:
        trials.extend(runner.run(cases, servers, chosen.rounds, Bench(folder=folder)))
    except KeyboardInterrupt:
        say("interrupted: reporting the trials that are done")
        return trials, True
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return trials, False


def _taking_part(
    case: Case, everyone: Sequence[_Contender], chosen: Options
) -> Sequence[_Contender]:
    """Return who takes part: who has a role in the case, or was asked for by name.

    The limit can do little, and few drivers bring grants, so these take part only where they have
    a role.
    """
    anywhere = {*Role} - {Role.LIMIT, Role.GUARDED} if chosen.servers else set()
    return [one for one in everyone if one.role in case.roles | anywhere]


def _baseline(there: Sequence[Server], chosen: Options) -> str:
    names = [server.name for server in there]
    return chosen.baseline if chosen.baseline in names else next(iter(names), "")


def _unknown(wanted: Sequence[str], offered: Sequence[Case]) -> str | None:
    names = [case.name for case in offered]
    wrong = [name for name in wanted if name not in names]
    return f"no case is called {wrong[0]}; there are: {', '.join(names)}" if wrong else None


def _lack_of_room(cases: Sequence[Case], disk: Path) -> str | None:
    needed, free = max(case.room for case in cases), shutil.disk_usage(disk).free
    if free >= needed:
        return None
    return f"the disk has {free >> 20} MiB free where the largest trial needs {needed >> 20} MiB"


def _shown(chosen: Options) -> dict[str, object]:
    """Return the options without the paths of this machine."""
    shown = asdict(chosen)
    public = ("quick", "scenarios", "cases", "servers", "rounds", "size", "baseline")
    return {name: shown[name] for name in public}


def _write(report: Report, out: Path) -> None:
    markdown, content = report.markdown(), report.json()
    (out / "results.md").write_text(markdown, encoding="utf-8")
    (out / "results.json").write_text(content, encoding="utf-8")
    plots.draw(saved.parse(json.loads(content)), out / "plots")
    sys.stdout.write(markdown)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
