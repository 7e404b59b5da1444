"""Running uvicorn: start, listen, drain, stop."""

import asyncio
import gc
import math
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn

from tusd_py import affinity
from tusd_py.asgi import TusApp
from tusd_py.config import Settings

from .listeners import listening, url_of
from .protocol import protocol_class

_BACKLOG = 2048
# Objects that are made before the youngest are looked at; Python's own figure is 700.
_GARBAGE = 10_000


def serve(tus: TusApp, settings: Settings, on_listening: Callable[[str], None]) -> int:
    """Listen and serve until a signal comes; returns the exit code. See ``serve_on``.

    Raises:
        OSError: The address cannot be had.
        CannotListen: The socket file cannot be had.
        TusError: The backends cannot be started.
    """
    with listening(settings) as listener:
        return serve_on(listener, tus, settings, on_listening)


def serve_on(
    listener: socket.socket,
    tus: TusApp,
    settings: Settings,
    on_listening: Callable[[str], None],
    *,
    number: int = 0,
) -> int:
    """Serve on a socket until a signal comes; returns the exit code.

    The first signal lets running uploads save what they have, within ``shutdown_grace`` seconds.
    The second one ends at once.

    Args:
        listener: Bound, and perhaps shared with other processes.
        tus: The application.
        settings: The limits.
        on_listening: Called with the base URL once connections are accepted.
        number: Of this process among those that serve, which chooses its processor.

    Raises:
        TusError: The backends cannot be started.
    """
    if settings.cpu_affinity:
        affinity.settle(number)
    config = uvicorn.Config(
        tus.alone(settings.base_path, metrics_path=settings.metrics_path),
        http=protocol_class(
            header_timeout=settings.header_timeout,
            max_header_size=settings.max_header_size,
            read_timeout=settings.app.idle_timeout,
        ),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        # Python's own choice, and not uvicorn's, which has weaker ones.
        ssl_ciphers="",
        backlog=_BACKLOG,
        timeout_keep_alive=math.ceil(settings.keep_alive_timeout),
        timeout_graceful_shutdown=math.ceil(settings.shutdown_grace),
    )
    runner = asyncio.Runner(loop_factory=config.get_loop_factory())
    with runner:
        url = url_of(listener, settings)
        runner.run(_serve(tus, _Server(config, lambda: on_listening(url), tus.drain), listener))
    return 0


async def _serve(tus: TusApp, server: "_Server", listener: socket.socket) -> None:
    async with tus.running():
        # What the program is made of stays: there is no garbage in it to look for again and again.
        gc.freeze()
        # And what requests leave behind is freed without it, but for few cycles.
        gc.set_threshold(_GARBAGE, 20, 20)
        await server.serve(sockets=[listener])


class _Server(uvicorn.Server):
    """uvicorn's server, which tells when it listens and passes signals on at once."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_listening: Callable[[], None],
        on_stopping: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._on_listening = on_listening
        self._on_stopping = on_stopping
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self._on_listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """Take a signal: the first ends the server, the second ends it now."""
        if self.should_exit:
            self.force_exit = True
            return
        self.should_exit = True
        self._on_stopping()
        if self._loop is not None:
            # uvicorn itself looks every 100 ms.
            self._loop.call_soon_threadsafe(self._tell_connections)

    def _tell_connections(self) -> None:
        for connection in tuple(self.server_state.connections):
            connection.shutdown()
