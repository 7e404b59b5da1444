"""What is remembered of one upload while it runs, and written down where that is wanted."""

import asyncio
from dataclasses import replace

from .endpoint import Created
from .state import Claim, SavedPart, StateFolder


class Memory:
    """The parts of an upload.

    Args:
        folder: Where entries are; None writes nothing down.
        claim: The entry of this upload.
    """

    def __init__(self, folder: StateFolder | None = None, claim: Claim | None = None) -> None:
        self.parts: tuple[SavedPart, ...] = claim.entry.parts if claim is not None else ()
        self._folder = folder
        self._claim = claim
        self._writing = asyncio.Lock()

    async def created(self, number: int, created: Created) -> None:
        """A part has an upload.

        Raises:
            StateUnusable: It could not be written down.
        """
        part = replace(self.parts[number], url=created.url)
        self.parts = (*self.parts[:number], part, *self.parts[number + 1 :])
        if self._claim is None or self._folder is None:
            return
        async with self._writing:
            expires = self._folder.kept_until(created.expires)
            saving = asyncio.ensure_future(asyncio.to_thread(self._claim.save, self.parts, expires))
            try:
                await asyncio.shield(saving)
            finally:
                # Also when this is cancelled: it must not be written after it was forgotten.
                await asyncio.wait((saving,))
