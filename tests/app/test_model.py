"""Random histories against a model, which is the bytes of each upload.

Two clients and a server on a folder: uploads are created, appended to, cut, stalled, taken over,
expired, concatenated and terminated, and the server dies and comes back. Whatever happens, what was
acknowledged is a prefix of what is stored, and what is finished is what was sent.
"""

import asyncio
import os
import shutil
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.spec.served import Backends, Served
from tests.spec.test_checksum import checksum
from tests.support.asgi import DISCONNECT, Response
from tusd_py import Config
from tusd_py.testing.script import Stall
from tusd_py.uploads.scan import recover
from tusd_py.uploads.verify import verify

LIFETIME = 100.0
CONFIG = Config(expire_after=LIFETIME, lock_timeout=0.5)
LATE = 2.0
_USUAL = 120
# A search for defects: so many histories, other ones each time.
HISTORIES = int(os.environ.get("TUSD_PY_TESTS_HISTORIES", "0"))

sizes = st.one_of(st.integers(1, 20), st.integers(60_000, 200_000))
picks = st.integers(0, 50)


@dataclass(eq=False)
class Model:
    """One upload as its clients know it.

    Attributes:
        url: Its URL.
        length: None while it is deferred.
        known: The bytes that were acknowledged, or told by HEAD.
        perhaps: What was sent after them, and may be stored or not.
        partial: It is part of others.
        holder: The request that is under way.
        overdue: It would have expired, were it not being received.
    """

    url: str
    length: int | None
    known: bytes = b""
    perhaps: bytes = b""
    partial: bool = False
    holder: "Holder | None" = None
    overdue: bool = False

    @property
    def finished(self) -> bool:
        return self.length == len(self.known)

    def told(self, offset: int) -> None:
        """Learn where the upload stands."""
        sent = self.known + self.perhaps
        assert len(self.known) <= offset <= len(sent)
        self.known, self.perhaps = sent[:offset], b""
        self.overdue = False

    def room(self, size: int) -> int:
        """So many bytes, or what is left."""
        return size if self.length is None else min(size, self.length - len(self.known))


@dataclass(eq=False)
class Holder:
    """A PATCH whose client has stalled.

    Attributes:
        rest: What it sends when it goes on.
        checked: It came with a checksum.
    """

    stall: Stall
    task: "asyncio.Task[Response]"
    rest: bytes
    checked: bool


@dataclass(eq=False)
class Final:
    """A final upload and its parts."""

    url: str
    parts: tuple[Model, ...]
    composed: bool = False
    stored: bytes = field(default=b"")


