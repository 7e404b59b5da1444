"""What holds of every other test: a blocking call on the event loop fails."""

import asyncio
from pathlib import Path

import pytest
from blockbuster import BlockingError

from tusd_py import folders


async def test_a_blocking_call_on_the_event_loop_fails(tmp_path: Path) -> None:
    with pytest.raises(BlockingError):
        folders.make_folder(str(tmp_path / "new"), durable=False)


async def test_a_blocking_call_in_a_thread_is_right(tmp_path: Path) -> None:
    await asyncio.to_thread(folders.make_folder, str(tmp_path / "new"), durable=False)

    assert await asyncio.to_thread((tmp_path / "new").is_dir)
