"""Makes creation grants; for the application's backend, which knows its users."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from .claims import Grant
from .encoding import encode
from .grant import MOST_LIFETIME, sign_grant
from .keys import KeyRing, KeySource, source_of
from .rights import beside_default

_ID_BYTES: Final = 16


def random_grant_id() -> str:
    """Make an id that no other grant has: 128 random bits in base64url."""
    return encode(os.urandom(_ID_BYTES))


class Signer:
    """Makes creation grants with the keys that it shares with the server.

    ::

        signer = Signer(KeyFile("keys.toml"))
        grant = signer.grant(subject=user.name, max_length=5 * GB)

    The client sends the grant as ``Authorization: Bearer`` with the creation of its upload.

    Args:
        keys: A ring of keys, or a callable such as ``KeyFile`` that gives the one of this moment.
        clock: Gives the Unix time in seconds.
        new_id: Makes the ids of grants, 16 random bytes in base64url.
    """

    def __init__(
        self,
        keys: KeyRing | KeySource,
        *,
        clock: Callable[[], float] = time.time,
        new_id: Callable[[], str] = random_grant_id,
    ) -> None:
        self._keys = source_of(keys)
        self._clock = clock
        self._new_id = new_id

    def grant(  # noqa: PLR0913 - all by keyword, and none of them belongs to another
        self,
        *,
        subject: str,
        max_length: int | None = None,
        length: int | None = None,
        ttl: float = MOST_LIFETIME,
        uploads: int = 1,
        parts: int = 0,
        can: Iterable[str] = (),
        metadata: Mapping[str, str] | None = None,
        allowed_metadata: Iterable[str] | None = None,
        path: str | None = None,
    ) -> str:
        """Make a grant that holds from now on.

        Args:
            subject: Whose the upload will be, for others it is not there: 1 to 256 characters, no
                control characters. The name of a user in your application, or its number.
            max_length: The most bytes that the upload may have, also if its length is told later.
            length: Exactly how many bytes it has. One of the two is needed.
            ttl: For how many seconds the grant holds, a whole number. It has to last until the
                upload is created, not until it is complete. Servers refuse more than 15 minutes
                unless they are set up otherwise.
            uploads: How many uploads the grant admits. Default: 1.
            parts: How many partial uploads it admits beside these, for clients that send pieces
                in parallel and join them. Default: 0, none.
            can: What the holder may do with the upload beside HEAD, PATCH, and DELETE until it is
                complete: ``"GET"``, to download it, and ``"DELETE"``, to remove it at any time.
            metadata: Pairs of ``Upload-Metadata`` that the creation must carry exactly so.
            allowed_metadata: Names of the other pairs that it may carry. Default: any.
            path: The path below which the upload has to be created, such as ``/files/``. Default:
                any.

        Returns:
            The grant: printable ASCII without spaces, made for a header and for a URL's path.

        Raises:
            ValueError: An argument is not of its form, or they are too long together.
            ConfigError: There are no keys, for the file of keys is missing or wrong.
        """
        now = int(self._clock())
        return self.sign(
            Grant(
                id=self._new_id(),
                subject=subject,
                not_before=now,
                expires=now + _whole_seconds(ttl),
                length=length,
                max_length=max_length,
                uploads=uploads,
                parts=parts,
                can=beside_default(can),
                metadata=metadata or {},
                allowed_metadata=tuple(allowed_metadata) if allowed_metadata is not None else None,
                path=path,
            )
        )

    def sign(self, grant: Grant) -> str:
        """Write any grant as a token; ``grant`` is the short way to usual ones.

        Raises:
            ValueError: It is too long.
            ConfigError: There are no keys, for the file of keys is missing or wrong.
        """
        return sign_grant(grant, self._keys())


def _whole_seconds(ttl: float) -> int:
    if ttl < 1 or ttl % 1 != 0:
        raise ValueError("A grant holds for a whole number of seconds, at least one.")
    return int(ttl)
