"""A real Prometheus reads the metrics, and its tools find nothing wrong with them or the alerts."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode

import pytest

from tests.support.live import Wire, created
from tests.support.server import HOST, REPOSITORY, ServerProcess, free_port
from tests.support.tools import require_tool, run_tool
from tests.support.workers import wait_for_workers, wait_until

EXAMPLES = REPOSITORY / "examples/prometheus"
pytestmark = pytest.mark.timeout(120)


class Prometheus:
    """One that scrapes a server every second."""

    def __init__(self, port: int) -> None:
        self._url = f"http://{HOST}:{port}"

    def ready(self) -> bool:
        try:
            return bool(self._open("/-/ready"))
        except URLError:
            return False

    def api(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self._open(f"/api/v1/{path}?{urlencode(query)}"))["data"]

    def value(self, query: str) -> float | None:
        result = self.api("query", query=query)["result"]
        return float(result[0]["value"][1]) if result else None

    def _open(self, path: str) -> bytes:
        with urllib.request.urlopen(self._url + path, timeout=5) as response:  # noqa: S310 - http
            body: bytes = response.read()
            return body


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    options = ("--workers", "2", "--durability", "process")
    with ServerProcess(tmp_path / "data", *options) as server:
        wait_for_workers(server, 2)
        yield server


@pytest.fixture
def prometheus(server: ServerProcess, tmp_path: Path) -> Iterator[Prometheus]:
    binary, port = require_tool("prometheus"), free_port()
    example = (EXAMPLES / "prometheus.yml").read_text()
    config = tmp_path / "prometheus.yml"
    config.write_text(
        example.replace("127.0.0.1:1080", f"{HOST}:{server.port}").replace("15s", "1s")
    )
    (tmp_path / "alerts.yml").write_text((EXAMPLES / "alerts.yml").read_text())
    command = [
        *(binary, f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'tsdb'}"),
        *(f"--web.listen-address={HOST}:{port}", "--log.level=error"),
    ]
    with subprocess.Popen(command, cwd=tmp_path) as process:
        try:
            prometheus = Prometheus(port)
            wait_until(prometheus.ready, "Prometheus does not start")
            yield prometheus
        finally:
            process.terminate()


def test_prometheus_reads_what_is_counted(server: ServerProcess, prometheus: Prometheus) -> None:
    for _ in range(5):
        created(server.port, 10)

    wait_until(lambda: prometheus.value("tusd_py_uploads_created_total") == 5)
    assert 5 == prometheus.value('tusd_py_requests_total{method="POST",status="201"}')
    assert 1 == prometheus.value('up{job="tusd-py"}')
    assert 2 == prometheus.value("tusd_py_processes")
    assert 0 < (prometheus.value("histogram_quantile(0.5, sum by (le) "
        "(tusd_py_request_duration_seconds_bucket{method='POST'}))") or 0) < 5  # fmt: skip
    (target,) = prometheus.api("targets")["activeTargets"]
    assert ("up", "") == (target["health"], target["lastError"])


def test_every_rule_of_the_example_works_and_none_fires_on_a_sound_server(
    server: ServerProcess, prometheus: Prometheus
) -> None:
    created(server.port, 10)

    def evaluated() -> bool:
        (group,) = prometheus.api("rules")["groups"]
        return {rule["health"] for rule in group["rules"]} == {"ok"}

    wait_until(evaluated, "not every rule can be evaluated")
    wait_until(lambda: prometheus.value("tusd_py_uploads_created_total") == 1)
    assert [] == [a for a in prometheus.api("alerts")["alerts"] if a["state"] == "firing"]


def test_promtool_finds_nothing_wrong(server: ServerProcess) -> None:
    promtool = require_tool("promtool")
    with Wire(server.port) as wire:
        page = wire.request("GET", "/metrics").body
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=page, capture_output=True, check=False
    )

    assert (0, b"") == (checked.returncode, checked.stdout + checked.stderr)
    assert "SUCCESS" in run_tool([promtool, "check", "config", "prometheus.yml"], cwd=EXAMPLES)
    run_tool([promtool, "test", "rules", "alerts_test.yml"], cwd=EXAMPLES)
