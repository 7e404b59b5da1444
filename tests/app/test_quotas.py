"""What one subject may have, whichever process it comes to."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.spec.served import Backends, Serve, Served
from tests.support.asgi import VERSION, Response
from tests.support.granting import bare, granted, refusal
from tests.unit.auth.samples import RING
from tusd_py import Config
from tusd_py.auth import Grants

OVER = (403, "quota-exceeded")
BUSY = (429, "subject-busy")


async def served(serve: Serve, **limits: int | None) -> Served:
    # mypy cannot tell the values of a Config by their names.
    return await serve(replace(Config(), **limits), auth=Grants(RING))  # type: ignore[arg-type]


def answer_of(response: Response) -> tuple[int | None, object]:
    return refusal(replace(response, reads=0))


async def test_bytes_are_limited_together(serve: Serve) -> None:
    tus = await served(serve, subject_bytes=10)
    url = await tus.new(b"hello", length=5, headers=granted())

    assert OVER == answer_of(await tus.create(b"sixsix", length=6, headers=granted()))
    assert OVER == answer_of(await tus.create(headers=granted(max_length=6)))
    assert 201 == (await tus.create(length=6, headers=granted(subject="bob"))).status
    assert 201 == (await tus.create(length=5, headers=granted())).status
    assert 2 == len(await tus.server.uploads.list(subject="alice"))
    assert 200 == (await tus.head(url)).status


async def test_unfinished_uploads_are_limited(serve: Serve) -> None:
    tus = await served(serve, subject_unfinished=1)
    url = await tus.new(length=5, headers=granted())

    refused = await tus.create(length=5, headers=granted())
    assert BUSY == answer_of(refused)
    assert "10" == refused.header("Retry-After")
    assert 204 == (await tus.patch(url, 0, b"hello")).status
    assert 201 == (await tus.create(length=5, headers=granted())).status


async def test_the_rate_of_creations_is_limited(serve: Serve) -> None:
    tus = await served(serve, subject_rate=2)
    for _ in range(2):
        await tus.new(b"hello", length=5, headers=granted())

    assert BUSY == answer_of(await tus.create(b"hello", length=5, headers=granted()))
    tus.clock.advance(60)
    assert 201 == (await tus.create(b"hello", length=5, headers=granted())).status


@pytest.mark.parametrize("body", [b"he", b"hello"], ids=["beginning", "whole"])
async def test_a_refusal_leaves_the_grant_and_no_bytes(
    backends: Backends, serve: Serve, body: bytes
) -> None:
    tus = await served(serve, subject_rate=1)
    await tus.new(length=5, headers=granted())
    sent = granted()

    assert BUSY == answer_of(await tus.create(body, length=5, headers=sent))
    assert {} == (await tus.server._runtime.started()).unsettled
    folders = [backends.folder / name for name in ("uploads", "files")]
    assert [] == [path for each in folders for path in each.rglob("*") if path.is_file()]
    tus.clock.advance(60)
    assert 201 == (await tus.create(body, length=5, headers=sent)).status


async def test_who_lost_an_answer_gets_it_in_spite_of_the_limit(serve: Serve) -> None:
    tus = await served(serve, subject_unfinished=1)
    sent = granted()
    url = await tus.new(length=5, headers=sent)

    assert url == (await tus.create(length=5, headers=sent)).location


async def test_bytes_are_counted_again_at_the_end(backends: Backends) -> None:
    grants = Grants(RING)
    tus = await backends.serve(auth=grants)
    urls = [await tus.new(b"hell", length=5, headers=granted()) for _ in range(2)]
    strict = await backends.serve(Config(subject_bytes=9), auth=grants)

    assert OVER == answer_of(await strict.patch(urls[0], 4, b"o"))
    head = await strict.request("HEAD", urls[0], [VERSION])
    assert 403 == head.status
    assert b"hello" == await strict.stored(bare(urls[0]))
    await strict.delete(urls[1])
    assert 204 == (await strict.patch(urls[0], 5)).status


async def test_uploads_of_nobody_are_not_limited(serve: Serve) -> None:
    tus = await serve(Config(subject_bytes=1, subject_unfinished=1, subject_rate=1))

    for _ in range(2):
        assert 201 == (await tus.create(length=5)).status


class TestAtOnce:
    async def test_in_one_process(self, serve: Serve) -> None:
        await self.race([await served(serve, subject_unfinished=3)])

    @pytest.mark.parametrize("kind", ["disk"])
    async def test_in_several_processes(self, backends: Backends) -> None:
        await self.race([await served(backends.serve, subject_unfinished=3) for _ in range(3)])

    async def race(self, servers: Sequence[Served]) -> None:
        answers = await asyncio.gather(
            *(
                servers[number % len(servers)].create(length=5, headers=granted())
                for number in range(12)
            )
        )

        assert 3 == sum(answer.status == 201 for answer in answers)
        assert 9 == sum(answer.status == 429 for answer in answers)
        assert 3 == len(await servers[0].server.uploads.list())
