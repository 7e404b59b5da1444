"""JSON Web Tokens as the way to know who makes a request; needs the extra ``jwt``."""

import math
import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from tusd_py.errors import ConfigError, Refusal, Reject
from tusd_py.hooks import Request
from tusd_py.quantities import shown
from tusd_py.telemetry import get_logger

from .keys import LEAST_SECRET_BYTES
from .tokens import SKEW, check_subject

try:
    import jwt
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "JSON Web Tokens need PyJWT: pip install 'tusd-py[jwt]'", name=error.name
    ) from error

audit = get_logger("tusd_py.audit")

# Identity providers put more into theirs than grants have; servers take headers of this size.
_MOST_CHARACTERS: Final = 16_384
_BEARER = re.compile(r"bearer +(.+)", re.IGNORECASE)
# Also keeps out what two headers, joined by a comma, would be.
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class JwtKey:
    """A key that verifies, and the one algorithm that it is for.

    Args:
        algorithm: As RFC 7518 calls it, such as ``RS256``, ``ES256``, ``EdDSA`` or ``HS256``.
        key: The public key in PEM, or for ``HS…`` the secret of at least 32 bytes.
    """

    algorithm: str
    key: str | bytes = field(repr=False)


class Mismatch(StrEnum):
    """What a token says that is not what the server wants; stable, for the audit log."""

    ALGORITHM = "algorithm"
    """It was not made with the algorithm of its key."""

    CLAIMS = "claims"
    """It lacks ``aud``, ``exp``, ``sub`` or a wanted ``iss``, or one is not of its form."""

    AUDIENCE = "audience"
    """It is for somebody else."""

    ISSUER = "issuer"
    """Somebody else made it."""


class _Refused(Exception):
    def __init__(self, reason: StrEnum, key_id: str | None = None) -> None:
        self.reason = reason
        self.key_id = key_id


# The first that fits counts, so that a class stands before those that it comes from.
_REASONS: Final[Mapping[type[Exception], StrEnum]] = {
    jwt.InvalidSignatureError: Refusal.BAD_SIGNATURE,
    jwt.InvalidAlgorithmError: Mismatch.ALGORITHM,
    jwt.InvalidAudienceError: Mismatch.AUDIENCE,
    jwt.InvalidIssuerError: Mismatch.ISSUER,
    jwt.MissingRequiredClaimError: Mismatch.CLAIMS,
    jwt.exceptions.InvalidSubjectError: Mismatch.CLAIMS,
    jwt.InvalidTokenError: Refusal.MALFORMED,
    RecursionError: Refusal.MALFORMED,
}


class JwtSubject:
    """Takes the ``sub`` of a JSON Web Token in ``Authorization: Bearer`` as the subject.

    ::

        auth = JwtSubject(JwtKey("RS256", public_key), audience="uploads")
        tus = TusApp(storage=..., metadata=..., auth=auth)

    Clients send the token with every request. One that does not hold is refused with 403, and the
    audit log has one line with the reason. Each token must have ``aud``, ``exp`` and ``sub``.

    Args:
        keys: The only key, or the keys by the ``kid`` of tokens, which then must have one.
        audience: What ``aud`` must name; of several, one is enough.
        issuer: What ``iss`` must be. Default: anything, also none.
        leeway: By how many seconds the clocks of who signs and of the server may differ.
        clock: Tells Unix time in seconds.

    Raises:
        ConfigError: There is no key or no audience, or a key does not fit its algorithm.
    """

    def __init__(
        self,
        keys: JwtKey | Mapping[str, JwtKey],
        *,
        audience: str | Collection[str],
        issuer: str | None = None,
        leeway: float = SKEW,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._audience = [audience] if isinstance(audience, str) else list(audience)
        if not all(self._audience) or not self._audience:
            raise ConfigError(["JSON Web Tokens need an audience."])
        self._issuer = issuer
        self._leeway = leeway
        self._clock = clock
        named = {None: keys} if isinstance(keys, JwtKey) else keys
        if not named:
            raise ConfigError(["JSON Web Tokens need a key."])
        self._keys = {id_: (key.algorithm, _prepared(key, id_)) for id_, key in named.items()}

    async def __call__(self, request: Request) -> str | None:
        """Tell the subject of a request; None if it has no token.

        Raises:
            Reject: 403, the token does not hold.
        """
        bearer = _BEARER.fullmatch(request.headers.get("authorization", "").strip(" \t"))
        if bearer is None:
            return None
        try:
            return self._subject(bearer[1])
        except _Refused as refused:
            audit.warning(
                "auth.refused",
                reason=str(refused.reason),
                key_id=refused.key_id,
                method=request.method,
                path=request.path,
                client=request.client,
            )
            raise Reject(403, f"The token was refused: {refused.reason}.") from None

    def _subject(self, token: str) -> str:
        if len(token) > _MOST_CHARACTERS or not _TOKEN.fullmatch(token):
            raise _Refused(Refusal.MALFORMED)
        key_id = self._key_id(token)
        algorithm, key = self._keys[key_id]
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                options={
                    "require": ["aud", "exp", "sub"],
                    # These ask another clock than ours.
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
            check_subject(claims["sub"])
        except (jwt.InvalidTokenError, RecursionError) as error:
            raise _Refused(_reason(error), key_id) from None
        except ValueError:
            raise _Refused(Mismatch.CLAIMS, key_id) from None
        self._check_time(claims, key_id)
        subject: str = claims["sub"]
        return subject

    def _key_id(self, token: str) -> str | None:
        """Choose the key; a server with but one does not ask how others call it."""
        if None in self._keys:
            return None
        try:
            key_id = jwt.get_unverified_header(token).get("kid")
        except (jwt.InvalidTokenError, RecursionError):
            raise _Refused(Refusal.MALFORMED) from None
        if key_id is None or key_id not in self._keys:
            # It may be anything that a stranger wrote, so it is not logged.
            raise _Refused(Refusal.UNKNOWN_KEY)
        return str(key_id)

    def _check_time(self, claims: Mapping[str, Any], key_id: str | None) -> None:
        now = self._clock()
        expires, begins = claims["exp"], claims.get("nbf", -math.inf)
        if not _is_time(expires) or not _is_time(begins):
            raise _Refused(Mismatch.CLAIMS, key_id)
        # Written so that what is not a number is refused.
        if not now - self._leeway < expires:
            raise _Refused(Refusal.EXPIRED, key_id)
        if not now + self._leeway >= begins:
            raise _Refused(Refusal.NOT_YET_VALID, key_id)


def _prepared(key: JwtKey, id_: str | None) -> Any:  # noqa: ANN401 - each algorithm has its own type
    name = "of JSON Web Tokens" if id_ is None else shown(id_)
    if key.algorithm == "none":
        raise ConfigError([f"The key {name} has no algorithm."])
    if key.algorithm.startswith("HS") and len(key.key) < LEAST_SECRET_BYTES:
        short = f"less than {LEAST_SECRET_BYTES} bytes"
        raise ConfigError([f"The secret of the key {name} has {short}."])
    try:
        return jwt.get_algorithm_by_name(key.algorithm).prepare_key(key.key)
    except NotImplementedError:
        raise ConfigError([f"The algorithm of the key {name} is not known."]) from None
    except (jwt.InvalidKeyError, ValueError, TypeError):
        raise ConfigError([f"The key {name} is not one for {key.algorithm}."]) from None


def _reason(error: Exception) -> StrEnum:
    return next(reason for kind, reason in _REASONS.items() if isinstance(error, kind))


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
