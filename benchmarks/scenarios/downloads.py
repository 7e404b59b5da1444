"""Downloads by one reader and by several, of uploads of their own and of the same one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.drivers import wire
from benchmarks.drivers.download import DownloadJob, DownloadResult
from benchmarks.drivers.process import Driver
from benchmarks.errors import NotOfferedError
from benchmarks.scenarios.base import GIB, MIB, WITH_PEERS, Bench, Case, Scale, drive
from benchmarks.scenarios.bodies import BODY_METRICS, body_metrics
from benchmarks.servers import Role, Target

_PROBE: Final = b"probe"
_SILENCE: Final = 10.0
_METRICS: Final = tuple(
    replace(metric, title="reader busy, %") if metric.key == "sender_busy_percent" else metric
    for metric in BODY_METRICS
)


def cases(scale: Scale) -> list[Case]:
    """Return three cases: 1 GiB by one reader, eight of an upload each, eight of the same one."""
    return of_length(scale.choose(GIB, quick=64 * MIB))


def of_length(length: int) -> list[Case]:
    """Return the same cases with uploads of another length."""
    return [
        _case("downloads-1", f"Download of {length // MIB} MiB", length, _Reads(1, 1)),
        _case("downloads-8", f"8 downloads of {length // MIB} MiB each", length, _Reads(8, 8)),
        _case(
            "downloads-8-same", f"8 downloads of the same {length // MIB} MiB", length, _Reads(1, 8)
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Reads:
    uploads: int
    readers: int


def _case(name: str, title: str, length: int, reads: _Reads) -> Case:
    def measure(bench: Bench, target: Target) -> Mapping[str, float]:
        return _measure(bench, target, length, reads)

    return Case(
        scenario="downloads",
        name=name,
        title=title,
        method="GETs, all started at once. Before that each upload is compared with what was "
        "sent; the readers measured count the bytes and let the kernel drop them.",
        metrics=_METRICS,
        sources=(length,),
        room=(2 + reads.uploads) * length,
        roles=WITH_PEERS | {Role.LIMIT},
        measure=measure,
    )


def _measure(bench: Bench, target: Target, length: int, reads: _Reads) -> dict[str, float]:
    _check_offered(target.port)
    body = bench.source(length).path
    job = DownloadJob(
        port=target.port,
        body=str(body),
        length=length,
        uploads=reads.uploads,
        readers=reads.readers,
    )
    result, usage = drive(bench, target, Driver(job, DownloadResult, timeout=600.0))
    return body_metrics(reads.readers * length, result, usage)


def _check_offered(port: int) -> None:
    with wire.connect(port, timeout=_SILENCE) as connection:
        connection.sendall(wire.creation(port, len(_PROBE), _PROBE))
        path = wire.path_of(wire.read_answer(connection))
    with wire.connect(port, timeout=_SILENCE) as connection:
        connection.sendall(wire.download(path, port))
        status = wire.read_answer(connection).status
        wire.wait_for_end(connection)
    if status != 200:
        raise NotOfferedError(f"it answers a GET with {status}")
