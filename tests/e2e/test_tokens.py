"""Programs in JavaScript and Go make the same tokens as we do, from the documented format alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.docs.vectors import vectors
from tests.support.tools import built_once, require_tool, run_tool

CLIENTS = Path(__file__).parent / "clients"
TIMEOUT = 60.0
# What the signature of a refused token does not tell, its claims or the clock do.
JUDGED_BY_CLAIMS = {
    "a name that stands twice",
    "a number with a point",
    "a claim that is unknown",
}

Report = dict[str, Any]


def in_node() -> list[str]:
    return [require_tool("node"), str(CLIENTS / "tokens-js" / "tokens.mjs")]


def in_go() -> list[str]:
    go = require_tool("go")

    def build(folder: Path) -> None:
        run_tool([go, "build", "-buildvcs=false", "-o", "tokens", "."], cwd=folder)

    return [str(built_once("tokens-go", CLIENTS / "tokens-go", build) / "tokens")]


@pytest.fixture(scope="module", params=[in_node, in_go])
def report(request: pytest.FixtureRequest) -> Report:
    command: Callable[[], list[str]] = request.param
    known = vectors()
    task = {
        "secrets": known["secrets"],
        "grants": without_tokens(known["grants"]),
        "capabilities": without_tokens(known["capabilities"]),
        "verify": [vector["token"] for vector in [*good(), *known["refused"]]],
    }
    told = run_tool([*command(), json.dumps(task)], cwd=CLIENTS, timeout=TIMEOUT)
    answer: Report = json.loads(told)
    return answer


def good() -> list[Report]:
    known = vectors()
    return [*known["grants"], *known["capabilities"]]


def without_tokens(made: list[Report]) -> list[Report]:
    return [{name: value for name, value in each.items() if name != "token"} for each in made]


def test_the_derived_keys_are_the_same(report: Report) -> None:
    assert vectors()["derived"] == report["derived"]


def test_the_grants_are_the_same_byte_for_byte(report: Report) -> None:
    assert [vector["token"] for vector in vectors()["grants"]] == report["grants"]


def test_the_capabilities_are_the_same_byte_for_byte(report: Report) -> None:
    assert [vector["token"] for vector in vectors()["capabilities"]] == report["capabilities"]


def test_good_and_bad_signatures_are_told_apart(report: Report) -> None:
    signed_well = [
        vector["why"] in JUDGED_BY_CLAIMS
        or vector["reason"] in {"expired", "not-yet-valid", "lives-too-long"}
        for vector in vectors()["refused"]
    ]

    assert [True] * len(good()) + signed_well == report["good"]
