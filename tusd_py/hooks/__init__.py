"""What the application has to say, and what it is told."""

from .base import Changes, Hooks, NewUpload, Reply, Request

__all__ = ["Changes", "Hooks", "NewUpload", "Reply", "Request"]
