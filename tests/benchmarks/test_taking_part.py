"""Who takes part in what, and how the report learns who does not."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import catalog, limits, options, runner
from benchmarks.__main__ import main
from benchmarks.errors import NotOfferedError, TrialFailedError
from benchmarks.scenarios import SCENARIOS, chunks
from benchmarks.scenarios.base import Bench, Scale
from benchmarks.scenarios.bodies import check_memory
from benchmarks.servers import Role, Target

from .conftest import report


@pytest.mark.parametrize("variable", ["TUSD_BIN", "RUSTUS_BIN"])
def test_a_binary_that_is_not_named_or_not_there_is_missing(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name = variable.partition("_")[0].lower()
    monkeypatch.delenv(variable, raising=False)
    _, (missing,) = catalog.find([name], python="")
    assert f"{variable} does not name its binary" == missing.reason
    monkeypatch.setenv(variable, str(tmp_path / "none"))
    _, (missing,) = catalog.find([name], python="")
    assert (f"{variable} names no file", Role.PEER) == (missing.reason, missing.role)


def test_a_server_without_checksums_takes_no_part(bare: Target, bench: Bench) -> None:
    for case in chunks.with_checksums(Scale(quick=True)):
        with pytest.raises(NotOfferedError, match="it does not check sha"):
            case.measure(bench, bare)


def test_a_server_that_holds_bodies_takes_no_part_where_memory_is_short(bare: Target) -> None:
    holding = replace(bare, server=replace(bare.server, holds_bodies=True))
    check_memory(bare, 2**60)
    check_memory(holding, 2**10)
    with pytest.raises(NotOfferedError, match="holds whole bodies in memory"):
        check_memory(holding, 2**60)


@pytest.mark.parametrize(
    ("error", "failure", "not_offered"),
    [
        (NotOfferedError("it has none"), None, "it has none"),
        (TrialFailedError("it died"), "it died", None),
    ],
)
def test_a_trial_tells_what_is_not_offered_from_a_failure(
    bench: Bench, error: Exception, failure: str | None, not_offered: str | None
) -> None:
    def measure(_bench: Bench, _target: Target) -> dict[str, float]:
        raise error

    case = replace(report().cases[0], measure=measure)
    found, _ = catalog.find([catalog.LIMIT], python="")
    (trial,) = runner.run([case], {case.name: found}, 1, bench)
    assert (failure, not_offered) == (trial.failure, trial.not_offered)


def test_what_takes_long_runs_only_if_asked_for(tmp_path: Path) -> None:
    where = ["--out", str(tmp_path), "--dir", str(tmp_path)]
    assert not {"growth", "soak"} & set(options.parse(where).scenarios)
    assert ("growth",) == options.parse([*where, "--only", "growth"]).scenarios


@pytest.mark.parametrize("quick", [True, False])
def test_cases_have_names_of_their_own(quick: bool) -> None:
    names = [case.name for cases in SCENARIOS.values() for case in cases(Scale(quick=quick))]
    assert len(names) == len(set(names))


def test_the_bare_syncs_count_files_that_are_there(tmp_path: Path) -> None:
    rate = limits.sync_rate(tmp_path, b"payload", at_once=3, seconds=0.05)
    written = list((tmp_path / "bare-syncs").iterdir())
    assert rate > 0
    assert 0 == len(written) % 3
    assert {b"payload"} == {path.read_bytes() for path in written}


def test_a_case_that_there_is_not_is_refused_with_those_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)
    folders = ["--dir", str(tmp_path / "disk"), "--out", str(tmp_path / "out")]

    assert 2 == main(["--only", "small", "--case", "large", *folders])
    assert "no case is called large; there are: creation-16," in capsys.readouterr().err
