"""What the client reads from answers, whatever a server writes there."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusd_py.client.dates import read_date
from tusd_py.client.endpoint import Created, Endpoint, Unsuccessful
from tusd_py.client.errors import UploadFailed
from tusd_py.client.http import Answer, Body, Connection, Request, Timeouts
from tusd_py.client.retry import Then

URL = "http://example.com/files/"
NUMBERS = st.integers(-(2**70), 2**70).map(str)
DATES = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Mon", "x", ""]),
    NUMBERS | st.integers(0, 40),
    st.sampled_from(["Jan", "feb", "0", "May-"]),
    NUMBERS | st.sampled_from(["1", "0001", "9999", "9" * 5000]),
    st.integers(0, 99) | NUMBERS,
    st.integers(0, 99),
    st.integers(0, 99) | st.just("x"),
    st.sampled_from(["GMT", "+2359", "-2359", "+99999999999", "-0000", ""]),
)
LOCATIONS = st.sampled_from(
    ["http://[::1/x", "http://a..b/", "//:99999/", "ftp://x/", "http://\xe9/", "https://.x/", "?"]
)
TEXTS = st.text(st.characters(max_codepoint=255), max_size=40)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "tus-resumable": TEXTS,
        "tus-version": TEXTS | st.just("1.0.0"),
        "location": LOCATIONS | TEXTS | st.just("x"),
        "upload-offset": NUMBERS | TEXTS,
        "upload-length": NUMBERS | TEXTS,
        "upload-expires": DATES | TEXTS,
        "retry-after": DATES | NUMBERS | TEXTS,
        "content-type": st.sampled_from(["application/json", "text/plain", "json", ";"]),
    },
)
BODIES = st.binary(max_size=60) | st.sampled_from(
    [b"[" * 60_000, b'{"a":' * 12_000, b'{"code": 7, "detail": ["x"]}', b"9" * 5000, b"[]"]
)
ANSWERS = st.builds(Answer, st.sampled_from([200, 201, 204, 308, 400, 503]), HEADERS, BODIES)


class FakeConnection:
    """Gives one answer to everything."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def exchange(self, request: Request) -> Answer:  # noqa: ARG002 - the port's
        return self._answer


def endpoint() -> Endpoint:
    timeouts = Timeouts(connect=1, stall=1, answer=1)
    return Endpoint(URL, token=None, headers={}, timeouts=timeouts, tls=None, interfaces=dict)


def connection(
    status: int, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> Connection:
    return cast("Connection", FakeConnection(Answer(status, headers or {}, body)))


async def append(carrying: Connection, offset: int, length: int) -> int:
    async def nothing() -> AsyncGenerator[bytes, None]:
        yield b""

    body = Body(length, nothing())
    return await endpoint().append(
        carrying, URL, offset, body, checksum=None, delivered=lambda _: None
    )


async def create(carrying: Connection, length: int = 10) -> Created:
    return await endpoint().create(carrying, {}, length)


@given(ANSWERS)
async def test_whatever_is_answered_is_a_result_or_an_error_of_ours(answer: Answer) -> None:
    carrying = cast("Connection", FakeConnection(answer))
    for asking in (
        create(carrying),
        endpoint().inspect(carrying, URL, 10),
        endpoint().discover(carrying),
        append(carrying, 0, 10),
    ):
        with suppress(UploadFailed):
            try:
                await asking
            except Unsuccessful as error:
                raise error.refused() from error


@given(DATES | TEXTS)
def test_a_date_is_a_time_or_nothing(text: str) -> None:
    found = read_date(text)
    assert found is None or abs(found) < 1e12


@pytest.mark.parametrize("now", [0, 5, 6, 21, 2**62])
async def test_a_success_that_takes_nothing_or_too_much_is_tried_again(now: int) -> None:
    with pytest.raises(Unsuccessful, match=f"bytes 6 to 20 with 204 and the offset {now}") as told:
        await append(connection(204, {"upload-offset": str(now)}), 6, 14)
    assert Then.AGAIN is told.value.then


@pytest.mark.parametrize("now", [7, 20])
async def test_a_success_may_take_a_part(now: int) -> None:
    assert now == await append(connection(204, {"upload-offset": str(now)}), 6, 14)


async def test_an_absurd_expiry_is_none() -> None:
    headers = {"location": "x", "upload-expires": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}
    created = await create(connection(201, headers))
    assert (f"{URL}x", None) == (created.url, created.expires)


async def test_json_of_any_depth_is_read_or_ignored() -> None:
    with pytest.raises(Unsuccessful, match=r"answered 400$"):
        await create(connection(400, {"content-type": "application/json"}, b"[" * 60_000))
