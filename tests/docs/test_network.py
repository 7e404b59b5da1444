"""The examples of scores that the document has are what the code gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tusd_py.network.quality import score

PAGE = Path(__file__).parents[2] / "docs/design/network.md"
ROW = re.compile(r"\| (\S+)(?: ms)? \| (\S+)(?: ms)? \| (\S+)(?: %)? \| ([01]\.[0-9]{3}) \|")
EXAMPLES = ROW.findall(PAGE.read_text())


def known(text: str, unit: float) -> float | None:
    return None if text == "-" else float(text) / unit


def test_the_document_has_examples() -> None:
    assert len(EXAMPLES) >= 10


@pytest.mark.parametrize(("latency", "jitter", "loss", "expected"), EXAMPLES)
def test_an_example_is_right(latency: str, jitter: str, loss: str, expected: str) -> None:
    found = score(latency=known(latency, 1000), jitter=known(jitter, 1000), loss=known(loss, 100))
    assert expected == f"{found:.3f}"
