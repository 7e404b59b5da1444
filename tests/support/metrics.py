"""The page of metrics, read as Prometheus's own parser reads it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from tests.support.live import Wire

PREFIX = "tusd_py_"


@dataclass
class Page:
    """What a page tells.

    Attributes:
        families: By name, as the parser has it.
    """

    families: dict[str, Metric]

    def get(self, sample: str, **labels: str) -> float:
        """The value of a sample, named without the prefix; 0 if it is left out."""
        found = [
            each.value
            for family in self.families.values()
            for each in family.samples
            if each.name == PREFIX + sample and labels.items() <= each.labels.items()
        ]
        return sum(found)


def parsed(text: str, *, openmetrics: bool = False) -> Page:
    """Parse a page; the parser refuses what is malformed."""
    families: Iterable[Metric] = (parse_openmetrics if openmetrics else parse_text)(text)
    return Page({family.name: family for family in families})


def scraped(port: int, path: str = "/metrics") -> Page:
    """Read the page of a server."""
    with Wire(port) as wire:
        response = wire.request("GET", path)
    assert 200 == response.status
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")
    return parsed(response.body.decode())
