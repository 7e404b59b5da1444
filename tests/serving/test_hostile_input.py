"""Hostile requests, as bytes on a socket.

Whatever comes, the answer is a documented one that tells nothing of the inside, the connection is
closed or goes on with the next request, nothing outside of the data folder is touched, and the
server serves on.
"""

import json
import os
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.live import LiveServer, Wire, WireResponse, live
from tusd_py import Changes, Config, FileStorage, NewUpload, SQLiteMetadata, TusApp
from tusd_py.serving import protocol
from tusd_py.serving.protocol import protocol_class

Header = tuple[bytes, bytes]

SUCCESS = {200, 201, 204}
REFUSED = {400, 403, 404, 405, 409, 412, 413, 415, 423, 431, 460}
# Of requests that do not end.
UNENDED = {408, 503}
# Words of the inside: modules, traces, system calls, SQL, folders.
INSIDE = re.compile(
    rb"Traceback|Errno|\.py\b|Error\(|Exception|sqlite|/tmp|/uploads/|tus\.db", re.IGNORECASE
)
# Headers with what a client or a callable chose.
ECHOES = {"location", "upload-metadata", "content-disposition", "content-type"}

OFFSET_TYPE = b"application/offset+octet-stream"
VERSION = (b"Tus-Resumable", b"1.0.0")
MAX_SIZE = 1000


@dataclass
class Target:
    """A server with something worth attacking: an upload of five bytes, finished parts, secrets."""

    server: LiveServer
    tus: TusApp
    root: Path
    changes: Changes | None = None
    upload: bytes = b""
    part: bytes = b""

    @property
    def data(self) -> Path:
        return self.root / "a" / "b" / "data"

    def outside(self) -> dict[str, tuple[int, bytes | None]]:
        """All around the data folder: when it was changed, and what is in it."""
        found: dict[str, tuple[int, bytes | None]] = {}
        for folder, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if name != "data"]
            found[folder] = (Path(folder).stat().st_mtime_ns, None)
            for path in (Path(folder, name) for name in names):
                found[str(path)] = (path.stat().st_mtime_ns, path.read_bytes())
        return found


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, direct_body: bool) -> Iterator[Target]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "DRAIN_SECONDS", 0.1)
        yield from attackable(tmp_path_factory, direct_body=direct_body)


def attackable(tmp_path_factory: pytest.TempPathFactory, *, direct_body: bool) -> Iterator[Target]:
    root = tmp_path_factory.mktemp("root")
    (root / "a" / "b" / "data").mkdir(parents=True)
    for folder in (root, root / "a", root / "a" / "b"):
        (folder / "secret").write_text("secret")
    tus = TusApp(
        storage=FileStorage(root / "a" / "b" / "data"),
        metadata=SQLiteMetadata(root / "a" / "b" / "data" / "tus.db"),
        config=Config(
            durability="process",
            max_size=MAX_SIZE,
            idle_timeout=0.1,
            sweep_interval=0,
            direct_body=direct_body,
        ),
    )
    http = protocol_class(header_timeout=0.1, max_header_size=8192)
    with live(tus.below("/files"), http=http, timeout_graceful_shutdown=5) as server:
        target = Target(server, tus, root)

        @tus.on_create
        async def change(new: NewUpload) -> Changes | None:  # noqa: ARG001 - the form of the hook
            return target.changes

        target.upload = created(target, (b"Upload-Length", b"500"))
        target.part = created(target, (b"Upload-Length", b"0"), (b"Upload-Concat", b"partial"))
        yield target


def created(target: Target, *headers: Header) -> bytes:
    with Wire(target.server.port) as wire:
        wire.send(request(b"POST", b"/files/", [VERSION, *headers]))
        response = wire.response()
    assert 201 == response.status
    return b"/" + response.headers["location"].split("/", 3)[3].encode()


def request(method: bytes, path: bytes, headers: Sequence[Header], body: bytes = b"") -> bytes:
    """A request that ends where it says."""
    lines = [b"%b: %b" % header for header in headers]
    framing = [b"Host: h", b"Content-Length: %d" % len(body)]
    return b"\r\n".join([b"%b %b HTTP/1.1" % (method, path), *framing, *lines, b"", body])


