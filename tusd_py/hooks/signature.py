"""Signing what webhooks are sent, in the form of Standard Webhooks.

Anybody who knows the secret can tell that a request comes from this server, is whole, and is not
an old one that somebody sends again. ``docs/reference/webhooks.md`` has it byte by byte.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

ID: Final = "Webhook-Id"
TIMESTAMP: Final = "Webhook-Timestamp"
SIGNATURE: Final = "Webhook-Signature"

_PREFIX = "whsec_"
_LEAST, _MOST = 24, 64


def read_secret(text: str) -> bytes:
    """Read a secret: ``whsec_`` and 24 to 64 bytes in Base64.

    Raises:
        ValueError: It is none. The text does not have it.
    """
    written = text.strip()
    if not written.startswith(_PREFIX):
        raise ValueError(f"A secret begins with {_PREFIX}.")
    try:
        secret = base64.b64decode(written.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"What follows {_PREFIX} is not Base64.") from error
    if not _LEAST <= len(secret) <= _MOST:
        raise ValueError(f"A secret has {_LEAST} to {_MOST} bytes, this one has {len(secret)}.")
    return secret


def signature_headers(
    secret: bytes | None, message_id: str, timestamp: int, body: bytes
) -> Mapping[str, str]:
    """The headers that name a message and its time, and sign it if there is a secret.

    Args:
        secret: Shared with the receiver.
        message_id: The same whenever the message is sent again.
        timestamp: Unix time in seconds when it is sent, this time.
        body: Of the request.
    """
    headers = {ID: message_id, TIMESTAMP: str(timestamp)}
    if secret is not None:
        signed = f"{message_id}.{timestamp}.".encode() + body
        digest = hmac.new(secret, signed, hashlib.sha256).digest()
        headers[SIGNATURE] = "v1," + base64.b64encode(digest).decode()
    return headers
