"""Two results side by side: ``python -m benchmarks.compare A.json B.json``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.errors import UnreadableError
from benchmarks.progress import say
from benchmarks.saved import Saved, SavedCase, load
from benchmarks.scenarios.base import Metric
from benchmarks.summary import Spread
from benchmarks.tables import NOTHING, figure, table

_NOTE = """\
Medians over the rounds, lowest and highest in parentheses. B ÷ A is that of the medians. "Apart" \
means that all rounds of one run lie above all of the other; anything else may be the machine."""


def main(arguments: Sequence[str]) -> int:
    """Print the comparison; the exit status is 2 where a file cannot be read."""
    if len(arguments) != 2:
        say("usage: python -m benchmarks.compare A.json B.json")
        return 2
    try:
        before, after = (load(Path(name)) for name in arguments)
    except UnreadableError as error:
        say(f"benchmarks: {error}")
        return 2
    sys.stdout.write(compared(before, after))
    return 0


def compared(before: Saved, after: Saved) -> str:
    """Return both runs in Markdown, with what they have in common."""
    facts = [["started", before.started, after.started]]
    facts += _differences(before.machine, after.machine)
    facts += _differences(before.options, after.options)
    blocks = ["# Two results side by side", table(["what differs", "A", "B"], facts), _NOTE]
    for name, case in before.cases.items():
        if name in after.cases:
            blocks += _case_blocks(case, after.cases[name])
    blocks += _lonely("A", before, after)
    blocks += _lonely("B", after, before)
    return "\n\n".join(blocks) + "\n"


def _differences(one: Mapping[str, object], other: Mapping[str, object]) -> list[list[str]]:
    names = [*one, *(name for name in other if name not in one)]
    pairs = [(name, str(one.get(name, NOTHING)), str(other.get(name, NOTHING))) for name in names]
    return [[name, ours, theirs] for name, ours, theirs in pairs if ours != theirs]


def _case_blocks(before: SavedCase, after: SavedCase) -> Iterator[str]:
    yield f"## {before.title}"
    if before.title != after.title:
        yield f"B is another size: {after.title}."
    rows = [
        row
        for server in before.servers
        for metric in before.metrics
        if (row := _row(server, metric, before, after)) is not None
    ]
    yield table(["server", "what", "A", "B", "B ÷ A", ""], rows)


def _row(server: str, metric: Metric, before: SavedCase, after: SavedCase) -> list[str] | None:
    one = before.servers[server].get(metric.key)
    other = after.servers.get(server, {}).get(metric.key)
    if one is None or other is None:
        return None
    ratio = f"{other.median / one.median:.2f}" if one.median else NOTHING
    shown = [figure(one, metric.digits), figure(other, metric.digits)]
    return [server, metric.title, *shown, ratio, "apart" if apart(one, other) else ""]


def apart(one: Spread, other: Spread) -> bool:
    """Whether all rounds of one lie above all of the other; single rounds say nothing."""
    if min(one.count, other.count) < 2:
        return False
    return one.high < other.low or other.high < one.low


def _lonely(name: str, run: Saved, other: Saved) -> Iterator[str]:
    """Say what only this run has."""
    cases = [case for case in run.cases if case not in other.cases]
    servers = [server for server in run.roles if server not in other.roles]
    if cases or servers:
        yield f"Only in {name}: {', '.join([*cases, *servers])}."


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
