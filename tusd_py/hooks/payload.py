"""What webhooks are sent: the JSON that tusd sends, field by field."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from tusd_py.protocol.metadata import parse_metadata
from tusd_py.protocol.upload import Kind, Upload

from .base import NewUpload, Request

Facts = Mapping[str, Any]

# What says who a client is. It is not kept on the disk unless somebody asks for it.
CREDENTIALS: Final = frozenset(("authorization", "cookie", "proxy-authorization"))
_NO_REQUEST: Final[Facts] = {"Method": "", "URI": "", "RemoteAddr": "", "Header": None}
# Go's server takes them out of the headers.
_OF_THE_CONNECTION = frozenset(("trailer", "transfer-encoding"))


def hook_body(name: str, upload: Facts, request: Facts) -> bytes:
    """The body of a hook's request.

    Args:
        name: The hook, such as ``post-finish``.
        upload: See ``upload_facts``, ``creation_facts`` and ``bare_facts``.
        request: See ``request_facts``.
    """
    event = {"Upload": upload, "HTTPRequest": request}
    return json.dumps({"Type": name, "Event": event}, separators=(",", ":")).encode()


def upload_facts(upload: Upload, storage: Mapping[str, str] | None) -> Facts:
    """What there is to say of an upload.

    Args:
        upload: The upload.
        storage: Where its bytes are, if the storage tells.
    """
    return {
        "ID": upload.id,
        **_size(upload.length),
        "Offset": upload.offset,
        "MetaData": _metadata(parse_metadata(upload.metadata)),
        **_concatenation(upload.kind, upload.parts),
        "Storage": storage,
    }


def creation_facts(new: NewUpload) -> Facts:
    """What there is to say of an upload that is about to be created."""
    return {
        "ID": "",
        **_size(new.length),
        "Offset": 0,
        "MetaData": _metadata(new.metadata),
        **_concatenation(new.kind, new.parts),
        "Storage": None,
    }


def bare_facts(upload_id: str | None) -> Facts:
    """The facts of an upload of which nothing but the id is known yet, if that."""
    facts = {"ID": upload_id or "", **_size(0), "Offset": 0, "MetaData": None}
    return {**facts, **_concatenation(Kind.PLAIN, ()), "Storage": None}


def request_facts(request: Request | None, *, without: frozenset[str] = frozenset()) -> Facts:
    """What there is to say of the request that a hook is about; None is what no client asked for.

    Args:
        request: The request.
        without: Headers to leave out, by lower-case name.
    """
    if request is None:
        return _NO_REQUEST
    headers: dict[str, list[str]] = {}
    for raw_name, raw_value in request.scope.get("headers", ()):
        name = raw_name.decode("latin-1").lower()
        if name not in without and name not in _OF_THE_CONNECTION:
            value = raw_value.decode("latin-1").strip(" \t")
            headers.setdefault(canonical(name), []).append(value)
    return {
        "Method": request.method,
        "URI": _uri(request),
        "RemoteAddr": _address(request),
        "Header": headers,
    }


def switch_body(name: str, switch: Facts) -> bytes:
    """The body of a hook's request that is about the network, and about no upload.

    Args:
        name: The hook, such as ``network.switched``.
        switch: ``Before``, ``After``, ``Reason``, ``Detail`` and ``At``.
    """
    event = {"Upload": bare_facts(None), "HTTPRequest": _NO_REQUEST, "Network": switch}
    return json.dumps({"Type": name, "Event": event}, separators=(",", ":")).encode()


def canonical(name: str) -> str:
    """A header's name as Go writes it: ``upload-offset`` is ``Upload-Offset``."""
    return "-".join(word.capitalize() for word in name.split("-"))


def _size(length: int | None) -> Facts:
    return {"Size": length or 0, "SizeIsDeferred": length is None}


def _metadata(metadata: Mapping[str, bytes]) -> Mapping[str, str]:
    return {name: value.decode("utf-8", "replace") for name, value in metadata.items()}


def _concatenation(kind: Kind, parts: tuple[str, ...]) -> Facts:
    return {
        "IsPartial": kind is Kind.PARTIAL,
        "IsFinal": kind is Kind.FINAL,
        "PartialUploads": [*parts] if kind is Kind.FINAL else None,
    }


def _uri(request: Request) -> str:
    raw: bytes | None = request.scope.get("raw_path")
    query: bytes = request.scope.get("query_string", b"")
    path = quote(request.path) if raw is None else raw.partition(b"?")[0].decode("latin-1")
    return f"{path}?{query.decode('latin-1')}" if query else path


def _address(request: Request) -> str:
    """The client and its port, which is known if it is the one that connected."""
    peer = request.scope.get("client")
    if request.client is None:
        return ""
    if peer is None or peer[0] != request.client:
        return request.client
    host = f"[{peer[0]}]" if ":" in peer[0] else peer[0]
    return f"{host}:{peer[1]}"
