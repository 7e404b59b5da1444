"""What a creation grant says, and how JSON says it."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field
from types import MappingProxyType
from typing import Final

from .rights import DEFAULT_RIGHTS, Rights, names_of, rights_named
from .tokens import check_second, check_subject

_MOST_BYTES = 2**63 - 1
_MOST_UPLOADS = 1_000_000
# Base64url of 16 bytes: the last character has but two bits.
_ID = re.compile(r"[A-Za-z0-9_-]{21}[AQgw]")
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
# A key of Upload-Metadata: printable ASCII, no space, no comma.
_METADATA_NAME = re.compile(r"[!-+\--~]+")
_PATH = re.compile(r"/[!\"$->@-~]*")


# Not frozen, for then it takes three times as long to make one, and each creation brings another.
@dataclass(slots=True, kw_only=True)
class Grant:
    """Leave to create an upload.

    Raises:
        ValueError: A claim is not of its form, or not exactly one of ``length`` and ``max_length``
            is given.
    """

    id: str
    """Makes the grant one of its kind: 16 random bytes in base64url."""

    subject: str
    """Whose the upload will be: 1 to 256 characters, no control characters."""

    not_before: int
    """When it begins to hold, in Unix seconds."""

    expires: int
    """When it ends, in Unix seconds; later than ``not_before``."""

    length: int | None = None
    """Exactly how many bytes the upload has."""

    max_length: int | None = None
    """The most bytes it may have, also if its length is told later."""

    uploads: int = 1
    """How many uploads it admits; those made of partial ones count once. Default: 1."""

    parts: int = 0
    """How many partial uploads it admits beside these. Default: 0, no concatenation."""

    can: Rights = DEFAULT_RIGHTS
    """What may be done with the upload."""

    metadata: Mapping[str, str] = field(default_factory=lambda: _NONE)
    """Pairs that the creation must carry exactly so. Default: none."""

    allowed_metadata: tuple[str, ...] | None = None
    """Names of the other pairs that it may carry. Default: ``None``, any."""

    path: str | None = None
    """The path below which it may create. Default: ``None``, any."""

    key_id: str | None = field(default=None, compare=False)
    """The key that signed it; ``None`` before that."""

    def __post_init__(self) -> None:
        for name, default, check in _CHECKS:
            value = getattr(self, name)
            if value is not default:
                check(name, value)
        if self.expires <= self.not_before:
            raise ValueError("The end of a grant is later than its beginning.")
        if (self.length is None) == (self.max_length is None):
            raise ValueError("A grant has either an exact or a maximal length.")
        if self.metadata is not _NONE:
            self.metadata = MappingProxyType(dict(self.metadata))

    def is_for(self, path: str) -> bool:
        """Tell whether it may create below a path, with or without the path's last slash."""
        return self.path is None or self.path.rstrip("/") == path.rstrip("/")


def read_claims(members: Mapping[str, object], key_id: str | None = None) -> Grant:
    """Make a grant, signed by a key, of the members of a JSON object.

    Raises:
        ValueError: One is unknown, missing, or not of its form.
    """
    if not _REQUIRED <= members.keys() <= _FIELDS.keys() or None in members.values():
        raise ValueError("A claim is missing or unknown.")
    values = {_FIELDS[name]: value for name, value in members.items()}
    if "can" in values:
        values["can"] = rights_named(_texts(values["can"]))
    if "allowed_metadata" in values:
        values["allowed_metadata"] = tuple(_texts(values["allowed_metadata"]))
    # __post_init__ looks at every type.
    return Grant(**values, key_id=key_id)  # type: ignore[arg-type]


def write_claims(grant: Grant) -> dict[str, object]:
    """Make the members of a JSON object, in their documented order, defaults left out."""
    members: dict[str, object] = {
        "jti": grant.id,
        "sub": grant.subject,
        "nbf": grant.not_before,
        "exp": grant.expires,
        "len": grant.length,
        "max": grant.max_length,
        "uploads": grant.uploads if grant.uploads != 1 else None,
        "parts": grant.parts or None,
        "can": names_of(grant.can) if grant.can != DEFAULT_RIGHTS else None,
        "meta": dict(grant.metadata) or None,
        "allow": list(grant.allowed_metadata) if grant.allowed_metadata is not None else None,
        "path": grant.path,
    }
    return {name: value for name, value in members.items() if value is not None}


_REQUIRED: Final = {"jti", "sub", "nbf", "exp"}
_FIELDS: Final = {
    "jti": "id",
    "sub": "subject",
    "nbf": "not_before",
    "exp": "expires",
    "len": "length",
    "max": "max_length",
    "uploads": "uploads",
    "parts": "parts",
    "can": "can",
    "meta": "metadata",
    "allow": "allowed_metadata",
    "path": "path",
}


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("A list of text is wanted.")
    return value


def _check_id(_: str, value: object) -> None:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise ValueError("The id of a grant is 16 bytes in base64url.")


def _whole(low: int, high: int) -> Callable[[str, object], None]:
    def check(name: str, value: object) -> None:
        # True is an int, too.
        if type(value) is not int or not low <= value <= high:
            raise ValueError(f"{name} is a whole number from {low} to {high}.")

    return check


def _check_rights(_: str, value: object) -> None:
    if not isinstance(value, Rights) or not value:
        raise ValueError("The holder of an upload can do at least one thing.")


def _check_metadata(_: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise ValueError("metadata maps names to text.")  # noqa: TRY004 - one error for whatever is wrong
    _check_names("metadata", tuple(value))
    if not all(isinstance(text, str) and _is_unicode(text) for text in value.values()):
        raise ValueError("The values of metadata are text.")


def _check_names(name: str, value: object) -> None:
    if not isinstance(value, tuple) or not all(map(_is_metadata_name, value)):
        raise ValueError(f"{name} has names of printable ASCII, with no space and no comma.")
    if len({*value}) != len(value):
        raise ValueError(f"{name} has each name once.")


def _is_metadata_name(value: object) -> bool:
    return isinstance(value, str) and bool(_METADATA_NAME.fullmatch(value))


def _is_unicode(text: str) -> bool:
    try:
        return bool(text.encode()) or not text
    except UnicodeEncodeError:
        return False


def _check_path(_: str, value: object) -> None:
    if not isinstance(value, str) or not _PATH.fullmatch(value):
        raise ValueError("path is a path such as /files/, of printable ASCII.")


# Each with its default, which is good.
_CHECKS: Final[Sequence[tuple[str, object, Callable[[str, object], None]]]] = (
    ("id", MISSING, _check_id),
    ("subject", MISSING, lambda _, value: check_subject(value)),
    ("not_before", MISSING, check_second),
    ("expires", MISSING, check_second),
    ("length", None, _whole(0, _MOST_BYTES)),
    ("max_length", None, _whole(0, _MOST_BYTES)),
    ("uploads", 1, _whole(1, _MOST_UPLOADS)),
    ("parts", 0, _whole(0, _MOST_UPLOADS)),
    ("can", DEFAULT_RIGHTS, _check_rights),
    ("metadata", _NONE, _check_metadata),
    ("allowed_metadata", None, _check_names),
    ("path", None, _check_path),
)
