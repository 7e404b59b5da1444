"""What a reader is told of a run."""

import json
from dataclasses import replace

from benchmarks.saved import parse
from benchmarks.summary import Spread

from .conftest import report, trial


def row(markdown: str, name: str) -> list[str]:
    (line,) = (line for line in markdown.splitlines() if line.startswith(f"| {name} | no fsync"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_figure_is_the_median_and_its_spread() -> None:
    run = report(*(trial("ours", number, speed) for number, speed in enumerate([5, 9, 6])))
    assert "6 (5 to 9)" == row(run.markdown(), "ours")[2]


def test_ratios_are_taken_within_each_round() -> None:
    # The second round met a machine ten times slower: 2 and 4 times, and not 22 / 11.
    run = report(trial("ours", 1, 200), trial("tusd", 1, 100), trial("ours", 2, 40))
    run.results.trials.append(trial("tusd", 2, 10))
    assert "3.00 (2.00 to 4.00)" == row(run.markdown(), "ours")[3]


def test_a_server_is_compared_with_the_baseline_and_with_the_limit() -> None:
    run = report(trial("ours", 1, 150), trial("tusd", 1, 100), trial("bare", 1, 300))
    assert "| MiB/s | ÷ tusd | ÷ bare |" in run.markdown()
    assert ["1.50", "0.50"] == row(run.markdown(), "ours")[3:5]


def test_only_ours_is_held_to_a_limit_and_by_its_worst_round() -> None:
    run = report(trial("ours", 1, 1, memory=50), trial("ours", 2, 1, memory=150))
    run.results.trials.append(trial("tusd", 1, 1, memory=150))
    assert row(run.markdown(), "ours")[-1].endswith("**over 100**")
    assert "150" == row(run.markdown(), "tusd")[-1]


def test_who_is_missing_is_named_with_the_reason() -> None:
    markdown = report().markdown()
    assert 2 == markdown.count("| rustus | missing: RUSTUS_BIN is empty |")


def test_a_failure_and_what_is_not_offered_are_told_apart() -> None:
    failed = replace(trial("tusd", 1, 0), figures={}, failure="it died")
    lacking = replace(trial("slow", 1, 0), figures={}, not_offered="it has no checksums")
    lines = report(failed, lacking, replace(lacking, round=2)).markdown().splitlines()
    assert 1 == lines.count("- tusd failed: it died")
    assert 1 == lines.count("- slow takes no part: it has no checksums")


def test_the_json_holds_all_that_plots_and_comparisons_need() -> None:
    run = report(trial("ours", 1, 200), trial("ours", 2, 100), trial("tusd", 1, 100))
    saved = parse(json.loads(run.json()))
    case = saved.cases["large"]
    assert Spread(median=150, low=100, high=200, count=2) == case.servers["ours"]["speed"]
    assert {} == case.servers["slow"]
    assert ("speed", "ours") == (case.main_metric.key, saved.roles["ours"])
