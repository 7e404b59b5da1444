"""An application makes grants in one call."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.auth.samples import GRANT, NOW, RING, VERIFYING, ring_of
from tusd_py.auth import Signer
from tusd_py.auth.claims import Grant
from tusd_py.auth.grant import verify_grant
from tusd_py.auth.rights import DEFAULT_RIGHTS, Rights

SIGNER = Signer(RING, clock=lambda: NOW + 0.75)


def read(token: str) -> Grant:
    return verify_grant(token, RING, NOW)


def test_a_grant_needs_a_subject_and_a_length_only() -> None:
    grant = read(SIGNER.grant(subject="alice", max_length=5))

    assert ("alice", 5, None) == (grant.subject, grant.max_length, grant.length)
    assert (NOW, NOW + 900) == (grant.not_before, grant.expires)
    assert (1, 0, DEFAULT_RIGHTS) == (grant.uploads, grant.parts, grant.can)
    assert ({}, None, None) == (grant.metadata, grant.allowed_metadata, grant.path)


def test_a_grant_says_all_that_was_asked_for() -> None:
    grant = read(
        SIGNER.grant(
            subject="Bjørn",
            length=0,
            ttl=60,
            uploads=2,
            parts=8,
            can=["GET", "DELETE"],
            metadata={"filename": "große Datei.bin"},
            allowed_metadata=["filetype"],
            path="/files/",
        )
    )

    expected = Grant(
        id=grant.id,
        subject="Bjørn",
        not_before=NOW,
        expires=NOW + 60,
        length=0,
        uploads=2,
        parts=8,
        can=Rights.HEAD | Rights.PATCH | Rights.GET | Rights.DELETE,
        metadata={"filename": "große Datei.bin"},
        allowed_metadata=("filetype",),
        path="/files/",
    )
    assert expected == grant


def test_every_grant_has_an_id_of_its_own() -> None:
    assert 100 == len({read(SIGNER.grant(subject="alice", length=1)).id for _ in range(100)})


def test_time_and_id_come_from_the_caller() -> None:
    signer = Signer(RING, clock=lambda: GRANT.not_before, new_id=lambda: GRANT.id)

    assert GRANT == read(signer.grant(subject=GRANT.subject, max_length=GRANT.max_length))


def test_the_ring_of_the_moment_signs() -> None:
    rings = iter([ring_of(VERIFYING), RING])
    signer = Signer(lambda: next(rings), clock=lambda: NOW)

    made = [read(signer.grant(subject="alice", length=1)).key_id for _ in range(2)]
    assert ["old", "new"] == made


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "A grant has either an exact or a maximal length."),
        ({"length": 1, "max_length": 1}, "A grant has either an exact or a maximal length."),
        ({"length": -1}, "length is a whole number from 0 to 9223372036854775807."),
        ({"length": 1.0}, "length is a whole number from 0 to 9223372036854775807."),
        ({"length": 1, "subject": ""}, "The subject has 1 to 256 characters"),
        ({"length": 1, "ttl": 0}, "A grant holds for a whole number of seconds, at least one."),
        ({"length": 1, "ttl": 1.5}, "A grant holds for a whole number of seconds, at least one."),
        ({"length": 1, "ttl": float("nan")}, "A grant holds for a whole number of seconds"),
        ({"length": 1, "ttl": float("inf")}, "A grant holds for a whole number of seconds"),
        ({"length": 1, "can": ["POST"]}, '"POST" is none of HEAD, PATCH, GET'),
        ({"length": 1, "can": "GET"}, '"G" is none of HEAD, PATCH, GET'),
        ({"length": 1, "parts": -1}, "parts is a whole number from 0 to 1000000."),
        ({"length": 1, "metadata": {"a b": ""}}, "metadata has names of printable ASCII"),
        ({"length": 1, "allowed_metadata": ["a", "a"]}, "allowed_metadata has each name once."),
        ({"length": 1, "path": "files"}, "path is a path such as /files/"),
    ],
)
def test_arguments_that_make_no_sense_are_told(arguments: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match="^" + problem.replace(".", r"\.")):
        SIGNER.grant(**{"subject": "alice", **arguments})
