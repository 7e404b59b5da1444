"""Where the bytes are."""

from .base import Composing, FileBacked, OpenFile, Storage, Writer

__all__ = ["Composing", "FileBacked", "OpenFile", "Storage", "Writer"]
