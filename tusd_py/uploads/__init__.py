"""The engine: lock, load, plan, stream, commit, record, answer."""

from .service import Uploads

__all__ = ["Uploads"]
