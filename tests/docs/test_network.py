"""The examples of scores, trends and chunks that the document has are what the code gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tusd_py.network.advice import recommended_chunk_size
from tusd_py.network.quality import score
from tusd_py.network.trend import Trend, trend_after

PAGE = Path(__file__).parents[2] / "docs/design/network.md"
ROW = re.compile(r"\| (\S+)(?: ms)? \| (\S+)(?: ms)? \| (\S+)(?: %)? \| ([01]\.[0-9]{3}) \|")
CHUNK = re.compile(r"\| (\S+) \| (\S+) \| (\S+)(?: ms)? \| (\S+) \| ([0-9]{6,8}) \|")
TREND = re.compile(r"\| ([0-9, ]+) \| ([0-9.]+) \| ([0-9]+\.[0-9]{3}) \|")
EXAMPLES = ROW.findall(PAGE.read_text())
CHUNKS = CHUNK.findall(PAGE.read_text())
TRENDS = TREND.findall(PAGE.read_text())


def known(text: str, unit: float) -> float | None:
    return None if text == "-" else float(text) / unit


def test_the_document_has_examples() -> None:
    assert [10, 12, 5] == [len(found) for found in (EXAMPLES, CHUNKS, TRENDS)]


@pytest.mark.parametrize(("latency", "jitter", "loss", "expected"), EXAMPLES)
def test_an_example_is_right(latency: str, jitter: str, loss: str, expected: str) -> None:
    found = score(latency=known(latency, 1000), jitter=known(jitter, 1000), loss=known(loss, 100))
    assert expected == f"{found:.3f}"


@pytest.mark.parametrize(("size", "rate", "latency", "reliability", "expected"), CHUNKS)
def test_a_chunk_is_right(
    size: str, rate: str, latency: str, reliability: str, expected: str
) -> None:
    found = recommended_chunk_size(
        None if size == "-" else int(size),
        rate=known(rate, 1),
        latency=known(latency, 1000),
        reliability=known(reliability, 1),
    )
    assert int(expected) == found


@pytest.mark.parametrize(("measured", "level", "following"), TRENDS)
def test_a_trend_is_right(measured: str, level: str, following: str) -> None:
    trend: Trend | None = None
    for value in measured.split(", "):
        trend = trend_after(trend, float(value))
    assert trend is not None
    assert (level, following) == (f"{trend.level:.3f}", f"{trend.next:.3f}")
