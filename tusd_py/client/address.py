"""URLs, as far as a client of one protocol needs them."""

from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from tusd_py.quantities import shown

_PORTS = {"http": 80, "https": 443}
_GRANT = "/-/"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request goes."""

    scheme: str
    host: str
    port: int
    target: str
    """Path and query, as they are sent."""

    @property
    def origin(self) -> tuple[str, str, int]:
        """Who is trusted with what this server was told."""
        return self.scheme, self.host, self.port

    @property
    def host_header(self) -> str:
        """Host and port as a server wants to be called."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def parse_url(url: str) -> Address:
    """Read a URL.

    Raises:
        ValueError: It cannot be asked; the text is a sentence for the person who wrote it.
    """
    wrong = f"{shown(url)} is not a URL such as https://example.com/files/."
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(wrong)
    try:
        parts = urlsplit(url)
        port = parts.port
        # What is no name for the resolver, such as one with two dots in a row.
        (parts.hostname or "").encode("idna")
    except ValueError:
        raise ValueError(wrong) from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(wrong)
    if parts.username is not None:
        raise ValueError("A URL with a name and a password in it is not taken.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], target)


def resolved(location: str, asked: str) -> str:
    """The absolute URL of a ``Location`` that came when a URL was asked.

    Raises:
        ValueError: It is none.
    """
    url = urljoin(asked, location)
    parse_url(url)
    return url


def without_grant(url: str) -> str:
    """The URL of creation without a grant in its path: the same for every grant."""
    front, found, _ = url.partition(_GRANT)
    return f"{front}/" if found else url.partition("#")[0]
