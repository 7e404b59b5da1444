"""A run as Markdown for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeVar

from benchmarks.scenarios.base import Case, Metric
from benchmarks.servers import Missing, Role, Server
from benchmarks.summary import Results, Spread
from benchmarks.tables import NOTHING, figure, table

_NOTES: Final = """\
- Medians over the rounds, lowest and highest in parentheses; a ratio is the median of the ratios \
within each round.
- Servers take turns within a round, in a turning order; each trial has a fresh server, an empty \
folder and a warm-up, and what was stored is checked against what was sent.
- **No peer fsyncs the bytes of an upload.** What each does for durability stands in its row.
- CPU is user and system time of the server's whole process tree, in steps of the kernel's clock \
tick. Memory is its resident set, shared pages counted in each process.
- "Others busy" is what neither server nor driver used of one core: where it is high, measure \
again on a quiet machine.
- Driver and server share the cores, over the loopback interface: ratios carry over to other \
machines, absolute figures don't."""
_Contender = TypeVar("_Contender", Server, Missing)
FORMAT: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that a run found."""

    started: str
    machine: Mapping[str, str]
    options: Mapping[str, object]
    cases: Sequence[Case]
    servers: Mapping[str, Sequence[Server]]
    missing: Mapping[str, Sequence[Missing]]
    baselines: Mapping[str, str]
    results: Results

    def markdown(self) -> str:
        """Return the tables with all that is needed to read them."""
        blocks = [
            "# Benchmarks of tusd_py",
            f"Started {self.started}. " + self._scale(),
            table(["what", "measured on"], [list(fact) for fact in self.machine.items()]),
            _NOTES,
            *(block for case in self.cases for block in self._case_blocks(case)),
            "## Servers",
            table(["server", "version", "configuration"], list(self._server_rows())),
        ]
        return "\n\n".join(blocks) + "\n"

    def json(self) -> str:
        """Return every trial and every summary."""
        content: dict[str, Any] = {
            "format": FORMAT,
            "started": self.started,
            "machine": dict(self.machine),
            "options": dict(self.options),
            "baselines": dict(self.baselines),
            "servers": [
                {
                    "name": server.name,
                    "role": server.role,
                    "version": server.version,
                    "configuration": server.configuration,
                    "durability": server.durability,
                }
                for server in self._all_servers()
            ],
            "missing": [asdict(missing) for missing in self._all_missing()],
            "cases": [self._case_summary(case) for case in self.cases],
            "trials": [asdict(trial) for trial in self.results.trials],
        }
        return json.dumps(content, indent=2) + "\n"

    def _scale(self) -> str:
        quick = self.options.get("quick")
        return "A quick look: too short for conclusions." if quick else "A whole run."

    def _all_servers(self) -> list[Server]:
        return _each_once(self.servers)

    def _all_missing(self) -> list[Missing]:
        return _each_once(self.missing)

    def _server_rows(self) -> Iterator[list[str]]:
        for server in self._all_servers():
            yield [server.name, server.version, server.configuration]
        for missing in self._all_missing():
            yield [missing.name, f"missing: {missing.reason}", ""]

    def _case_blocks(self, case: Case) -> Iterator[str]:
        yield f"## {case.title}"
        yield case.method
        rows = [self._row(case, server) for server in self.servers[case.name]]
        rows += [self._missing_row(case, missing) for missing in self.missing[case.name]]
        yield table(self._titles(case), rows)
        for server in self.servers[case.name]:
            for failure in self.results.failures_of(case.name, server.name):
                yield f"- {server.name} failed: {failure}"
            for reason in self.results.not_offered_by(case.name, server.name):
                yield f"- {server.name} takes no part: {reason}"

    def _titles(self, case: Case) -> list[str]:
        titles = ["server", "durability"]
        for metric in case.metrics:
            titles.append(metric.title)
            if metric.compared:
                titles += [f"÷ {name}" for name in self._compared_with(case)]
        return titles

    def _row(self, case: Case, server: Server) -> list[str]:
        row = [server.name, server.durability]
        for metric in case.metrics:
            found = self.results.spread_of(case.name, server.name, metric.key)
            row.append(figure(found, metric.digits) + _verdict(found, metric, server))
            row += [figure(ratio, 2) for ratio in self._ratios(case, server, metric).values()]
        return row

    def _missing_row(self, case: Case, missing: Missing) -> list[str]:
        empty = [NOTHING] * (len(self._titles(case)) - 2)
        return [missing.name, f"missing: {missing.reason}", *empty]

    def _compared_with(self, case: Case) -> list[str]:
        """Return the baseline of a case and the limit, where there is something to compare."""
        there = self.servers[case.name]
        limits = [server.name for server in there if server.role is Role.LIMIT]
        names = dict.fromkeys([self.baselines[case.name], *limits])
        return list(names) if len(there) > 1 else []

    def _ratios(self, case: Case, server: Server, metric: Metric) -> dict[str, Spread | None]:
        """Return the ratios of a metric, by the name of who it is compared with."""
        if not metric.compared:
            return {}
        return {
            name: self.results.ratio_of(case.name, server.name, metric.key, name)
            for name in self._compared_with(case)
        }

    def _case_summary(self, case: Case) -> dict[str, Any]:
        return {
            "scenario": case.scenario,
            "name": case.name,
            "title": case.title,
            "metrics": [asdict(metric) for metric in case.metrics],
            "servers": {
                server.name: self._server_summary(case, server)
                for server in self.servers[case.name]
            },
        }

    def _server_summary(self, case: Case, server: Server) -> dict[str, Any]:
        summary: dict[str, Any] = {
            "failures": self.results.failures_of(case.name, server.name),
            "not_offered": self.results.not_offered_by(case.name, server.name),
        }
        for metric in case.metrics:
            found = self.results.spread_of(case.name, server.name, metric.key)
            summary[metric.key] = _content(found, self._ratios(case, server, metric))
        return summary


def _each_once(by_case: Mapping[str, Sequence[_Contender]]) -> list[_Contender]:
    everyone = (one for several in by_case.values() for one in several)
    return list({one.name: one for one in everyone}.values())


def _content(found: Spread | None, ratios: Mapping[str, Spread | None]) -> dict[str, Any] | None:
    if found is None:
        return None
    shown = {name: asdict(ratio) if ratio else None for name, ratio in ratios.items()}
    return {**asdict(found), "ratios": shown}


def _verdict(value: Spread | None, metric: Metric, server: Server) -> str:
    """Hold our own servers to a metric's limit; the worst round decides."""
    if value is None or metric.limit is None or server.role is not Role.OURS:
        return ""
    return " ✓" if value.high < metric.limit else f" **over {metric.limit:.0f}**"