def answer(
    target: Target, method: bytes, path: bytes, headers: Sequence[Header], body: bytes = b""
) -> WireResponse:
    """Send a request that ends, and check what every answer has to be."""
    before = target.outside()
    with Wire(target.server.port) as wire:
        wire.send(request(method, path, headers, body))
        response = wire.response(bodiless=method == b"HEAD")
        harmless(response)
        goes_on_or_is_closed(wire)
    assert before == target.outside()
    return response


def harmless(response: WireResponse) -> None:
    ours = [line for line in response.lines if line.partition(":")[0].lower() not in ECHOES]
    shown = "\n".join(ours).encode("latin-1") + response.body
    assert not INSIDE.search(shown), shown
    if response.status >= 400 and response.body:
        problem = json.loads(response.body)
        assert {"type", "title", "status", "detail", "code"} == set(problem)
        assert response.status == problem["status"]


def goes_on_or_is_closed(wire: Wire) -> None:
    try:
        wire.send(request(b"OPTIONS", b"/files/", []))
        assert 200 == wire.response().status
    except (ConnectionError, BrokenPipeError):
        pass


def serves_on(target: Target) -> None:
    with Wire(target.server.port) as wire:
        wire.send(request(b"HEAD", target.upload, [VERSION]))
        assert 200 == wire.response(bodiless=True).status


def encoded(data: bytes) -> bytes:
    """Percent-encoded as far as a client may: all of it."""
    return b"".join(b"%%%02x" % byte for byte in data)


# No line ends: those make other requests, and come below.
VALUES = st.one_of(
    st.binary(max_size=60).map(lambda value: re.sub(rb"[\r\n]", b"?", value)),
    st.integers(-(2**70), 2**70).map(lambda number: str(number).encode()),
    st.sampled_from(
        [
            b"",
            b"0",
            b"1",
            b"5",
            b"+5",
            b"1_0",
            b"0x5",
            b"5, 5",
            b"1e3",
            "\N{ARABIC-INDIC DIGIT FIVE}".encode(),
            b"9" * 5000,
            b"partial",
            b"final",
            b"final;",
            b"final;/files/a /files/b",
            b"final;/files/../../secret",
            b"1.0.0",
            b"chunked",
            b"Upload-Checksum",
            b"sha1 YQ==",
            b"sha1 !",
            b"md5",
            b"filename YQ==",
            b"filename YQ==,filename YQ==",
            b"a b c",
            b",,,",
            b"PATCH",
            b"CONNECT",
            b"DELETE ",
            b"%00%0d%0a",
            b"../../secret",
            OFFSET_TYPE,
            b"*/*",
            b"100-continue",
            b'for="[::1";host="a b"',
        ]
    ),
)
NAMES = st.sampled_from(
    [
        b"Tus-Resumable",
        b"Upload-Offset",
        b"Upload-Length",
        b"Upload-Defer-Length",
        b"Upload-Metadata",
        b"Upload-Concat",
        b"Upload-Checksum",
        b"Upload-Expires",
        b"X-HTTP-Method-Override",
        b"Content-Type",
        b"Trailer",
        b"Expect",
        b"Origin",
        b"Host",
        b"Forwarded",
        b"X-Forwarded-Host",
        b"X-Forwarded-Prefix",
        b"Access-Control-Request-Method",
        b"Range",
        b"If-Match",
    ]
)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=5)
METHODS = st.sampled_from(
    [b"GET", b"HEAD", b"POST", b"PATCH", b"DELETE", b"OPTIONS", b"PUT", b"TRACE", b"PROPFIND"]
)
ESCAPES = st.sampled_from(
    [
        b"../",
        b"..%2f",
        b"%2e%2e/",
        b"%2e%2e%2f",
        b"%252e%252e%252f",
        b"..%5c",
        b"..\\",
        b"..;/",
        b"%c0%ae%c0%ae/",
        b"%00",
        b"%0d%0aSet-Cookie:%20a",
        b"%ff",
        b"%",
        b"%zz",
        b"/",
        b"//",
        b".",
        b"~",
        b"secret",
        b"tus.db",
        b"uploads",
        b"files",
        b"?a=b",
        b"#a",
        b":",
        b"@",
        b"http://h/",
        b"a" * 300,
    ]
)
PATHS = st.one_of(
    st.lists(ESCAPES, max_size=6).map(lambda pieces: b"/files/" + b"".join(pieces)),
    st.lists(ESCAPES, max_size=6).map(lambda pieces: b"/" + b"".join(pieces)),
    st.binary(max_size=40).map(lambda data: b"/files/" + encoded(data)),
    st.text(max_size=40).map(lambda text: b"/files/" + quote_from_bytes(text.encode()).encode()),
    st.sampled_from([b"*", b"/", b"http://other/files/", b"//files/", b"/files", b"/files/%2f"]),
)


