"""What may be a token is cut out of a request, whether it is good or not."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.auth.samples import CAPABILITY, GRANT, RING
from tusd_py.auth.capability import sign_capability
from tusd_py.auth.grant import sign_grant
from tusd_py.auth.presented import (
    Presented,
    present,
    scrubbed,
    scrubbed_parameters,
    scrubbed_query,
    without_tokens,
)

GRANTED = sign_grant(GRANT, RING)
SEGMENT = sign_capability(CAPABILITY, RING)
AUTHORIZATION = (b"Authorization", b"Bearer " + GRANTED.encode())


@pytest.mark.parametrize(
    ("rest", "presented"),
    [
        ("", Presented("")),
        ("id", Presented("id")),
        (SEGMENT, Presented(CAPABILITY.upload_id, capability=SEGMENT)),
        ("id.anything", Presented("id", capability="id.anything")),
        (".k.c.s", Presented(".", capability=".k.c.s")),
        ("id%2ek%2ec%2es", Presented("id", capability="id%2ek%2ec%2es")),
        ("other/id", Presented("other/id")),
        (f"-/{GRANTED}", Presented("", (GRANTED,))),
        (f"-/{GRANTED}/", Presented("", (GRANTED,))),
        ("-/", Presented("", ("",))),
        ("-", Presented("-")),
    ],
)
def test_the_path_is_taken_apart(rest: str, presented: Presented) -> None:
    assert presented == present(rest, None, [])
    assert presented == present(rest, f"/files/{rest}".encode(), [])


@pytest.mark.parametrize("sent", ["sent-otherwise", f"%{ord(SEGMENT[0]):x}{SEGMENT[1:]}"])
@pytest.mark.parametrize("rest", [SEGMENT, f"-/{GRANTED}", "id.a\xe9"])
def test_what_was_sent_otherwise_is_no_token(rest: str, sent: str) -> None:
    found = present(rest, f"/files/{sent}".encode(), [])

    assert ("",) == (*found.grants, *([] if found.capability is None else [found.capability]))


@pytest.mark.parametrize(
    ("values", "grants"),
    [
        ([], ()),
        ([b"Basic YTpi"], ()),
        ([b"Bearer"], ()),
        ([b"Bearer a"], ("a",)),
        ([b"bEARER   a\t"], ("a",)),
        ([b"Bearer a b"], ("a b",)),
        ([b"Bearer a", b"Bearer a"], ("a", "a")),
        ([b"Basic YTpi", b"Bearer a"], ("", "a")),
    ],
)
def test_headers_are_counted(values: list[bytes], grants: tuple[str, ...]) -> None:
    headers = [(b"authorization", value) for value in values]

    assert grants == present("", None, headers).grants
    assert ("path", *grants) == present("-/path", None, headers).grants
    assert () == present("id", None, headers).grants


@pytest.mark.parametrize(
    ("value", "parts", "shown"),
    [
        (f"final;/files/{SEGMENT}", (SEGMENT,), "final;/files/0123abcd"),
        (f"final;{SEGMENT} b.c", (SEGMENT, "b.c"), "final;0123abcd b"),
        ("final;http://a.b:1/x/i.k.c.s?d.e", ("i.k.c.s?d.e",), "final;http://a.b:1/x/i"),
        ("final;", ("",), "final;"),
        ("final; /a/b.c  /d/e.f", ("b.c", "", "e.f"), "final; /a/b  /d/e"),
        ("partial", (), "partial"),
        (f"other;{SEGMENT}", (), "other;0123abcd"),
        (f"final;/{SEGMENT}?x=/y.z", ("y.z",), "final;/0123abcd?x=/y"),
    ],
)
def test_parts_are_named_by_their_bare_ids(value: str, parts: tuple[str, ...], shown: str) -> None:
    headers = [(b"Upload-Concat", value.encode())]
    found = present("", None, headers)

    assert parts == found.parts
    assert [(b"Upload-Concat", shown.encode())] == without_tokens(headers)


def test_a_list_of_parts_that_comes_in_two_headers_has_no_good_part() -> None:
    headers = [(b"Upload-Concat", b"final;x"), (b"upload-concat", f"/../{SEGMENT}".encode())]

    assert ("",) == present("", None, headers).parts


def test_many_parts_and_headers_are_gone_through_once() -> None:
    headers = [(b"upload-concat", b"final;" + b" ".join([b"."] * 14_000)), *[(b"a", b"b")] * 7000]
    began = time.process_time()
    present("", None, headers)
    without_tokens(headers)

    # Seconds, where every part with every header takes twenty.
    assert time.process_time() - began < 2


def test_no_header_repeats_a_token() -> None:
    headers = [
        AUTHORIZATION,
        (b"Referer", b"https://a.example/" + GRANTED.encode()),
        (b"Host", b"a.example"),
    ]

    assert [(b"Host", b"a.example")] == without_tokens(headers)


def test_what_is_no_token_takes_no_header_along() -> None:
    headers = [(b"authorization", b"Bearer a"), (b"host", b"a"), (b"upload-concat", b"final;a")]

    kept = without_tokens(headers)
    assert [b"host", b"upload-concat"] == [name for name, _ in kept]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"/elsewhere/{SEGMENT}", "/elsewhere/0123abcd"),
        (f"/-/{GRANTED}/x", "/-/g1/x"),
        (f"/{SEGMENT.replace('.', '%2E')}/x", "/0123abcd/x"),
        ("/a.b/picture.jpeg", "/a.b/picture.jpeg"),
    ],
)
def test_a_path_that_leads_elsewhere_is_scrubbed(path: str, shown: str) -> None:
    assert shown == scrubbed(path)


def test_a_query_is_scrubbed() -> None:
    assert b"t=g1&u=/0123abcd&n=a.b" == scrubbed_query(f"t={GRANTED}&u=/{SEGMENT}&n=a.b".encode())


def test_what_a_router_took_from_the_path_is_scrubbed() -> None:
    parameters = {"rest": f"files/{SEGMENT}", "number": 5, "other": "a"}

    found = scrubbed_parameters(parameters, SEGMENT, "0123abcd")
    assert {"rest": "files/0123abcd", "number": 5, "other": "a"} == found


@given(
    st.text(),
    st.lists(st.tuples(st.sampled_from([b"authorization", b"Upload-Concat", b"x"]), st.binary())),
)
def test_anything_can_be_taken_apart(rest: str, headers: list[tuple[bytes, bytes]]) -> None:
    found = present(rest, rest.encode(errors="replace"), headers)
    kept = without_tokens(headers)

    assert "authorization" not in [name.decode().lower() for name, _ in kept]
    assert "." not in found.rest.removeprefix(".") or rest.startswith("-/")
