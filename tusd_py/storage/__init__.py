"""Where the bytes are."""

from .base import (
    Composing,
    FileBacked,
    Located,
    OpenFile,
    Probing,
    Recorded,
    Storage,
    Writer,
)
from .layout import checked

__all__ = [
    "Composing",
    "FileBacked",
    "Located",
    "OpenFile",
    "Probing",
    "Recorded",
    "Storage",
    "Writer",
    "checked",
]
