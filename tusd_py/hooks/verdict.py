"""What webhooks answer: the JSON that tusd takes, checked as anything that comes from outside.

Names are found whatever their case, unknown ones are passed over, and ``null`` says nothing, as
with tusd. Whatever is of a wrong type, or could not be sent on, makes it no answer.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tusd_py.errors import Reject, check_headers

from .base import Changes, Reply

# What belongs to a connection and to the framing of a body is nobody's to say.
_HOP_BY_HOP: Final = frozenset(
    (
        *("connection", "content-length", "keep-alive", "proxy-authenticate"),
        *("proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding"),
        "upgrade",
    )
)
# The protocol's own: what a hook says of them does not count.
_PROTOCOLS: Final = re.compile(r"location|(?:tus|upload)-.*", re.IGNORECASE)
_JSON: Final = re.compile(r"application/json\s*(?:;.*)?", re.IGNORECASE | re.DOTALL)
_OK = range(200, 300)
_REFUSED = range(400, 600)
_REFUSED_AS_TUSD = 400


class BadAnswer(ValueError):
    """An answer is none; the text says why, for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a hook says; each hook has use for some of it.

    Attributes:
        status: Of the answer to the client, if it has a say in that.
        headers: Further ones of that answer.
        body: Of that answer.
        reject: ``RejectUpload``, ``RejectTermination`` and ``RejectAccess``, by lower-case name.
        stop: ``StopUpload``.
        id: What the new upload shall be called.
        metadata: Instead of the client's.
        path: Where the file shall go.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    reject: frozenset[str] = frozenset()
    stop: bool = False
    id: str | None = None
    metadata: Mapping[str, bytes] | None = None
    path: str | None = None

    def refusal(self) -> Reject:
        """What the client is told if it is refused.

        Raises:
            BadAnswer: The status is not one of a refusal.
        """
        status = self.status or _REFUSED_AS_TUSD
        if status not in _REFUSED:
            raise BadAnswer(f"a refusal has no status {status}")
        return Reject(status, headers={**self.headers}, body=self.body or None)

    def reply(self) -> Reply | None:
        """What the client is told if it is not refused; None is what it would be told anyway.

        Raises:
            BadAnswer: The status is not one of a success.
        """
        if self.status is None and not self.headers and not self.body:
            return None
        if self.status is not None and self.status not in _OK:
            raise BadAnswer(f"what is not refused has no status {self.status}")
        return Reply(status=self.status, headers=self.headers, body=self.body)

    def changes(self) -> Changes | None:
        """What shall be different about the new upload.

        Raises:
            BadAnswer: See ``reply``.
        """
        changed = Changes(id=self.id, metadata=self.metadata, path=self.path, reply=self.reply())
        return None if changed == _NO_CHANGES else changed


_NO_CHANGES = Changes()


def read_verdict(content_type: str | None, body: bytes) -> Verdict:
    """Read the body of a hook's answer.

    Args:
        content_type: The header, which has to be that of JSON.
        body: All of it.

    Raises:
        BadAnswer: It is none.
    """
    if content_type is None or not _JSON.fullmatch(content_type.strip()):
        raise BadAnswer("it is not application/json")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadAnswer("it is not JSON") from error
    answer = _Part(document, "the answer")
    response = answer.part("HTTPResponse")
    change = answer.part("ChangeFileInfo")
    return Verdict(
        status=response.number("StatusCode"),
        headers=_headers(response.texts("Header") or {}),
        body=_encoded(response.text("Body") or ""),
        reject=frozenset(
            name
            for name in ("rejectupload", "rejecttermination", "rejectaccess")
            if answer.yes(name)
        ),
        stop=answer.yes("StopUpload"),
        id=change.text("ID") or None,
        metadata=_metadata(change.texts("MetaData")),
        path=_path(change.texts("Storage")),
    )


class _Part:
    """An object of a document, whose attributes are found by their names in any case."""

    def __init__(self, value: object, where: str) -> None:
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise BadAnswer(f"{where} is no object")
        self._values = {name.lower(): each for name, each in value.items()}

    def part(self, name: str) -> "_Part":
        return _Part(self._values.get(name.lower()), name)

    def _get(self, name: str, kind: type) -> Any:  # noqa: ANN401 - of the kind that is asked for
        value = self._values.get(name.lower())
        # True is a number to Python.
        if value is not None and type(value) is not kind:
            raise BadAnswer(f"{name} is of a wrong type")
        return value

    def yes(self, name: str) -> bool:
        return self._get(name, bool) is True

    def number(self, name: str) -> int | None:
        return self._get(name, int) or None

    def text(self, name: str) -> str | None:
        value: str | None = self._get(name, str)
        return value

    def texts(self, name: str) -> Mapping[str, str] | None:
        value = self._get(name, dict)
        if value is not None and not all(type(each) is str for each in value.values()):
            raise BadAnswer(f"{name} is of a wrong type")
        texts: Mapping[str, str] | None = value
        return texts


def _headers(told: Mapping[str, str]) -> Mapping[str, str]:
    try:
        check_headers(told)
    except ValueError as error:
        raise BadAnswer("a header cannot be sent") from error
    if any(name.lower() in _HOP_BY_HOP for name in told):
        raise BadAnswer("a header belongs to the connection")
    return {name: value for name, value in told.items() if not _PROTOCOLS.fullmatch(name)}


def _metadata(told: Mapping[str, str] | None) -> Mapping[str, bytes] | None:
    return None if told is None else {name: _encoded(value) for name, value in told.items()}


def _path(told: Mapping[str, str] | None) -> str | None:
    # tusd's documentation writes it so.
    return (told or {}).get("Path", "").removeprefix("./") or None


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise BadAnswer("a text is half of a character") from error
