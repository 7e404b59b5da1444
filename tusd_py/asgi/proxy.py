"""Where the client thinks it is: the URL before any proxy, and the client's address."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from tusd_py.config import UNIX

_HOST = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)*/?")
_FORWARDED_PAIR = re.compile(r'([A-Za-z]+)=(?:"([^"]*)"|([^"]*))')


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A request's place on the outside.

    Attributes:
        origin: ``scheme://host``; empty if it cannot be told.
        base: The path below which uploads live, ending in a slash.
        rest: What the path has after that; None if it leads elsewhere.
        client: The client's address.
        direct: The connection is the client's own, and not that of a proxy that we trust.
    """

    origin: str
    base: str
    rest: str | None
    client: str | None
    direct: bool = True


class Proxies:
    """Tells the outside from the inside.

    Args:
        trusted: The networks whose ``Forwarded`` and ``X-Forwarded-*`` headers are believed, and
            ``unix`` for connections that have no address.
    """

    def __init__(self, trusted: Sequence[str]) -> None:
        self._unix = UNIX in trusted
        self._trusted = [ip_network(network) for network in trusted if network != UNIX]

    def place(self, scope: Mapping[str, Any], headers: Mapping[str, str], prefix: str) -> Place:
        """Work out the place of a request.

        Args:
            scope: The ASGI scope.
            headers: By lower-case name.
            prefix: The path of the routes; empty where the application was mounted.
        """
        base, rest = split_path(scope, prefix)
        client = scope["client"][0] if scope.get("client") else None
        scheme: str = scope.get("scheme", "http")
        host = headers.get("host") or _server(scope)
        direct = not self._trusts(client)
        if not direct:
            told = _told(headers)
            if told.get("proto", "").lower() in ("http", "https"):
                scheme = told["proto"].lower()
            host = told.get("host") or host
            if _PREFIX.fullmatch(told.get("prefix", "")):
                base = told.get("prefix", "").rstrip("/") + base
            client = self._client(told.get("for", ""), client)
        origin = f"{scheme}://{host}" if _HOST.fullmatch(host) else ""
        return Place(origin=origin, base=base, rest=rest, client=client, direct=direct)

    def _trusts(self, address: str | None) -> bool:
        if address is None:
            return self._unix
        if not self._trusted:
            return False
        parsed = _parsed(address)
        return parsed is not None and any(parsed in network for network in self._trusted)

    def _client(self, chain: str, peer: str | None) -> str | None:
        """The last address in the chain that is not one of our proxies."""
        client = peer
        for hop in reversed([hop.strip() for hop in chain.split(",")]):
            address = _without_port(hop)
            if not self._trusts(client) or _parsed(address) is None:
                break
            client = address
        return client


def split_path(scope: Mapping[str, Any], prefix: str) -> tuple[str, str | None]:
    """Split a path into the base of the uploads, ending in a slash, and the rest, if it has one.

    By ASGI the path begins with ``root_path``. Behind a proxy that strips a prefix it does not,
    and then ``root_path`` is the prefix and what mounts have added to it.
    """
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    if _begins(path, root):
        inside = path[len(root) :]
    else:
        outer: str = scope.get("app_root_path", root).rstrip("/")
        mounted = root[len(outer) :] if _begins(root, outer) else ""
        inside = path[len(mounted) :] if _begins(path, mounted) else path
    rest = inside[len(prefix) :].removeprefix("/") if _begins(inside, prefix) else None
    return f"{root}{prefix}/", rest


def _begins(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def _told(headers: Mapping[str, str]) -> dict[str, str]:
    """What the nearest proxy says of the request; its own word is the last of each list.

    Most proxies write ``X-Forwarded-*`` and let a ``Forwarded`` of the client pass, so the former
    counts where there are both.
    """
    if not any(name.startswith("x-forwarded-") for name in headers):
        return _parse_forwarded(headers.get("forwarded", ""))
    names = {"proto": "x-forwarded-proto", "host": "x-forwarded-host"}
    told = {
        key: headers[name].rpartition(",")[2].strip()
        for key, name in names.items()
        if name in headers
    }
    told["prefix"] = headers.get("x-forwarded-prefix", "")
    told["for"] = headers.get("x-forwarded-for", "")
    return told


def _parse_forwarded(value: str) -> dict[str, str]:
    hops = [_parse_hop(hop) for hop in value.split(",")]
    chain = ",".join(hop["for"] for hop in hops if "for" in hop)
    return {**hops[-1], "for": chain}


def _parse_hop(hop: str) -> dict[str, str]:
    matches = (_FORWARDED_PAIR.fullmatch(pair.strip()) for pair in hop.split(";"))
    return {match[1].lower(): match[2] or match[3] or "" for match in matches if match}


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    # A socket for both families shows IPv4 clients like this.
    return (isinstance(parsed, IPv6Address) and parsed.ipv4_mapped) or parsed


def _server(scope: Mapping[str, Any]) -> str:
    server = scope.get("server")
    if not server or server[1] is None:
        return ""
    host = f"[{server[0]}]" if ":" in server[0] else server[0]
    return f"{host}:{server[1]}"
