"""Work that is dropped when the link changes."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.links import BrokenLinks, ScriptedLinks
from tusd_py.client.links import LinkChanged, Links


async def test_work_that_ends_first_has_its_result() -> None:
    async with Links(ScriptedLinks()) as links:
        assert "done" == await links.until_changed(asyncio.sleep(0, "done"))


async def test_work_that_fails_fails() -> None:
    async def fail() -> None:
        raise ValueError("no")

    async with Links(None) as links:
        with pytest.raises(ValueError, match="no"):
            await links.until_changed(fail())


async def test_a_change_ends_all_work_and_says_why() -> None:
    watcher = ScriptedLinks()
    started, ended = asyncio.Event(), []

    async def work(number: int) -> None:
        try:
            started.set()
            await asyncio.Event().wait()
        finally:
            ended.append(number)

    async with Links(watcher) as links:
        both = [asyncio.create_task(links.until_changed(work(number))) for number in (1, 2)]
        await started.wait()
        watcher.change("eth0 is down")
        told = await asyncio.gather(*both, return_exceptions=True)

    assert ["eth0 is down"] * 2 == [str(error) for error in told if isinstance(error, LinkChanged)]
    assert [1, 2] == sorted(ended)


async def test_a_change_that_is_over_does_not_end_what_begins_later() -> None:
    watcher = ScriptedLinks()
    async with Links(watcher) as links:
        watcher.change()
        with pytest.raises(LinkChanged):
            await links.until_changed(asyncio.Event().wait())

        assert "later" == await links.until_changed(asyncio.sleep(0, "later"))


async def test_who_is_cancelled_leaves_no_work_behind() -> None:
    running = asyncio.Event()
    ended = asyncio.Event()

    async def work() -> None:
        try:
            running.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with Links(None) as links:
        task = asyncio.create_task(links.until_changed(work()))
        await running.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()


async def test_a_watcher_that_fails_does_not_end_the_upload() -> None:
    async with Links(BrokenLinks()) as links:
        await asyncio.sleep(0)

        assert "done" == await links.until_changed(asyncio.sleep(0.01, "done"))
