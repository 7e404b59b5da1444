"""A body in pieces one after the other: plain, with checksums, and by a browser's client."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks import limits
from benchmarks.bodies import check_stored
from benchmarks.drivers import wire
from benchmarks.drivers.chunks import ChunksJob, ChunksResult
from benchmarks.drivers.process import Driver
from benchmarks.errors import NotOfferedError
from benchmarks.install import install_in_node, program
from benchmarks.scenarios.base import (
    EVERYBODY,
    GIB,
    MIB,
    WITH_PEERS,
    Bench,
    Case,
    Metric,
    Scale,
    drive,
)
from benchmarks.scenarios.bodies import BODY_METRICS, body_metrics
from benchmarks.servers import Role, Target

_CHUNK: Final = 5 * MIB
_CHECKED_CHUNK: Final = 8 * MIB
_WARM_UP_CHUNKS: Final = 3
_CLIENT: Final = "tus-js-client"
_HASH_METRICS: Final = (
    Metric(key="hashlib_mib_per_s", title="hashlib alone, MiB/s"),
    Metric(key="of_hashlib", title="÷ hashlib", digits=2),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunks:
    """An upload of `length` bytes in pieces."""

    length: int
    chunk: int
    algorithm: str | None = None
    program: Callable[[], Sequence[str] | None] = lambda: None

    def measure(self, bench: Bench, target: Target) -> dict[str, float]:
        """Send the pieces, check what was stored, and return the metrics."""
        source = bench.source(self.length)
        digest = source.digest(0, self.length)
        self._send(bench, target, source.path, _WARM_UP_CHUNKS * self.chunk - 1)
        metrics = self._send(bench, target, source.path, self.length)
        check_stored(target.data, self.length, [digest])
        if self.algorithm is not None:
            rate = limits.hash_rate(self.algorithm, source.path, self.length) / MIB
            metrics |= {"hashlib_mib_per_s": rate, "of_hashlib": metrics["mib_per_s"] / rate}
        return metrics

    def _send(self, bench: Bench, target: Target, body: Path, length: int) -> dict[str, float]:
        job = ChunksJob(
            port=target.port,
            body=str(body),
            length=length,
            chunk=self.chunk,
            algorithm=self.algorithm,
        )
        driver = Driver(job, ChunksResult, timeout=600.0, program=self.program())
        result, usage = drive(bench, target, driver, claim=length)
        return body_metrics(length, result, usage)


def plain(scale: Scale) -> list[Case]:
    """Return two cases: 1 GiB in pieces of 5 MiB, by the driver and by tus-js-client in Node."""
    length = scale.choose(GIB, quick=64 * MIB)
    title = f"{length // MIB} MiB in pieces of {_CHUNK // MIB} MiB, one after the other"
    raw = _Chunks(length=length, chunk=_CHUNK)
    client = _Chunks(length=length, chunk=_CHUNK, program=_node_client)
    return [
        _case(
            raw,
            "chunks",
            title,
            "One connection; the next PATCH follows the answer to the last. The sender uses "
            "sendfile from the page cache.",
            EVERYBODY,
        ),
        _case(
            client,
            "chunks-js",
            f"{title}, by {_CLIENT}",
            f"{_CLIENT} in Node reads the file and sends it, so it may be the limit itself. Timed "
            "from its start to its success, with the creation.",
            WITH_PEERS,
        ),
    ]


def with_checksums(scale: Scale) -> list[Case]:
    """Return two cases: 1 GiB in pieces of 8 MiB, each with its SHA-1 or its SHA-256."""
    length = scale.choose(GIB, quick=64 * MIB)
    return [_checked_case(name, length) for name in ("sha1", "sha256")]


def _checked_case(algorithm: str, length: int) -> Case:
    chunks = _Chunks(length=length, chunk=_CHECKED_CHUNK, algorithm=algorithm)

    def measure(bench: Bench, target: Target) -> Mapping[str, float]:
        offered = wire.discover(target.port).headers.get("tus-checksum-algorithm", "")
        if algorithm not in (name.strip() for name in offered.split(",")):
            raise NotOfferedError(f"it does not check {algorithm}")
        return chunks.measure(bench, target)

    case = _case(
        chunks,
        f"checksums-{algorithm}",
        f"{length // MIB} MiB in pieces of {_CHECKED_CHUNK // MIB} MiB, each with its {algorithm}",
        "One connection; the next PATCH follows the answer to the last. The sender has computed "
        "the checksums beforehand. Beside it what one core hashes with nothing else to do.",
        WITH_PEERS,
    )
    return replace(case, metrics=BODY_METRICS + _HASH_METRICS, measure=measure)


def _case(
    chunks: _Chunks,
    name: str,
    title: str,
    method: str,
    roles: frozenset[Role],
) -> Case:
    return Case(
        scenario=name.partition("-")[0],
        name=name,
        title=title,
        method=method,
        metrics=BODY_METRICS,
        sources=(chunks.length,),
        room=3 * chunks.length,
        roles=roles,
        measure=chunks.measure,
    )


def _node_client() -> Sequence[str]:
    return [program("node"), str(install_in_node(_CLIENT) / "upload.mjs")]
