"""How large the requests of a client had better be."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusd_py.config import ChunkAlgorithm
from tusd_py.network.advice import LEAST, advise, recommended_chunk_size
from tusd_py.network.clients import ClientProfile
from tusd_py.network.kinds import InterfaceKind
from tusd_py.network.trend import Trend
from tusd_py.quantities import GB, KB, MB

SIZES = st.integers(0, 2**63 - 1)
MAYBE_SIZES = st.none() | SIZES
RATES = st.none() | st.floats(0, 1e12)
TIMES = st.none() | st.floats(0, 60)
SHARES = st.none() | st.floats(0, 1)

CLIENT = ClientProfile("subject:alice", 0.0, 0.0)


@given(MAYBE_SIZES, RATES, TIMES, SHARES, MAYBE_SIZES)
def test_it_is_within_its_bounds(
    size: int | None,
    rate: float | None,
    latency: float | None,
    reliability: float | None,
    most: int | None,
) -> None:
    chunk = recommended_chunk_size(
        size, rate=rate, latency=latency, reliability=reliability, most=most
    )
    limit = min(each for each in (size, most, 10 * MB) if each is not None)
    assert min(LEAST, limit) <= chunk <= limit


@given(SIZES, SIZES, RATES, TIMES, SHARES)
def test_a_larger_file_never_has_smaller_chunks(
    one: int, other: int, rate: float | None, latency: float | None, reliability: float | None
) -> None:
    smaller, larger = (
        recommended_chunk_size(size, rate=rate, latency=latency, reliability=reliability)
        for size in sorted((one, other))
    )
    assert smaller <= larger


@given(SIZES, st.floats(0, 1e12), st.floats(0, 1e12), TIMES, SHARES)
def test_a_faster_client_never_has_smaller_chunks(
    size: int, one: float, other: float, latency: float | None, reliability: float | None
) -> None:
    slower, faster = (
        recommended_chunk_size(size, rate=rate, latency=latency, reliability=reliability)
        for rate in sorted((one, other))
    )
    assert slower <= faster


@given(SIZES, RATES, st.floats(0, 60), st.floats(0, 60), SHARES)
def test_a_client_further_away_never_has_larger_chunks(
    size: int, rate: float | None, one: float, other: float, reliability: float | None
) -> None:
    nearer, further = (
        recommended_chunk_size(size, rate=rate, latency=latency, reliability=reliability)
        for latency in sorted((one, other))
    )
    assert further <= nearer


@given(SIZES, RATES, TIMES, st.floats(0, 1), st.floats(0, 1))
def test_a_less_reliable_client_never_has_larger_chunks(
    size: int, rate: float | None, latency: float | None, one: float, other: float
) -> None:
    worse, better = (
        recommended_chunk_size(size, rate=rate, latency=latency, reliability=reliability)
        for reliability in sorted((one, other))
    )
    assert worse <= better


@pytest.mark.parametrize(
    ("rate", "latency", "reliability", "chunk"),
    [
        (100 * MB, 0.01, 1.0, 2 * MB),
        (100 * MB + 1, 0.01, 1.0, 10 * MB),
        (200 * MB, 0.05, 1.0, 2 * MB),
        (200 * MB, None, 1.0, 2 * MB),
        (None, 0.01, None, 2 * MB),
        (200 * MB, 0.2, 1.0, 2 * MB),
        (200 * MB, 0.201, 1.0, 512 * KB),
        (200 * MB, 0.01, 0.8, 10 * MB),
        (200 * MB, 0.01, 0.79, 512 * KB),
        (math.nan, math.nan, math.nan, 2 * MB),
    ],
)
def test_the_limits_of_the_rules(
    rate: float | None, latency: float | None, reliability: float | None, chunk: int
) -> None:
    found = recommended_chunk_size(GB, rate=rate, latency=latency, reliability=reliability)
    assert chunk == found


@pytest.mark.parametrize(
    ("algorithm", "chunk"), [("adaptive", 10 * MB), ("predictive", 2 * MB), ("fixed", 5 * MB)]
)
def test_algorithms_look_at_different_things(algorithm: ChunkAlgorithm, chunk: int) -> None:
    slowing = CLIENT._replace(
        rate=Trend(120.0 * MB, -30.0 * MB), latency=Trend(0.01), reliability=1.0
    )
    assert chunk == advise(algorithm, slowing, InterfaceKind.WIFI, GB)


@pytest.mark.parametrize("algorithm", ["adaptive", "predictive", "fixed"])
def test_who_is_not_known_gets_what_most_do(algorithm: ChunkAlgorithm) -> None:
    assert 2 * MB == advise(algorithm, None, None, GB)
    assert 2 * MB == advise(algorithm, CLIENT, None, None)
    assert MB == advise(algorithm, None, None, None, most=MB)


def test_what_is_fixed_is_no_more_than_the_file() -> None:
    assert 3 * MB == advise("fixed", None, InterfaceKind.ETHERNET, 3 * MB)
    assert 10 * MB == advise("fixed", None, InterfaceKind.ETHERNET, None)
