"""Where the bytes are."""

from .base import Composing, Storage, Writer

__all__ = ["Composing", "Storage", "Writer"]
