from typing import Any

import pytest

from tusd_py.protocol.upload import Kind
from tusd_py.testing.uploads import CREATED_AT, an_upload

NOW = CREATED_AT + 100


def test_an_upload_does_not_change() -> None:
    with pytest.raises(AttributeError):
        an_upload().offset = 5  # type: ignore[misc]


def test_it_is_finished_once_its_end_is_recorded() -> None:
    assert not an_upload(offset=10).finished
    assert an_upload(offset=10, finished_at=0.0).finished


@pytest.mark.parametrize(
    ("facts", "expires"),
    [
        ({}, False),
        ({"expires_at": 0.0}, True),
        ({"expires_at": NOW, "finished_at": NOW}, False),
        ({"expires_at": NOW, "finished_at": NOW, "kind": Kind.FINAL}, False),
        ({"expires_at": NOW, "finished_at": NOW, "kind": Kind.PARTIAL}, True),
    ],
)
def test_what_is_unfinished_or_never_the_product_expires(
    facts: dict[str, Any], expires: bool
) -> None:
    assert an_upload(**facts).expires is expires


@pytest.mark.parametrize(("at", "expected"), [(NOW - 1, True), (NOW, True), (NOW + 1, False)])
def test_it_has_expired_from_its_time_on(at: float, expected: bool) -> None:
    assert an_upload(expires_at=at).expired(NOW) is expected


def test_what_does_not_expire_has_not_expired() -> None:
    assert not an_upload().expired(NOW)
    assert not an_upload(expires_at=0.0, finished_at=0.0).expired(NOW)


@pytest.mark.parametrize(
    ("length", "max_length", "limit"),
    [(10, None, 10), (10, 20, 10), (None, 20, 20), (None, None, None), (0, 20, 0)],
)
def test_the_length_limits_it_and_before_that_its_own_limit(
    length: int | None, max_length: int | None, limit: int | None
) -> None:
    assert an_upload(length=length, max_length=max_length).limit == limit


def test_an_append_moves_the_offset_and_the_expiry() -> None:
    before = an_upload(length=None, lifetime=60.0, expires_at=NOW, verifying=True, metadata="k")

    after = before.appended(5, length=10, now=NOW)

    assert after == an_upload(
        length=10, offset=5, lifetime=60.0, expires_at=NOW + 60, verifying=False, metadata="k"
    )


def test_what_does_not_expire_does_not_after_an_append() -> None:
    assert an_upload().appended(5, length=10, now=NOW).expires_at is None
