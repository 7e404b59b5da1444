"""Where the bytes are."""

from .base import Composing, FileBacked, Located, OpenFile, Probing, Storage, Writer

__all__ = ["Composing", "FileBacked", "Located", "OpenFile", "Probing", "Storage", "Writer"]
