"""The engine as an ASGI application."""

from .app import TusApp

__all__ = ["TusApp"]