class Histories(RuleBasedStateMachine):
    """Every rule is one thing that a client, time or the machine does."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="tusd-py-model-"))
        self.uploads: list[Model] = []
        self.finals: list[Final] = []
        self.gone: list[str] = []
        # Requests that were robbed may still have bytes to send.
        self.robbed: list[Holder] = []
        self.crashed: list[AsyncExitStack] = []
        self.boots = 0
        self.fill = 0

    def run(self, work: Any) -> Any:  # noqa: ANN401 - whatever the coroutine returns
        return self.runner.run(work)

    def fresh(self, size: int) -> bytes:
        """Bytes that no other request sends."""
        self.fill += 1
        pattern = f"<{self.fill}>".encode()
        return (pattern * (size // len(pattern) + 1))[:size]

    def pick(self, number: int, *, held: bool = False) -> Model | None:
        """An unfinished upload, which a request holds or none does."""
        found = [
            upload
            for upload in self.uploads
            if not upload.finished and (upload.holder is not None) is held
        ]
        return found[number % len(found)] if found else None

    def _asked(self, number: int) -> Model | None:
        """One that no request holds, whose offset was asked for and that is still unfinished."""
        upload = self.pick(number)
        if upload is None:
            return None
        self._ask(upload)
        return None if upload.finished else upload

    # The server.

    @initialize()
    def start(self) -> None:
        self.backends = Backends("disk", self.folder / "data", AsyncExitStack())
        self.tus: Served = self.run(self.backends.serve(CONFIG, boot_id="boot0"))

    @rule(reboot=st.booleans(), look=st.booleans())
    def crash(self, *, reboot: bool, look: bool) -> None:
        self.boots += reboot
        self.run(self._crash())
        self._lose([upload for upload in self.uploads if not upload.overdue])
        if reboot:
            # What nobody was told may have been lost with the power.
            for upload in self.uploads:
                upload.perhaps = b""
        if look:
            self._ask_all()

    async def _crash(self) -> None:
        holders = [upload.holder.task for upload in self.uploads if upload.holder is not None]
        holders += [holder.task for holder in self.robbed]
        for upload in self.uploads:
            upload.holder = None
        self.robbed = []
        for task in holders:
            task.cancel()
        await asyncio.gather(*holders, return_exceptions=True)
        engine = await self.tus.server._runtime.started()
        await engine.background.close()
        # The locks of the kernel's that it had vanish with a process.
        await engine.storage.close()
        # Nothing is closed in order: that is left for the end of the history.
        self.crashed.append(self.backends.stack)
        self.backends.stack = AsyncExitStack()
        self.tus = await self.backends.serve(CONFIG, boot_id=f"boot{self.boots}")

    @rule()
    def recover(self) -> None:
        self.run(self._recover())
        self._ask_all()

    async def _recover(self) -> None:
        await recover(await self.tus.server._runtime.started())

    @rule()
    def sweep(self) -> None:
        self.run(self.tus.server.sweep())

    @rule()
    def outlive(self) -> None:
        """Time passes: what is unfinished and not being received is gone, and parts are."""
        if any(upload.holder and upload.holder.checked for upload in self.uploads):
            # Bytes that are to be verified keep nothing alive once their request is cut.
            return
        self.backends.clock.advance(LIFETIME + 1)
        staying = [u for u in self.uploads if u.holder or (u.finished and not u.partial)]
        self._lose(staying)
        for upload in self.uploads:
            upload.overdue = upload.holder is not None
        self.gone += [final.url for final in self.finals if not final.composed]
        self.finals = [final for final in self.finals if final.composed]

    def _lose(self, staying: list[Model]) -> None:
        self.gone += [upload.url for upload in self.uploads if upload not in staying]
        self.uploads = staying

    # Clients.

    @rule(size=sizes, partial=st.booleans(), deferred=st.booleans())
    def create(self, *, size: int, partial: bool, deferred: bool) -> None:
        length = None if deferred else size
        headers = [("Upload-Concat", "partial")] if partial else []
        url = self.run(self.tus.new(length=length, headers=headers))
        self.uploads.append(Model(url, length, partial=partial))

    @rule(size=sizes, first=sizes)
    def create_with_bytes(self, *, size: int, first: int) -> None:
        data = self.fresh(min(size, first))
        url = self.run(self.tus.new(data, length=size))
        self.uploads.append(Model(url, size, data))

    @rule(size=sizes)
    def create_and_vanish(self, *, size: int) -> None:
        assert (
            self.run(self.tus.create(self.fresh(size), DISCONNECT, length=size + 1)).status is None
        )

    @rule(number=picks, size=sizes, pieces=st.integers(1, 3), last=st.booleans())
    def append(self, *, number: int, size: int, pieces: int, last: bool) -> None:
        upload = self._asked(number)
        if upload is None:
            return
        data = self.fresh(upload.room(size))
        headers = []
        if last and upload.length is None:
            upload.length = len(upload.known) + len(data)
            headers = [("Upload-Length", str(upload.length))]
        step = -(-len(data) // pieces)
        body = [data[start : start + step] for start in range(0, len(data), step)]
        answer = self.run(self.tus.patch(upload.url, len(upload.known), *body, headers=headers))
        assert answer.status == 204
        upload.perhaps = data
        upload.told(answer.offset)
        assert upload.perhaps == b""

    @rule(number=picks, size=sizes, right=st.booleans())
    def append_with_checksum(self, *, number: int, size: int, right: bool) -> None:
        upload = self._asked(number)
        if upload is None:
            return
        data = self.fresh(upload.room(size))
        headers = [checksum(data if right else data + b"!")]
        offset = len(upload.known)
        answer = self.run(self.tus.patch(upload.url, offset, data, headers=headers))
        assert answer.status == (204 if right else 460)
        if right:
            upload.perhaps = data
            upload.told(answer.offset)
            assert len(upload.known) == offset + len(data)

    @rule(number=picks, size=sizes, checked=st.booleans())
    def cut(self, *, number: int, size: int, checked: bool) -> None:
        upload = self._asked(number)
        if upload is None:
            return
        data = self.fresh(upload.room(size))
        headers = [checksum(data)] if checked else []
        offset = len(upload.known)
        answer = self.run(self.tus.patch(upload.url, offset, data, DISCONNECT, headers=headers))
        assert answer.status is None
        # What arrived is kept, but not what can be verified no more.
        upload.perhaps = b"" if checked else data
        self._ask(upload)
        assert len(upload.known) == offset + (0 if checked else len(data))

    @rule(number=picks, size=sizes, more=sizes, checked=st.booleans())
    def stall(self, *, number: int, size: int, more: int, checked: bool) -> None:
        upload = self._asked(number)
        if upload is None:
            return
        data = self.fresh(upload.room(size + more))
        first, rest = data[:size], data[size:]
        headers = [checksum(data)] if checked else []
        self.run(self._stall(upload, first, rest, headers))
        upload.perhaps = b"" if checked else first

    async def _stall(
        self, upload: Model, first: bytes, rest: bytes, headers: list[tuple[str, str]]
    ) -> None:
        stall = Stall(until=asyncio.Event())
        body = (first, stall, rest)
        request = self.tus.patch(upload.url, len(upload.known), *body, headers=headers)
        upload.holder = Holder(
            stall, asyncio.create_task(request), first + rest, checked=bool(headers)
        )
        await stall.reached.wait()

    @rule(number=picks)
    def go_on(self, *, number: int) -> None:
        """A client that stalled sends the rest, and nobody has asked for the upload meanwhile."""
        upload = self.pick(number, held=True)
        if upload is None or upload.holder is None:
            return
        holder, upload.holder = upload.holder, None
        answer = self.run(self._rest_of(holder))
        assert answer.status == 204
        upload.perhaps = holder.rest
        upload.told(answer.offset)
        assert upload.known.endswith(holder.rest)

    @rule(number=picks)
    def send_late(self, *, number: int) -> None:
        """A client that was robbed sends the rest, which changes nothing."""
        if not self.robbed:
            return
        answer = self.run(self._rest_of(self.robbed.pop(number % len(self.robbed))))
        assert answer.status == 423

    async def _rest_of(self, holder: Holder) -> Response:
        assert holder.stall.until is not None
        holder.stall.until.set()
        return await asyncio.wait_for(holder.task, LATE)

    @rule(number=picks, by=st.sampled_from(["HEAD", "PATCH"]))
    def take_over(self, *, number: int, by: str) -> None:
        upload = self.pick(number, held=True)
        if upload is None or upload.holder is None:
            return
        self.robbed.append(upload.holder)
        upload.holder = None
        expected = upload.known + upload.perhaps
        if by == "PATCH" and upload.perhaps:
            # What the holder had received counts, so this one's offset is too low.
            answer = self.run(self.tus.patch(upload.url, len(upload.known), self.fresh(1)))
            assert (answer.status, answer.offset) == (409, len(expected))
        self._ask(upload)
        assert upload.known == expected

    @rule(number=picks)
    def look(self, *, number: int) -> None:
        upload = self.pick(number)
        if upload is not None:
            self._ask(upload)

    @rule(number=picks)
    def send_stale(self, *, number: int) -> None:
        """A PATCH below what was acknowledged disturbs nobody."""
        upload = self.pick(number, held=True) or self.pick(number)
        if upload is not None and upload.known:
            answer = self.run(self.tus.patch(upload.url, len(upload.known) - 1, self.fresh(1)))
            assert answer.status == 409

    @rule(number=picks)
    def terminate(self, *, number: int) -> None:
        if not self.uploads:
            return
        upload = self.uploads.pop(number % len(self.uploads))
        if upload.holder is not None:
            self.robbed.append(upload.holder)
        assert self.run(self.tus.delete(upload.url)).status == 204
        self.gone.append(upload.url)

    @rule(numbers=st.lists(picks, min_size=1, max_size=3))
    def concatenate(self, *, numbers: list[int]) -> None:
        parts = [
            upload
            for upload in self.uploads
            if upload.partial and not upload.overdue and upload.length is not None
        ]
        if not parts:
            return
        chosen = tuple(parts[number % len(parts)] for number in numbers)
        answer = self.run(self.tus.concatenate(*(part.url for part in chosen)))
        assert answer.status == 201
        if all(final.url != answer.location for final in self.finals):
            self.finals.append(Final(answer.location, chosen))

    # What is so at every moment.

    @invariant()
    def what_was_acknowledged_is_stored(self) -> None:
        for upload in self.uploads:
            stored = self.run(self.tus.stored(upload.url))
            if upload.finished:
                assert stored == upload.known
            else:
                assert stored.startswith(upload.known)

    @invariant()
    def what_is_gone_stays_gone(self) -> None:
        for url in self.gone[-3:]:
            assert self.run(self.tus.head(url)).status == 404

    @invariant()
    def finals_are_their_parts(self) -> None:
        for final in self.finals:
            if final.composed:
                assert self.run(self.tus.stored(final.url)) == final.stored
            elif all(part in self.uploads and part.finished for part in final.parts):
                final.stored = b"".join(part.known for part in final.parts)
                self.run(self._composed(final))
                final.composed = True

    async def _composed(self, final: Final) -> None:
        await self.tus.head(final.url)
        engine = await self.tus.server._runtime.started()
        await asyncio.gather(*engine.composing.values())
        assert (await self.tus.head(final.url)).offset == len(final.stored)

    def _ask_all(self) -> None:
        for upload in self.uploads:
            if upload.holder is None:
                self._ask(upload)

    def _ask(self, upload: Model) -> None:
        answer = self.run(self.tus.head(upload.url))
        assert answer.status == 200
        upload.told(answer.offset)

    def teardown(self) -> None:
        try:
            if hasattr(self, "tus"):
                self.crash(reboot=False, look=True)
                self.what_was_acknowledged_is_stored()
                self.run(self._end())
        finally:
            self.runner.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    async def _end(self) -> None:
        """Nothing is left that nobody knows of, and nobody holds a lock."""
        await self._recover()
        engine = await self.tus.server._runtime.started()
        differences = await verify(engine.storage, engine.metadata, pause=0)
        for stack in [self.backends.stack, *self.crashed]:
            await stack.aclose()
        assert differences == []


TestHistories = pytest.mark.timeout(1200 if HISTORIES else 120)(Histories.TestCase)
TestHistories.settings = settings(
    max_examples=HISTORIES or _USUAL,
    stateful_step_count=40,
    deadline=None,
    derandomize=not HISTORIES,
    report_multiple_bugs=False,
    # To make a history shorter takes minutes, which only a search for defects has.
    phases=[*Phase] if HISTORIES else [Phase.generate],
)
