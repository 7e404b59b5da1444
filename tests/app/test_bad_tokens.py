"""What is presented and does not hold: refused before a byte is read or anything is touched."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

from tests.spec.served import Backends, Served
from tests.support.asgi import HOST, OFFSET_TYPE, VERSION, Header, Response
from tests.support.granting import bearer, capability, grant, granted, id_in, refusal
from tests.unit.auth.forging import altered
from tests.unit.auth.samples import NOW, OLD_SECRET, RING, SECRET
from tusd_py.auth import Grants, Key, KeyRing
from tusd_py.auth.rights import Rights

STRANGER = KeyRing([Key("new", OLD_SECRET)])
UNKNOWN = KeyRing([Key("unknown", SECRET)])
GONE = KeyRing([Key("gone", b"the secret that somebody has stolen")])


class Untouched:
    """Stands in for the metadata of a server that must not look at it."""

    def __init__(self, inner: Any) -> None:  # noqa: ANN401 - any backend
        self._inner = inner
        self.forbidden = False
        self.touched: list[str] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any method
        if self.forbidden:
            self.touched.append(name)
        return getattr(self._inner, name)


@dataclass
class Guarded:
    """A server with an upload of alice's, and what it did since that was created."""

    tus: Served
    url: str
    metadata: Untouched
    logged: list[EventDict]

    def refused(self, response: Response) -> tuple[int | None, object, list[tuple[Any, Any]]]:
        """How a request was refused, after a look at what a refusal must not do."""
        assert [] == self.metadata.touched
        assert 0 == response.taken
        lines = [line for line in self.logged if line["event"] == "auth.refused"]
        return (*refusal(response), [(line["reason"], line["key_id"]) for line in lines])


@pytest.fixture
def logged() -> Iterator[list[EventDict]]:
    structlog.configure()
    with capture_logs() as lines:
        yield lines
    structlog.reset_defaults()


@pytest.fixture
async def guarded(backends: Backends, logged: list[EventDict]) -> AsyncIterator[Guarded]:
    metadata: list[Untouched] = []

    def watched(inner: Any) -> Any:  # noqa: ANN401 - any backend
        metadata.append(Untouched(inner))
        return metadata[0]

    tus = await backends.serve(auth=Grants(RING), metadata=watched)
    url = await tus.new(b"he", length=5, headers=granted())
    logged.clear()
    metadata[0].forbidden = True
    yield Guarded(tus, url, metadata[0], logged)
    metadata[0].forbidden = False
    # None of them added or changed an upload.
    assert [(id_in(url), 2)] == [(each.id, each.offset) for each in await tus.server.uploads.list()]


BAD_GRANTS: dict[str, tuple[Callable[[], Sequence[Header]], str, str | None]] = {
    "another key's": (lambda: granted(keys=STRANGER), "bad-signature", "new"),
    "unknown key": (lambda: granted(keys=UNKNOWN), "unknown-key", "unknown"),
    "retired key": (lambda: granted(keys=GONE), "retired-key", "gone"),
    "expired": (lambda: granted(now=NOW - 905), "expired", "new"),
    "not yet valid": (lambda: granted(now=NOW + 6), "not-yet-valid", "new"),
    "lives too long": (lambda: granted(ttl=901), "lives-too-long", "new"),
    "another path": (lambda: granted(path="/other/"), "path", "new"),
    "shorter": (lambda: granted(max_length=4), "length", "new"),
    "not exact": (lambda: granted(length=6), "length", "new"),
    "other metadata": (lambda: granted(metadata={"filename": "b"}), "metadata", "new"),
    "no metadata": (lambda: granted(metadata={"other": "a"}), "metadata", "new"),
    "more metadata": (lambda: granted(allowed_metadata=["other"]), "metadata", "new"),
    "twice": (lambda: granted() * 2, "several-grants", None),
    "two": (lambda: [*granted(), *granted()], "several-grants", None),
    "two in one header": (lambda: [bearer(f"{grant()},Bearer {grant()}")], "malformed", None),
    "another scheme beside it": (
        lambda: [*granted(), ("Authorization", "Basic YTpi")],
        "several-grants",
        None,
    ),
    "truncated": (lambda: [bearer(grant()[:-1])], "malformed", None),
    "percent-encoded": (lambda: [bearer(grant().replace(".", "%2E"))], "malformed", None),
    "non-ASCII": (lambda: [bearer(grant() + "\xe9")], "malformed", None),
    "1 MB": (lambda: [bearer("g1.new." + "A" * 1_000_000)], "malformed", None),
    "padded": (lambda: [bearer(grant() + "=")], "malformed", None),
    "a capability": (lambda: [bearer(capability("a"))], "malformed", None),
}


@pytest.mark.parametrize("case", BAD_GRANTS)
async def test_a_bad_grant_creates_nothing(guarded: Guarded, case: str) -> None:
    headers, reason, key_id = BAD_GRANTS[case]
    name = [("Upload-Metadata", "filename YQ==")]

    response = await guarded.tus.create(b"hello", length=5, headers=[*headers(), *name])

    code = "not-granted" if reason in {"path", "length", "metadata", "several-grants"} else None
    assert (403, code or "token-refused", [(reason, key_id)]) == guarded.refused(response)


async def test_a_deferred_length_is_not_an_exact_one(guarded: Guarded) -> None:
    response = await guarded.tus.create(b"hello", headers=granted(length=5))

    assert (403, "not-granted", [("length", "new")]) == guarded.refused(response)


