"""What a creation may be, by its grant, and what it takes of it."""

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.auth.samples import CAPABILITY, GRANT, NOW, RING
from tusd_py.auth.access import Creating, Holding, check_creation, use_of
from tusd_py.auth.capability import verify_capability
from tusd_py.auth.claims import Grant
from tusd_py.auth.rights import Rights
from tusd_py.errors import NotGranted, Uncovered
from tusd_py.protocol.requests import Creation, parse_creation
from tusd_py.testing.uploads import a_part, an_upload

LIMIT = 10_000_000
PARTIAL = {"upload-concat": "partial"}
FINAL = {"upload-concat": "final;/files/a", "length": ""}


def creation(**headers: str) -> Creation:
    """A creation of five bytes, unless told otherwise; ``length`` empty is no length at all."""
    length = headers.pop("length", "5")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    known = {"deferred": {"upload-defer-length": "1"}, "": {}}
    return parse_creation({**known.get(length, {"upload-length": length}), **named}, None)


def grant(**claims: Any) -> Grant:  # noqa: ANN401 - any claim
    limit = None if "length" in claims else GRANT.max_length
    return replace(GRANT, **{"max_length": limit, **claims})


@pytest.mark.parametrize(
    ("claims", "headers"),
    [
        ({}, {"length": str(LIMIT)}),
        ({}, {"length": "0"}),
        ({}, {"length": "deferred"}),
        ({"length": 5}, {}),
        ({"parts": 1}, PARTIAL),
        ({"parts": 1, "length": 9}, PARTIAL),
        ({"parts": 1}, {**PARTIAL, "length": "deferred"}),
        ({"parts": 1}, FINAL),
        ({"metadata": {"a": "b"}}, {"upload-metadata": "a Yg==,c"}),
        ({"metadata": {"a": ""}}, {"upload-metadata": "a"}),
        ({"metadata": {"a": "b"}, "allowed_metadata": ()}, {"upload-metadata": "a Yg=="}),
        ({"metadata": {"a": "b"}, "parts": 1}, PARTIAL),
        ({"allowed_metadata": ("c",)}, {"upload-metadata": "c Yg=="}),
        ({"allowed_metadata": ()}, {}),
    ],
)
def test_what_is_granted_may_be_created(claims: dict[str, Any], headers: dict[str, str]) -> None:
    check_creation(grant(**claims), creation(**headers))


@pytest.mark.parametrize(
    ("claims", "headers", "reason"),
    [
        ({}, {"length": str(LIMIT + 1)}, Uncovered.LENGTH),
        ({"length": 6}, {}, Uncovered.LENGTH),
        ({"length": 4}, {}, Uncovered.LENGTH),
        ({"length": 5}, {"length": "deferred"}, Uncovered.LENGTH),
        ({"parts": 1, "length": 4}, PARTIAL, Uncovered.LENGTH),
        ({}, PARTIAL, Uncovered.CONCATENATION),
        ({}, FINAL, Uncovered.CONCATENATION),
        ({"metadata": {"a": "b"}}, {}, Uncovered.METADATA),
        ({"metadata": {"a": "b"}}, {"upload-metadata": "a Yw=="}, Uncovered.METADATA),
        ({"metadata": {"a": "b"}}, {"upload-metadata": "A Yg=="}, Uncovered.METADATA),
        ({"metadata": {"a": "b"}, "parts": 1}, {**FINAL}, Uncovered.METADATA),
        (
            {"metadata": {"a": "b"}, "parts": 1},
            {**PARTIAL, "upload-metadata": "a Yw=="},
            Uncovered.METADATA,
        ),
        ({"allowed_metadata": ()}, {"upload-metadata": "c"}, Uncovered.METADATA),
        (
            {"allowed_metadata": (), "parts": 1},
            {**PARTIAL, "upload-metadata": "c"},
            Uncovered.METADATA,
        ),
    ],
)
def test_what_is_not_granted_may_not(
    claims: dict[str, Any], headers: dict[str, str], reason: Uncovered
) -> None:
    with pytest.raises(NotGranted) as raised:
        check_creation(grant(**claims), creation(**headers))

    assert reason == raised.value.reason


@pytest.mark.parametrize(
    ("claims", "headers", "most", "size", "most_size"),
    [
        ({}, {}, 1, 0, LIMIT),
        ({"uploads": 3}, {}, 3, 0, 3 * LIMIT),
        ({"parts": 4}, PARTIAL, 4, 5, LIMIT),
        ({"parts": 4}, {**PARTIAL, "length": "deferred"}, 4, LIMIT, LIMIT),
        ({"parts": 4, "uploads": 2, "length": 7}, PARTIAL, 4, 5, 14),
        ({"parts": 1, "uploads": 9, "max_length": 2**63 - 1}, PARTIAL, 1, 5, 2**63 - 1),
        ({"parts": 4}, FINAL, 1, 0, LIMIT),
    ],
)
def test_what_a_creation_takes_of_its_grant(
    claims: dict[str, Any], headers: dict[str, str], most: int, size: int, most_size: int
) -> None:
    use = use_of(grant(**claims), creation(**headers), NOW + 905)

    assert (most, size, most_size) == (use.most, use.size, use.most_size)
    assert (GRANT.id, "partial" in headers.values()) == (use.grant, use.part)


def test_every_header_of_a_creation_makes_it_another() -> None:
    variants = [
        {},
        {"length": "6"},
        {"length": "deferred"},
        {"upload-metadata": "a"},
        {"upload-metadata": "a Yg=="},
        PARTIAL,
        FINAL,
        {**FINAL, "upload-concat": "final;/files/b"},
    ]
    requests = [use_of(grant(parts=1), creation(**each), 0).request for each in variants]

    assert len(variants) == len({*requests})
    assert requests[0] == use_of(grant(parts=1), creation(), 0).request


@pytest.mark.parametrize("lifetime", [None, 10.0, 1e6, 1e12])
def test_the_url_of_an_upload_depends_on_nothing_that_changes(lifetime: float | None) -> None:
    access = Creating(grant(), (), RING, lifetime=100.0, skew=5.0)
    upload = an_upload("id", created_at=float(NOW), lifetime=lifetime)
    segment = access.segment(upload)

    assert segment == access.segment(upload._replace(offset=5, expires_at=1.0, finished_at=2.0))
    capability = verify_capability(segment, RING, NOW)
    assert (GRANT.subject, GRANT.can) == (capability.subject, capability.rights)
    assert min(NOW + max(100, int(lifetime or 0)), 253_402_300_799) == capability.expires


@pytest.mark.parametrize("method", ["HEAD", "PATCH", "GET", "DELETE"])
def test_a_capability_without_the_right_is_refused_at_once(method: str) -> None:
    right = Rights[method]
    Holding(replace(CAPABILITY, rights=right), method)

    others = Rights.HEAD | Rights.PATCH | Rights.GET
    with pytest.raises(NotGranted):
        Holding(replace(CAPABILITY, rights=others & ~right), method)


def test_what_may_be_removed_depends_on_its_state() -> None:
    access = Holding(replace(CAPABILITY, rights=Rights.DELETE_UNFINISHED), "DELETE")
    access.check_removal(an_upload())
    access.check_removal(a_part("part", b"all", finished_at=1.0))

    with pytest.raises(NotGranted):
        access.check_removal(an_upload(finished_at=1.0))
