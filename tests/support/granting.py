"""Grants for the clock of the servers under test, and what their URLs hold."""

import json
from typing import Any

from tests.support.asgi import HOST, Header, Response
from tests.unit.auth.samples import NOW, RING
from tusd_py.auth import KeyRing, Signer
from tusd_py.auth.capability import Capability, sign_capability
from tusd_py.auth.rights import DEFAULT_RIGHTS


def grant(*, keys: KeyRing = RING, now: float = NOW, **claims: Any) -> str:  # noqa: ANN401
    """A grant for ten bytes of alice's, unless told otherwise."""
    if "length" not in claims:
        claims = {"max_length": 10, **claims}
    return Signer(keys, clock=lambda: now).grant(**{"subject": "alice", **claims})


def bearer(token: str) -> Header:
    return ("Authorization", f"Bearer {token}")


def granted(**claims: Any) -> list[Header]:  # noqa: ANN401
    """The header of a creation."""
    return [bearer(grant(**claims))]


def capability(upload_id: str, *, keys: KeyRing = RING, **claims: Any) -> str:  # noqa: ANN401
    """A capability of alice's with the usual rights, as a segment of a path."""
    usual = {"subject": "alice", "expires": NOW + 86_400, "rights": DEFAULT_RIGHTS}
    return sign_capability(Capability(upload_id=upload_id, **{**usual, **claims}), keys)


def path_of(url: str) -> str:
    return url.removeprefix(f"http://{HOST}")


def id_in(url: str) -> str:
    """The id of the upload at a URL with a capability."""
    return url.rpartition("/")[2].partition(".")[0]


def bare(url: str) -> str:
    """The same URL without the capability."""
    return f"{url.rpartition('/')[0]}/{id_in(url)}"


def refusal(response: Response) -> tuple[int | None, object]:
    """Status and code of a refusal, after a look at what none may have."""
    assert [] == response.all("Upload-Offset") + response.all("Location")
    assert 0 == response.reads, "the body was read"
    return response.status, json.loads(response.body)["code"] if response.body else None
