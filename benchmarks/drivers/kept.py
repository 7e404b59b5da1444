"""A connection for several requests, as long as the server has it."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self

from benchmarks.drivers import wire


class Kept:
    """Context manager: a connection that is opened anew after an answer that closed it.

    rustus closes after every one.
    """

    def __init__(self, port: int, *, timeout: float) -> None:
        """Prepare to connect; no read or write will stall longer than `timeout` seconds."""
        self._port = port
        self._timeout = timeout
        self._connection: socket.socket | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def open(self) -> socket.socket:
        """Return the connection, to send the next request on."""
        if self._connection is None:
            self._connection = wire.connect(self._port, timeout=self._timeout)
        return self._connection

    def answer(self, *, to_head: bool = False) -> wire.Answer:
        """Read the answer to the request that was sent.

        Raises:
            DriverFailedError: the connection ended or fell silent before its end.
        """
        answer = wire.read_answer(self.open(), to_head=to_head)
        if answer.closes:
            self.close()
        return answer

    def close(self) -> None:
        """Close the connection, if it is open."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
