"""Servers on every kind of backend."""

from .fixtures import anyio_backend, backends, kind, serve, tus

__all__ = ["anyio_backend", "backends", "kind", "serve", "tus"]
