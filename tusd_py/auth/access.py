"""What a request may do, once it is known who makes it."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from tusd_py.errors import NotGranted, Refusal, TokenRefused, Uncovered
from tusd_py.metadata import Use
from tusd_py.protocol.metadata import parse_metadata
from tusd_py.protocol.requests import Creation
from tusd_py.protocol.upload import Kind, Upload, UploadId
from tusd_py.uploads.terms import NO_TERMS, Terms

from .capability import Capability, sign_capability
from .claims import Grant
from .keys import KeyRing
from .rights import Rights
from .tokens import LATEST

_MOST_BYTES: Final = 2**63 - 1


class Access:
    """Everything, for a subject; the others give less.

    Args:
        subject: Who makes the request; None without authentication.
    """

    def __init__(self, subject: str | None = None) -> None:
        self.subject = subject

    def terms(self, creation: Creation) -> Terms:  # noqa: ARG002 - for those who look at it
        """Tell on which terms an upload may be created.

        Raises:
            NotGranted: It may not.
        """
        return NO_TERMS

    def check_parts(self, parts: Sequence[UploadId]) -> None:
        """Let through who may make an upload of these.

        Raises:
            NotGranted: They may not.
        """

    def segment(self, upload: Upload) -> str:
        """Make the last segment of a new upload's URL."""
        return upload.id

    def check_removal(self, upload: Upload) -> None:
        """Let through who may remove this upload as it is now.

        Raises:
            NotGranted: They may not, or not any more.
        """


class Creating(Access):
    """The creation that a grant admits.

    Args:
        grant: What was presented.
        parts: The capabilities of the uploads to be put together.
        keys: Sign the capability of the new upload.
        lifetime: Of that capability in seconds; that of an upload that may live longer is longer.
        skew: By how many seconds the grant is accepted after its end.
    """

    def __init__(
        self,
        grant: Grant,
        parts: Sequence[Capability],
        keys: KeyRing,
        *,
        lifetime: float,
        skew: float,
    ) -> None:
        super().__init__(grant.subject)
        self._grant = grant
        self._keys = keys
        self._lifetime = lifetime
        self._forgettable = grant.expires + skew
        self._parts = [part.upload_id for part in parts]
        for part in parts:
            # Whoever may append to a part knows what is in it.
            if part.subject != grant.subject or Rights.PATCH not in part.rights:
                raise NotGranted(Uncovered.CONCATENATION, part.key_id)

    def terms(self, creation: Creation) -> Terms:
        check_creation(self._grant, creation)
        exact = self._grant.length if creation.kind is Kind.FINAL else None
        return Terms(
            length=exact,
            max_length=most_bytes(self._grant),
            use=use_of(self._grant, creation, self._forgettable),
            key_id=self._grant.key_id,
            signed_by=self._keys.signing,
        )

    def check_parts(self, parts: Sequence[UploadId]) -> None:
        # However the list was read, each has a capability or nothing is made of them.
        if [*parts] != self._parts:
            raise NotGranted(Uncovered.CONCATENATION, self._grant.key_id)

    def segment(self, upload: Upload) -> str:
        # Of the upload's own times alone, so that the same creation always has the same URL.
        lifetime = max(self._lifetime, upload.lifetime or 0)
        capability = Capability(
            upload_id=upload.id,
            subject=self._grant.subject,
            expires=min(int(upload.created_at + lifetime), LATEST),
            rights=self._grant.can,
        )
        # Also after a rotation, as long as that key is accepted.
        by = upload.key_id if self._keys.accepts(upload.key_id) else None
        return sign_capability(capability, self._keys, by)


class Holding(Access):
    """An upload whose capability was presented.

    Args:
        capability: What was presented.
        method: The effective method of the request.

    Raises:
        NotGranted: The capability is not for that, whatever became of the upload.
    """

    def __init__(self, capability: Capability, method: str) -> None:
        super().__init__(capability.subject)
        self._capability = capability
        # Whoever may do something when the upload is complete may do it before.
        if not capability.allows(method, finished=False):
            raise NotGranted(Uncovered.METHOD, capability.key_id)

    def check_removal(self, upload: Upload) -> None:
        # A part is never what the client wants in the end, so it is never complete.
        finished = upload.finished and upload.kind is not Kind.PARTIAL
        if not self._capability.allows("DELETE", finished=finished):
            raise NotGranted(Uncovered.METHOD, self._capability.key_id)


def check_creation(grant: Grant, creation: Creation) -> None:
    """Compare what a POST asks for with the grant that came with it.

    The length of a final upload is not known here.

    Raises:
        NotGranted: The grant is for something else.
    """
    if creation.kind is not Kind.PLAIN and not grant.parts:
        raise NotGranted(Uncovered.CONCATENATION, grant.key_id)
    if creation.kind is not Kind.FINAL and not _fits(grant, creation):
        raise NotGranted(Uncovered.LENGTH, grant.key_id)
    if grant.allowed_metadata is None and not grant.metadata:
        return
    carried = parse_metadata(creation.metadata)
    # Clients give their parts no metadata, or other than the whole.
    needed = {} if creation.kind is Kind.PARTIAL else grant.metadata
    if not _matches(grant, carried) or not needed.keys() <= carried.keys():
        raise NotGranted(Uncovered.METADATA, grant.key_id)


def _fits(grant: Grant, creation: Creation) -> bool:
    if grant.length is not None and creation.kind is Kind.PLAIN:
        return creation.length == grant.length
    return creation.length is None or creation.length <= most_bytes(grant)


def most_bytes(grant: Grant) -> int:
    """The most bytes of an upload that a grant admits; it has one of the two."""
    return grant.length if grant.length is not None else grant.max_length or 0


def use_of(grant: Grant, creation: Creation, expires_at: float) -> Use:
    """Tell what a creation takes of its grant.

    Parts count with their length, or with all that they may have while that is open, so that
    together they are no more than what the grant admits for the uploads made of them.
    """
    part = creation.kind is Kind.PARTIAL
    limit = most_bytes(grant)
    length = creation.length if creation.length is not None else limit
    return Use(
        grant=grant.id,
        part=part,
        request=_fingerprint(creation),
        most=grant.parts if part else grant.uploads,
        size=length if part else 0,
        most_size=min(limit * grant.uploads, _MOST_BYTES),
        expires_at=expires_at,
        key_id=grant.key_id,
    )


def _fingerprint(creation: Creation) -> str:
    # No header has a line break.
    told = f"{creation.kind}\n{creation.length}\n{creation.metadata}\n{creation.concat}"
    return hashlib.sha256(told.encode()).hexdigest()


def _matches(grant: Grant, carried: Mapping[str, bytes]) -> bool:
    """Tell whether each pair is one that the grant fixes or allows."""
    allowed = grant.allowed_metadata
    return all(
        grant.metadata[name].encode() == value
        if name in grant.metadata
        else allowed is None or name in allowed
        for name, value in carried.items()
    )


def one_grant(grants: Sequence[str]) -> str | None:
    """Choose the grant of a request; None if it has none.

    Raises:
        TokenRefused: The only one was damaged on its way.
        NotGranted: There are several.
    """
    if len(grants) > 1:
        raise NotGranted(Uncovered.SEVERAL)
    if grants and not grants[0]:
        raise TokenRefused(Refusal.MALFORMED)
    return grants[0] if grants else None
