"""Sizes of buffers, for what needs one."""

from __future__ import annotations

from tusd_py.config import Streaming
from tusd_py.quantities import MiB
from tusd_py.streaming.budget import BufferBudget
from tusd_py.streaming.buffers import BufferSize


def fixed(size: int, budget: BufferBudget | None = None) -> BufferSize:
    """A size in bytes that never changes."""
    rules = Streaming(adaptive_buffers=False, max_buffer_size=size)
    return BufferSize(budget or BufferBudget(64 * MiB), rules)


def usual(budget: BufferBudget | None = None) -> BufferSize:
    """A size that is chosen as by default."""
    return BufferSize(budget or BufferBudget(64 * MiB), Streaming())