@pytest.mark.parametrize("headers", [[], [("Authorization", "Basic YTpi")]])
async def test_no_grant_at_all_is_asked_for(guarded: Guarded, headers: list[Header]) -> None:
    response = await guarded.tus.create(b"hello", length=5, headers=headers)

    assert "Bearer" == response.header("WWW-Authenticate")
    assert (401, "not-authenticated", [("not-authenticated", None)]) == guarded.refused(response)


IN_PATH: dict[str, tuple[Callable[[], str], Callable[[], Sequence[Header]], str]] = {
    "and in the header": (grant, granted, "several-grants"),
    "nothing": (lambda: "", list, "malformed"),
    "two": (lambda: f"{grant()}/{grant()}", list, "malformed"),
    "two slashes": (lambda: f"{grant()}//", list, "malformed"),
    "truncated": (lambda: grant()[:-1], list, "malformed"),
    "non-ASCII": (lambda: f"{grant()}\xe9", list, "malformed"),
    "1 MB": (lambda: f"g1.new.{'A' * 1_000_000}", list, "malformed"),
}


@pytest.mark.parametrize("case", IN_PATH)
async def test_a_bad_grant_in_the_path_creates_nothing(guarded: Guarded, case: str) -> None:
    token, headers, reason = IN_PATH[case]
    sent = [VERSION, ("Upload-Length", "5"), *headers()]

    response = await guarded.tus.request("POST", f"/files/-/{token()}", sent)

    status, _, lines = guarded.refused(response)
    assert (403, [reason]) == (status, [line[0] for line in lines])


BAD_CAPABILITIES: dict[str, tuple[Callable[[str], str], str]] = {
    "bare id": (lambda id_: id_, "no-capability"),
    "bare id of nothing": (lambda _: "nothing", "no-capability"),
    "another key's": (lambda id_: capability(id_, keys=STRANGER), "bad-signature"),
    "unknown key": (lambda id_: capability(id_, keys=UNKNOWN), "unknown-key"),
    "retired key": (lambda id_: capability(id_, keys=GONE), "retired-key"),
    "expired": (lambda id_: capability(id_, expires=NOW - 5), "expired"),
    "of another upload": (
        lambda id_: id_ + "." + capability("other").partition(".")[2],
        "bad-signature",
    ),
    "truncated": (lambda id_: capability(id_)[:-1], "malformed"),
    "non-ASCII": (lambda id_: capability(id_) + "\xe9", "malformed"),
    "1 MB": (lambda id_: f"{id_}.new.{'A' * 1_000_000}.{'A' * 43}", "malformed"),
    "with a slash": (lambda id_: capability(id_) + "/", "malformed"),
    "a grant": (lambda _: grant(), "bad-signature"),
    "only to look": (lambda id_: capability(id_, rights=Rights.HEAD), "method"),
}


@pytest.mark.parametrize("case", BAD_CAPABILITIES)
async def test_a_bad_capability_opens_nothing(guarded: Guarded, case: str) -> None:
    segment, reason = BAD_CAPABILITIES[case]

    response = await guarded.tus.patch(
        f"/files/{segment(id_in(guarded.url))}", 2, b"llo", headers=granted()
    )

    status, _, lines = guarded.refused(response)
    assert (403, [reason]) == (status, [line[0] for line in lines])


@pytest.mark.parametrize("encode", [lambda c: f"%{ord(c):02X}", lambda c: f"%{ord(c):02x}"])
@pytest.mark.parametrize("at", [0, 20, -1])
async def test_what_was_percent_encoded_does_not_hold(
    guarded: Guarded, encode: Callable[[str], str], at: int
) -> None:
    """The server decodes the path; what was signed is what has to be sent."""
    segment = guarded.url.rpartition("/")[2]
    at %= len(segment)
    sent = f"/files/{segment[:at]}{encode(segment[at])}{segment[at + 1 :]}"
    guarded.tus.scope = {"path": f"/files/{segment}", "raw_path": sent.encode()}

    response = await guarded.tus.head(sent)

    assert (403, None, [("malformed", None)]) == guarded.refused(response)
    guarded.tus.scope = {}


@pytest.mark.parametrize("method", ["HEAD", "PATCH", "DELETE", "GET"])
async def test_no_method_tells_whether_an_upload_is_there(guarded: Guarded, method: str) -> None:
    sent = [VERSION, OFFSET_TYPE, ("Upload-Offset", "2"), ("Content-Length", "0")]
    there, nowhere = id_in(guarded.url), "nothing"
    for segment in ("{}", f"{{}}.{guarded.url.partition('.new.')[2]}"):
        answers = [
            await guarded.tus.request(method, f"/files/{segment.format(id_)}", sent)
            for id_ in (there, nowhere)
        ]
        # The signature is that of the upload that is there, without the id of its key.
        assert [403, 403] == [answer.status for answer in answers]
        assert answers[0].body == answers[1].body


@pytest.mark.parametrize("piece", ["a", ".", "a.", "/", "a.b.c.d/", "%"])
async def test_a_long_path_is_no_work(guarded: Guarded, piece: str) -> None:
    """Looking for tokens in it takes no more than one pass."""
    for base in ("/files/", "/elsewhere/"):
        answer = await guarded.tus.head(base + piece * (1_000_000 // len(piece)))
        assert answer.status in (403, 404)


@pytest.mark.slow
async def test_no_alteration_of_a_url_passes(guarded: Guarded) -> None:
    segment = guarded.url.rpartition("/")[2]
    for forged in {each for each in altered(segment) if each != segment}:
        path = f"http://{HOST}/files/{forged.partition('?')[0]}"
        if path.rpartition("/files/")[2] == segment:
            continue
        status = (await guarded.tus.head(path)).status
        assert status in (403, 404, 405), forged
    assert [] == guarded.metadata.touched