@given(METHODS, HEADERS, st.booleans(), st.booleans(), st.binary(max_size=20))
def test_any_headers_of_the_protocol(
    target: Target, method: bytes, headers: list[Header], to_upload: bool, versioned: bool,
    body: bytes,
) -> None:  # fmt: skip
    path = target.upload if to_upload else b"/files/"
    # What is to be attacked next has to be there.
    harmful = method == b"DELETE" or any(b"DELETE" in value.upper() for _, value in headers)
    path = b"/files/other" if harmful and to_upload else path
    sent = [VERSION, *headers] if versioned else headers

    response = answer(target, method, path, sent, body)

    assert response.status in SUCCESS | REFUSED | {100}
    serves_on(target)


@given(METHODS, PATHS)
def test_any_path(target: Target, method: bytes, path: bytes) -> None:
    response = answer(target, method, path, [VERSION])

    assert response.status in SUCCESS | REFUSED
    assert b"secret" != response.body
    if response.status == 201:
        assert method == b"POST"
    serves_on(target)


@given(st.binary(max_size=100), st.binary(max_size=30), st.binary(max_size=30))
def test_metadata_never_becomes_a_header(
    target: Target, raw: bytes, filename: bytes, filetype: bytes
) -> None:
    pairs = b"filename %b,filetype %b" % (b64encode(filename), b64encode(filetype))
    path = created(target, (b"Upload-Length", b"0"), (b"Upload-Metadata", pairs))

    found = answer(target, b"HEAD", path, [VERSION])
    download = answer(target, b"GET", path, [])
    names = [line.partition(":")[0].lower() for line in download.lines]

    # A space at the end of a header's value is not part of it.
    assert pairs.decode().rstrip() == found.headers["upload-metadata"]
    assert {
        "accept-ranges",
        "cache-control",
        "content-type",
        "content-length",
        "content-disposition",
        "etag",
        "last-modified",
        "x-content-type-options",
        "tus-resumable",
    } == {*names} - {"content-security-policy", "date", "server"}
    assert len(names) == len(set(names))
    sent = re.sub(rb"[\r\n]", b"?", raw)
    wild = answer(target, b"POST", b"/files/", [VERSION, (b"Upload-Metadata", sent)])
    assert wild.status in SUCCESS | REFUSED


URLS = st.one_of(
    st.just(b"PART"),
    st.lists(ESCAPES, max_size=4).map(lambda pieces: b"/files/" + b"".join(pieces)),
    st.lists(ESCAPES, max_size=4).map(b"".join),
    st.binary(max_size=20).map(lambda value: re.sub(rb"[\r\n]", b"?", value)),
    st.sampled_from([b"UPLOAD", b"http://other/files/a", b"file:///etc/passwd", b"http://[::1"]),
)


