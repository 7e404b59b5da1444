"""A run that never was, and the one server that needs nothing but Python."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import catalog
from benchmarks.report import Report
from benchmarks.runner import Trial
from benchmarks.scenarios.base import EVERYBODY, Bench, Case, Metric
from benchmarks.servers import Launch, Missing, Role, Server, Target, running
from benchmarks.summary import Results

SPEED = Metric(key="speed", title="MiB/s", compared=True)
MEMORY = Metric(key="memory", title="peak RSS, MB", limit=100.0)


def server(name: str, role: Role) -> Server:
    def launch(port: int, data: Path) -> Launch:
        raise NotImplementedError

    return Server(
        name=name,
        version="1",
        configuration="",
        durability="no fsync",
        launch=launch,
        role=role,
    )


SERVERS = [
    server("ours", Role.OURS),
    server("tusd", Role.PEER),
    server("slow", Role.PEER),
    server("bare", Role.LIMIT),
]


def trial(name: str, number: int, speed: float, memory: float = 50.0) -> Trial:
    figures = {"speed": speed, "memory": memory}
    return Trial(case="large", server=name, round=number, load_before=0.0, figures=figures)


def report(*trials: Trial) -> Report:
    case = Case(
        scenario="large",
        name="large",
        title="One PATCH of <2> GiB",
        method="As fast as can be.",
        metrics=(SPEED, MEMORY),
        sources=(),
        room=0,
        roles=EVERYBODY,
        measure=lambda _bench, _target: {},
    )
    return Report(
        started="today",
        machine={"disk": "ext4 on vda"},
        options={"rounds": 2},
        cases=[case],
        servers={"large": SERVERS},
        missing={"large": [Missing(name="rustus", reason="RUSTUS_BIN is empty", role=Role.PEER)]},
        baselines={"large": "tusd"},
        results=Results(trials),
    )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(folder=tmp_path)


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Target]:
    """The bare loop, running."""
    (found,), _ = catalog.find([catalog.LIMIT], python="")
    folder = tmp_path / "trial"
    folder.mkdir()
    with running(found, folder) as target:
        yield target
