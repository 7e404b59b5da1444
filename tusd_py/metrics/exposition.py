"""The page that Prometheus reads. Everything here blocks."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from .numbers import places
from .shared import Reading
from .table import PREFIX, SAMPLES, TABLE, Kind, Metric


def page(
    readings: Sequence[Reading], samples: Mapping[str, float], version: str, accept: str
) -> tuple[bytes, str]:
    """Write the page; returns it and its media type.

    Args:
        readings: The numbers of all processes.
        samples: What was asked for just now, by a name of ``SAMPLES``.
        version: Of the program.
        accept: The request's header.
    """
    registry = CollectorRegistry()
    registry.register(_All(readings, samples, version))
    if len(readings) == 1:
        # Of several processes, it would be told which of them answers.
        ProcessCollector(registry=registry)
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type


class _All(Collector):
    def __init__(
        self, readings: Sequence[Reading], samples: Mapping[str, float], version: str
    ) -> None:
        self._readings = readings
        self._alive = [reading for reading in readings if reading.alive]
        self._samples = samples
        self._version = version

    def collect(self) -> Iterator[Family]:
        for metric in TABLE:
            if metric.kind is Kind.COUNTER:
                yield self._counter(metric)
            elif metric.kind is Kind.HISTOGRAM:
                yield self._histogram(metric)
            else:
                yield self._gauge(metric)
        for name, value in self._samples.items():
            yield GaugeMetricFamily(PREFIX + name, SAMPLES[name], value)
        yield GaugeMetricFamily(f"{PREFIX}processes", "Processes that serve.", len(self._alive))
        yield _info(self._version)

    def _counter(self, metric: Metric) -> Family:
        family = CounterMetricFamily(PREFIX + metric.name, metric.help, labels=metric.labels)
        for labels, place in places(metric):
            total = self._total(place)
            # Of what has many series, those that there never was are left out.
            if total or not labels:
                family.add_metric(labels, total)
        return family

    def _gauge(self, metric: Metric) -> Family:
        ((_, place),) = places(metric)
        values = [reading.values[place] for reading in self._alive]
        value = max(values, default=0.0) if metric.kind is Kind.LATEST else sum(values)
        return GaugeMetricFamily(PREFIX + metric.name, metric.help, value)

    def _histogram(self, metric: Metric) -> Family:
        family = HistogramMetricFamily(PREFIX + metric.name, metric.help, labels=metric.labels)
        bounds = [*map(floatToGoString, metric.buckets), "+Inf"]
        for labels, place in places(metric):
            counts = [self._total(place + index) for index in range(len(bounds))]
            if any(counts) or not labels:
                buckets = [*zip(bounds, accumulate(counts), strict=True)]
                family.add_metric(labels, buckets, self._total(place + len(bounds)))
        return family

    def _total(self, place: int) -> float:
        return sum(reading.values[place] for reading in self._readings)


def _info(version: str) -> Family:
    family = GaugeMetricFamily(
        f"{PREFIX}build_info", "The version of the program.", labels=("version",)
    )
    family.add_metric((version,), 1)
    return family
