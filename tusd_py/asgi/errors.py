"""From errors to answers: RFC 9457 problem details."""

import json
from dataclasses import dataclass, field
from http import HTTPStatus

from tusd_py.config import Config
from tusd_py.errors import (
    AccessRefused,
    CallableFailed,
    HookUnavailable,
    LockTimeout,
    MetadataError,
    MetadataUnavailable,
    MethodNotAllowed,
    NotAuthenticated,
    OffsetMismatch,
    ProtocolError,
    QuotaExceeded,
    RangeNotSatisfiable,
    Reject,
    StorageDamaged,
    StorageError,
    StorageFull,
    SubjectBusy,
    TooManyUploads,
    TransferStopped,
    TusError,
    UnsupportedVersion,
    UploadNotFound,
)
from tusd_py.protocol.headers import VERSION

from .answer import Answer

_ANY_ERROR = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
_ANY_TEXT = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}
_RETRY_SOON = {"Retry-After": "1"}
_RETRY_LATER = {"Retry-After": "10"}
_CLOSE = {"Connection": "close"}
_LOCKED = 423
# As nginx logs it.
_CLIENT_GONE = 499
_CHECKSUM_MISMATCH = 460


@dataclass(frozen=True, slots=True)
class _Owed:
    """The status and headers that an error is owed."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)


# The order matters: the first class that fits decides.
_TABLE: tuple[tuple[type[TusError], _Owed], ...] = (
    (LockTimeout, _Owed(_LOCKED, _RETRY_SOON)),
    (NotAuthenticated, _Owed(401, {"WWW-Authenticate": "Bearer"})),
    (AccessRefused, _Owed(403)),
    (QuotaExceeded, _Owed(403)),
    (SubjectBusy, _Owed(429, _RETRY_LATER)),
    (CallableFailed, _Owed(500)),
    (HookUnavailable, _Owed(503, _RETRY_LATER)),
    (StorageFull, _Owed(507)),
    (StorageDamaged, _Owed(500)),
    (StorageError, _Owed(500)),
    (MetadataUnavailable, _Owed(503, _RETRY_SOON)),
    (TooManyUploads, _Owed(503, _RETRY_LATER)),
    (MetadataError, _Owed(500)),
)
# Clients that get one of these for HEAD start the upload from zero; with 423 they try again.
_TEMPORARY = (500, 503, 507)


def answer_error(error: TusError, method: str, config: Config) -> Answer:
    """Make the answer to a request that failed.

    Args:
        error: Why it failed.
        method: The effective method: HEAD is not told of what will pass.
        config: Chooses between 404 and 410.
    """
    owed = _owed(error, config)
    if method == "HEAD" and owed.status in _TEMPORARY and not isinstance(error, StorageDamaged):
        owed = _Owed(_LOCKED, _RETRY_SOON)
    if isinstance(error, Reject) and error.body is not None:
        return Answer(
            status=owed.status,
            headers={**_ANY_TEXT, **owed.headers},
            body=error.body,
            facts={"code": error.code},
        )
    problem = {
        "type": "about:blank",
        "title": _title(owed.status),
        "status": owed.status,
        "detail": str(error),
        "code": error.code,
    }
    return Answer(
        status=owed.status,
        # clause head.no-store
        headers={**_ANY_ERROR, **owed.headers},
        body=json.dumps(problem).encode() + b"\n",
        facts={"code": error.code},
        unheard=isinstance(error, TransferStopped) and error.reason == "cut",
    )


def _owed(error: TusError, config: Config) -> _Owed:
    if isinstance(error, Reject):
        return _Owed(error.status, error.headers)
    if isinstance(error, UploadNotFound):
        return _Owed(config.gone_status)
    if isinstance(error, TransferStopped):
        if error.reason == "cut":
            return _Owed(_CLIENT_GONE)
        # The rest of the body is of no use to anyone. 503 and not 408: clients take a 4xx for
        # final, and are meant to come back.
        return _Owed(_LOCKED if error.reason == "revoked" else 503, {**_RETRY_SOON, **_CLOSE})
    if isinstance(error, ProtocolError):
        return _Owed(error.status, _protocol_headers(error))
    return next((owed for kind, owed in _TABLE if isinstance(error, kind)), _Owed(500))


def _protocol_headers(error: ProtocolError) -> dict[str, str]:
    if isinstance(error, OffsetMismatch):
        return {"Upload-Offset": str(error.actual)}
    if isinstance(error, UnsupportedVersion):
        # clause core.version-412
        return {"Tus-Version": VERSION}
    if isinstance(error, MethodNotAllowed):
        return {"Allow": ", ".join(error.allowed)}
    if isinstance(error, RangeNotSatisfiable):
        return {"Content-Range": f"bytes */{error.size}"}
    return {}


def _title(status: int) -> str:
    if status == _CHECKSUM_MISMATCH:
        return "Checksum Mismatch"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
