"""A server on a host of its own, and uploads that trickle to it from another."""

from __future__ import annotations

import hashlib
import json
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

from tests.support.live import Wire, patch_head
from tests.support.namespaces import Host
from tests.support.server import START_TIMEOUT, ServerProcess

PORT = 1080
PATIENCE = 60.0
# Linux 6.15 and newer: a sender tries again this often, however long the way is cut.
_TCP_RTO_MAX_MS = 44


def soon(done: Callable[[], object], patience: float = PATIENCE) -> float:
    """Wait until something is so; gives the seconds that it took."""
    began = time.monotonic()
    while not done():
        assert time.monotonic() - began < patience, "it takes too long"
        time.sleep(0.005)
    return time.monotonic() - began


class HostedServer(ServerProcess):
    """The real server on a host, listening on all of its addresses.

    Args:
        host: Where it runs.
        data_dir: Its data; the settings are beside it.
        network: The section of that name, as TOML.
        options: Further flags.
    """

    def __init__(self, host: Host, data_dir: Path, network: str, *options: str) -> None:
        settings = data_dir.with_suffix(".toml")
        settings.write_text(f"[network]\n{network}\n")
        flags = ("--host", "0.0.0.0", "--config", str(settings), "--layout", "id")  # noqa: S104
        super().__init__(data_dir, *flags, "--log-format", "json", *options, port=PORT)
        self._host = host

    def command(self) -> list[str]:
        return self._host.command(*super().command())

    def _wait_until_it_accepts(self) -> None:
        soon(self._accepts, START_TIMEOUT)

    def _accepts(self) -> bool:
        with suppress(OSError):
            self._host.connected("127.0.0.1", PORT).close()
            return True
        return False

    def told(self, event: str) -> list[dict[str, Any]]:
        """Its log lines of a kind."""
        lines = self.log_file.read_bytes().splitlines(keepends=True)
        whole = [line for line in lines if line.startswith(b"{") and line.endswith(b"\n")]
        return [line for line in map(json.loads, whole) if line.get("event") == event]

    def last(self, event: str) -> float:
        """When it told the last of a kind of log lines, in Unix time."""
        return datetime.fromisoformat(self.told(event)[-1]["timestamp"]).timestamp()

    def committed(self, upload_id: str) -> int:
        """The offset in the database."""
        with closing(sqlite3.connect(self.data_dir / "tus.db")) as database:
            query = "SELECT offset FROM uploads WHERE id = ?"
            (offset,) = database.execute(query, [upload_id]).fetchone()
        return int(offset)

    def stored(self, upload_id: str) -> str:
        """The SHA-256 of a finished file."""
        (file,) = (self.data_dir / "files").rglob(upload_id)
        return hashlib.sha256(file.read_bytes()).hexdigest()

    def has_connection_from(self, port: int) -> bool:
        """Whether it has not closed the connection of a client's port."""
        process = Path(f"/proc/{self.pid}")
        lines = (process / "net/tcp").read_text().splitlines()[1:]
        remotes = {line.split()[9]: int(line.split()[2].partition(":")[2], 16) for line in lines}
        held = [str(each.readlink()) for each in (process / "fd").iterdir() if each.is_symlink()]
        return any(remotes.get(name[8:-1]) == port for name in held if name.startswith("socket:["))


class Trickle:
    """One upload whose body comes in small pieces over one connection.

    Args:
        host: Where it comes from.
        address: Of the server.
        size: Its bytes.
        seed: What they are.
    """

    def __init__(self, host: Host, address: str, size: int, seed: int) -> None:
        self.data = Random(seed).randbytes(size)  # noqa: S311 - it has to be the same every time
        self.sent = 0
        self._host = host
        with self.wire(address) as wire:
            response = wire.request("POST", "/files/", upload_length=str(size))
        assert 201 == response.status
        self.id = response.headers["location"].rpartition("/")[2]
        self.path = f"/files/{self.id}"
        self.connection = self.wire(address)
        self.own_port: int = self.connection.socket.getsockname()[1]
        with suppress(OSError):
            self.connection.socket.setsockopt(socket.IPPROTO_TCP, _TCP_RTO_MAX_MS, 1000)
        self.connection.send(patch_head(self.path, size))
        self.connection.socket.setblocking(False)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    def wire(self, address: str) -> Wire:
        """A connection from where it comes from."""
        return Wire(self._host.connected(address, PORT))

    def close(self) -> None:
        """Let go of the connection."""
        self.connection.socket.close()

    def push(self, size: int) -> None:
        """Send some more, as far as there is room for it on the way."""
        with suppress(BlockingIOError):
            self.sent += self.connection.socket.send(self.data[self.sent : self.sent + size])

    def finish(self) -> int:
        """Send all that is left on the same connection; gives the status of the answer."""
        self.connection.socket.settimeout(PATIENCE)
        self.connection.send(self.data[self.sent :])
        return self.connection.response().status

    def come_back(self, address: str) -> tuple[float, int]:
        """Do what a client does that has lost its connection; gives the seconds until its HEAD was
        answered, and where it went on.
        """
        with self.wire(address) as wire:
            began = time.monotonic()
            found = wire.request("HEAD", self.path)
            seconds = time.monotonic() - began
            assert 200 == found.status
            offset = int(found.headers["upload-offset"])
            typed = "application/offset+octet-stream"
            rest = {"upload_offset": str(offset), "content_type": typed}
            assert 204 == wire.request("PATCH", self.path, self.data[offset:], **rest).status
        return seconds, offset


class Trickling:
    """Sends pieces of uploads all the time, until the end of the block."""

    def __init__(self, uploads: Sequence[Trickle], piece: int = 8192, pause: float = 0.04) -> None:
        self._uploads = uploads
        self._piece = piece
        self._over = threading.Event()
        self._pause = pause
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        # All are in the middle of their bodies then.
        soon(lambda: all(each.sent > 4 * self._piece for each in self._uploads))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        while not self._over.wait(self._pause):
            for upload in self._uploads:
                upload.push(self._piece)
