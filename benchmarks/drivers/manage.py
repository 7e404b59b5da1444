"""Times what an application does itself with a folder of uploads: lists them, and sweeps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.drivers import process
from benchmarks.drivers.timing import Stopwatch
from tusd_py import Config, FileStorage, SQLiteMetadata, TusApp


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageJob:
    """List a page of 100 uploads after each of these ids, then sweep once; nobody serves."""

    folder: str
    ids: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManageResult:
    """How long each list and the sweep took, and what it cost."""

    lists: list[float]
    sweep: float
    seconds: float
    cpu_seconds: float


def run(job: ManageJob, ready: Callable[[], None]) -> ManageResult:
    """Wait for the start, then list and sweep."""
    ready()
    return asyncio.run(_manage(job))


async def _manage(job: ManageJob) -> ManageResult:
    folder = Path(job.folder)
    tus = TusApp(
        storage=FileStorage(folder),
        metadata=SQLiteMetadata(folder / "tus.db"),
        config=Config(sweep_interval=0, recover_at_start=False),
    )
    async with tus.running():
        with Stopwatch() as watch:
            lists = [await _list(tus, upload_id) for upload_id in job.ids]
            start = time.perf_counter()
            await tus.sweep()
            sweep = time.perf_counter() - start
    return ManageResult(
        lists=lists, sweep=sweep, seconds=watch.seconds, cpu_seconds=watch.cpu_seconds
    )


async def _list(tus: TusApp, after: str) -> float:
    start = time.perf_counter()
    await tus.uploads.list(after=after, limit=100)
    return time.perf_counter() - start


if __name__ == "__main__":
    process.serve(ManageJob, run)
