"""The page of metrics."""

import asyncio
from collections.abc import Awaitable, Callable

from tusd_py import __version__
from tusd_py.errors import TusError
from tusd_py.metrics import Meters
from tusd_py.metrics.shared import readings
from tusd_py.streaming.asking import Receive
from tusd_py.uploads.engine import log

from .answer import Answer, Send, send_answer
from .exchange import Scope, read_headers
from .health import NOT_ALLOWED
from .runtime import Runtime

# Seconds that a number may take that has to be asked for.
_PATIENCE = 2.0


class MetricsPage:
    """Answers Prometheus, as an ASGI application.

    Args:
        runtime: Starts the engine.
        meters: Of this process, which tell of the others too if they are shared.
    """

    def __init__(self, runtime: Runtime, meters: Meters) -> None:
        self._runtime = runtime
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        accept = read_headers(scope).get("accept", "")
        answer = await self._answer(accept) if method in ("GET", "HEAD") else NOT_ALLOWED
        await send_answer(receive, send, answer, with_body=method != "HEAD")

    async def _answer(self, accept: str) -> Answer:
        # Imported when it is needed first: it takes longer than a small upload.
        page, media_type = await asyncio.to_thread(
            _page, self._meters, await self._samples(), accept
        )
        return Answer(
            status=200,
            headers={"Content-Type": media_type, "Cache-Control": "no-store"},
            body=page,
        )

    async def _samples(self) -> dict[str, float]:
        try:
            engine = await self._runtime.started()
        except TusError:
            return {}
        found = {name: await _sampled(sample) for name, sample in engine.samples.items()}
        return {name: value for name, value in found.items() if value is not None}


def _page(meters: Meters, samples: dict[str, float], accept: str) -> tuple[bytes, str]:
    from tusd_py.metrics.exposition import page

    return page(readings(meters), samples, __version__, accept)


async def _sampled(sample: Callable[[], Awaitable[float | None]]) -> float | None:
    """Ask for a number; one that cannot be had is left out, and the others are told."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await sample()
    except (TusError, TimeoutError):
        log.warning("metrics.sample_failed", exc_info=True)
        return None
