"""What a request may do, once it is known who makes it."""

from collections.abc import Mapping, Sequence

from tusd_py.errors import NotGranted, Refusal, TokenRefused, Uncovered
from tusd_py.protocol.metadata import parse_metadata
from tusd_py.protocol.requests import Creation
from tusd_py.protocol.upload import Kind, Upload
from tusd_py.uploads.terms import NO_TERMS, Terms

from .capability import Capability, sign_capability
from .claims import Grant
from .keys import KeyRing
from .rights import Rights
from .tokens import LATEST


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
    """

    def __init__(
        self, grant: Grant, parts: Sequence[Capability], keys: KeyRing, lifetime: float
    ) -> None:
        super().__init__(grant.subject)
        self._grant = grant
        self._keys = keys
        self._lifetime = lifetime
        for part in parts:
            # Whoever may append to a part knows what is in it.
            if part.subject != grant.subject or Rights.PATCH not in part.rights:
                raise NotGranted(Uncovered.CONCATENATION, part.key_id)

    def terms(self, creation: Creation) -> Terms:
        check_creation(self._grant, creation)
        limit = self._grant.length if self._grant.length is not None else self._grant.max_length
        exact = self._grant.length if creation.kind is Kind.FINAL else None
        return Terms(length=exact, max_length=limit, key_id=self._grant.key_id)

    def segment(self, upload: Upload) -> str:
        # Of the upload's own times alone, so that the same creation always has the same URL.
        lifetime = max(self._lifetime, upload.lifetime or 0)
        capability = Capability(
            upload_id=upload.id,
            subject=self._grant.subject,
            expires=min(int(upload.created_at + lifetime), LATEST),
            rights=self._grant.can,
        )
        return sign_capability(capability, self._keys)


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
        if not any(capability.allows(method, finished=finished) for finished in (False, True)):
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
    carried = parse_metadata(creation.metadata)
    # Clients give their parts no metadata, or other than the whole.
    needed = {} if creation.kind is Kind.PARTIAL else grant.metadata
    if not _matches(grant, carried) or not needed.keys() <= carried.keys():
        raise NotGranted(Uncovered.METADATA, grant.key_id)


def _fits(grant: Grant, creation: Creation) -> bool:
    if grant.length is not None and creation.kind is Kind.PLAIN:
        return creation.length == grant.length
    limit = grant.length if grant.length is not None else grant.max_length
    return creation.length is None or limit is None or creation.length <= limit


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
