"""What a transfer does while it is paused: it waits, and everybody can see how that ends."""

import asyncio
from typing import Final

from tusd_py.protocol.upload import Upload
from tusd_py.streaming import BodySource, Stop

from .engine import Engine, log
from .sessions import Session, Sessions

# How pauses end that are followed by the end of the transfer.
_ENDS: Final = {
    Stop.REVOKED: "taken-over",
    Stop.IDLE: "given-up",
    Stop.SWITCHED: "given-up",
    Stop.CUT: "cut",
}


class Pauses:
    """The pauses of one transfer.

    Args:
        engine: The shared parts.
        sessions: Say when it goes on.
        session: The transfer.
        source: Tells whether bytes come meanwhile.
    """

    def __init__(
        self, engine: Engine, sessions: Sessions, session: Session, source: BodySource
    ) -> None:
        self._engine = engine
        self._sessions = sessions
        self._session = session
        self._source = source
        self._arrived = -1
        self._until = 0.0

    async def wait(self, upload: Upload, arrived: int) -> bool:
        """Wait for the end of a pause; tells whether the transfer goes on.

        Whoever ends it otherwise does that through the interrupt, as always.

        Args:
            upload: As it was committed.
            arrived: Its offset with what cannot be committed yet.
        """
        session, meters = self._session, self._engine.meters.network
        facts = {"upload_id": upload.id, "offset": upload.offset}
        log.info("session.paused", **facts, interface=session.interface, why=session.change)
        began = asyncio.get_running_loop().time()
        end = "stopped"
        meters.paused.add(1)
        try:
            reason = await self._over(self._deadline(arrived, began))
            end = "resumed" if reason is None else _ENDS.get(reason, "stopped")
        finally:
            seconds = asyncio.get_running_loop().time() - began
            meters.paused.add(-1)
            meters.pause(end, seconds)
            log.info(
                "session.resumed" if end == "resumed" else "session.ended",
                **facts,
                end=end,
                seconds=round(seconds, 3),
            )
        return reason is None

    def _deadline(self, arrived: int, now: float) -> float:
        """Until when to wait: the pauses since the last byte have one in common."""
        if arrived != self._arrived:
            self._arrived = arrived
            self._until = now + self._engine.config.idle_timeout
        return self._until

    async def _over(self, deadline: float) -> Stop | None:
        interrupt = self._session.interrupt
        if not self._engine.config.network.seamless_switching:
            interrupt.set(Stop.SWITCHED)
        timer = asyncio.get_running_loop().call_at(deadline, self._give_up)
        watching = asyncio.create_task(self._watch())
        try:
            return await interrupt.pause_over()
        finally:
            timer.cancel()
            watching.cancel()

    def _give_up(self) -> None:
        if self._session.alive:
            # Its links never come to rest, and it works all the same.
            self._session.interrupt.resume()
        elif self._session.interrupt.reason is Stop.PAUSED:
            self._session.interrupt.set(Stop.IDLE)

    async def _watch(self) -> None:
        if await self._source.arrival():
            self._sessions.arrived(self._session)
        else:
            self._session.interrupt.set(Stop.CUT)
