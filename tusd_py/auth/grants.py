"""Grants and capabilities as the way to know who makes a request."""

import asyncio
from typing import Final

from tusd_py.errors import CallableFailed, NotAuthenticated, NotGranted, Uncovered
from tusd_py.quantities import days
from tusd_py.telemetry import get_logger

from .access import Access, Creating, Holding, one_grant
from .capability import verify_capability
from .grant import MOST_LIFETIME, verify_grant
from .keys import KeyRing, KeySource, source_of
from .presented import Presented
from .sources import KeyFile
from .tokens import SKEW

_LIFETIME: Final = days(30)

log = get_logger("tusd_py.auth")


class Grants:
    """Lets a client create an upload that has a grant, and go on with it by its URL alone.

    ::

        keys = KeyFile("keys.toml")
        tus = TusApp(storage=..., metadata=..., auth=Grants(keys))

    Args:
        keys: A ring of keys, or a callable such as ``KeyFile`` that gives the one of this moment.
        clock_skew: By how many seconds the clocks of who signs and of the server may differ.
        max_grant_lifetime: How many seconds a grant may hold.
        capability_lifetime: How many seconds an upload's URL may be used at most, from its
            creation on; that of an upload which may stay unfinished for longer holds as long.
    """

    def __init__(
        self,
        keys: KeyRing | KeySource,
        *,
        clock_skew: float = SKEW,
        max_grant_lifetime: float = MOST_LIFETIME,
        capability_lifetime: float = _LIFETIME,
    ) -> None:
        self._keys = source_of(keys)
        self._skew = clock_skew
        self._max_grant_lifetime = max_grant_lifetime
        self._capability_lifetime = capability_lifetime

    async def admit(self, presented: Presented, method: str, base: str, now: float) -> Access:
        """Tell what a request may do.

        Args:
            presented: What it carries.
            method: The effective one.
            base: The path below which uploads live, as clients see it.
            now: Unix time in seconds.

        Raises:
            NotAuthenticated: 401, it is a creation without a grant.
            TokenRefused: 403, what it carries does not hold.
            NotGranted: 403, what it carries is for something else, or it addresses an upload by
                its bare id.
            CallableFailed: 500, there are no keys.
        """
        keys = await self._ring()
        if not presented.rest:
            return self._creating(presented, base, keys, now)
        if presented.capability is None:
            raise NotGranted(Uncovered.CAPABILITY)
        capability = verify_capability(presented.capability, keys, now, skew=self._skew)
        return Holding(capability, method)

    def _creating(self, presented: Presented, base: str, keys: KeyRing, now: float) -> Access:
        token = one_grant(presented.grants)
        if token is None:
            raise NotAuthenticated
        grant = verify_grant(
            token, keys, now, skew=self._skew, max_lifetime=self._max_grant_lifetime
        )
        if not grant.is_for(base):
            raise NotGranted(Uncovered.PATH, grant.key_id)
        parts = [verify_capability(part, keys, now, skew=self._skew) for part in presented.parts]
        return Creating(grant, parts, keys, lifetime=self._capability_lifetime, skew=self._skew)

    async def _ring(self) -> KeyRing:
        try:
            if isinstance(self._keys, KeyFile) and self._keys.due:
                return await asyncio.to_thread(self._keys)
            return self._keys()
        except Exception as error:
            # What is wrong with a file of keys is not for clients to know.
            log.exception("auth.no_keys")
            raise CallableFailed("keys") from error
