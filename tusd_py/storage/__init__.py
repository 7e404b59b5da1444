"""Where the bytes are."""

from .base import Composing, FileBacked, Located, OpenFile, Storage, Writer

__all__ = ["Composing", "FileBacked", "Located", "OpenFile", "Storage", "Writer"]