@given(st.lists(URLS, max_size=5), st.sampled_from([b" ", b"  ", b",", b"\t", b";"]))
def test_any_list_of_parts(target: Target, urls: list[bytes], between: bytes) -> None:
    known = {b"PART": target.part, b"UPLOAD": target.upload}
    concat = b"final;" + between.join(known.get(url, url) for url in urls)

    response = answer(target, b"POST", b"/files/", [VERSION, (b"Upload-Concat", concat)])

    parts_only = bool(urls) and set(urls) == {b"PART"}
    assert response.status in ({201} if parts_only and between == b" " else {201, *REFUSED})
    serves_on(target)


LINES = st.sampled_from(
    [
        b"POST /files/ HTTP/1.1\r\n",
        b"PATCH UPLOAD HTTP/1.1\r\n",
        b"GET /files/../../secret HTTP/1.0\r\n",
        b"HEAD UPLOAD HTTP/9.9\r\n",
        b"GET http://h/files/ HTTP/1.1\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"Host: h\r\n",
        b"Tus-Resumable: 1.0.0\r\n",
        b"Upload-Length: 5\r\n",
        b"Upload-Offset: 0\r\n",
        b"Content-Type: application/offset+octet-stream\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 5000000000\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Content-Length : 5\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding:\x0bchunked\r\n",
        b"Connection: close\r\n",
        b"Connection: upgrade\r\nUpgrade: h2c\r\n",
        b"Expect: 100-continue\r\n",
        b" folded\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"hello",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"X" * 9000,
    ]
)


@given(st.lists(st.one_of(LINES, st.binary(max_size=10)), min_size=1, max_size=12))
def test_any_bytes(target: Target, pieces: list[bytes]) -> None:
    before = target.outside()
    with Wire(target.server.port) as wire:
        wire.send(b"".join(pieces).replace(b"UPLOAD", target.upload))
        for response in all_responses(wire):
            harmless(response)
            assert response.status in SUCCESS | REFUSED | UNENDED | {100}
    assert before == target.outside()
    serves_on(target)


def all_responses(wire: Wire) -> Iterator[WireResponse]:
    """Everything that comes until the server closes, or answers a question of ours."""
    wire.socket.settimeout(0.2)
    for _ in range(50):
        # What is unfinished may take this for a part of it, and then ends in time.
        try:
            wire.send(b"\r\n\r\n", request(b"OPTIONS", b"/files/our-question", []))
            while (response := wire.response()).status != 200:
                yield response
        except ConnectionError:
            return
        except TimeoutError:
            continue
        yield response
        return
    raise AssertionError("The server neither answers nor closes.")


NAMES_OF_FILES = st.one_of(
    st.text(max_size=20),
    st.lists(st.sampled_from(["..", ".", "/", "a", "b", "\\", "\0", "secret", "A", "tus.db"]))
    .map("".join),
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3).map("/".join),
)  # fmt: skip


@given(
    st.none() | NAMES_OF_FILES,
    st.none() | NAMES_OF_FILES,
    st.none() | st.dictionaries(st.text(max_size=5), st.binary(max_size=5), max_size=2),
)
def test_anything_that_callables_choose(
    target: Target, chosen: str | None, path: str | None, metadata: dict[str, bytes] | None
) -> None:
    target.changes = Changes(id=chosen, path=path, metadata=metadata)
    headers = [VERSION, (b"Upload-Length", b"5"), (b"Content-Type", OFFSET_TYPE)]
    others = {file: file.read_bytes() for file in files(target)}
    try:
        response = answer(target, b"POST", b"/files/", headers, b"hello")
    finally:
        target.changes = None

    assert response.status in (201, 500)
    if response.status == 500:
        # A file whose place is a folder, or the other way round, is found out by the storage.
        codes = {"application-error", "storage-error"} if path else {"application-error"}
        assert json.loads(response.body)["code"] in codes
    # What was there before is there as it was, and what is new is inside.
    now = {file: file.read_bytes() for file in files(target)}
    assert others == {file: now.get(file) for file in others}
    new = now.keys() - others.keys()
    assert ([b"hello"] if response.status == 201 else []) == [now[file] for file in new]
    serves_on(target)


def files(target: Target) -> list[Path]:
    """The finished files."""
    return [file for file in (target.data / "files").rglob("*") if file.is_file()]
