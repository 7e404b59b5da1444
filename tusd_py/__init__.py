"""A resumable-upload server for the open tus protocol."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .asgi.app import TusApp
    from .asgi.cors import ALLOW_HEADERS, ALLOW_METHODS, EXPOSE_HEADERS
    from .config import Config, Cors, HttpHooks, Network, Streaming
    from .errors import Reject, TusError, UploadNotFound
    from .hooks.base import Changes, NewUpload, Reply, Request
    from .metadata.memory import MemoryMetadata
    from .metadata.sqlite import SQLiteMetadata
    from .protocol.metadata import parse_metadata
    from .protocol.upload import Kind, Upload, UploadId
    from .quantities import GB, KB, MB, GiB, KiB, MiB, days, hours
    from .storage.filesystem import FileStorage
    from .storage.layout import by_date, by_id
    from .storage.memory import MemoryStorage

__version__ = "0.1.0"

# Imported when first used, so that one part does not pay for the others.
_HOMES = {
    "ALLOW_HEADERS": "asgi.cors",
    "ALLOW_METHODS": "asgi.cors",
    "EXPOSE_HEADERS": "asgi.cors",
    "TusApp": "asgi.app",
    "Config": "config",
    "Cors": "config",
    "HttpHooks": "config",
    "Network": "config",
    "Streaming": "config",
    "GB": "quantities",
    "GiB": "quantities",
    "KB": "quantities",
    "KiB": "quantities",
    "MB": "quantities",
    "MiB": "quantities",
    "days": "quantities",
    "hours": "quantities",
    "Reject": "errors",
    "TusError": "errors",
    "UploadNotFound": "errors",
    "Changes": "hooks.base",
    "NewUpload": "hooks.base",
    "Reply": "hooks.base",
    "Request": "hooks.base",
    "MemoryMetadata": "metadata.memory",
    "SQLiteMetadata": "metadata.sqlite",
    "parse_metadata": "protocol.metadata",
    "Kind": "protocol.upload",
    "Upload": "protocol.upload",
    "UploadId": "protocol.upload",
    "FileStorage": "storage.filesystem",
    "by_date": "storage.layout",
    "by_id": "storage.layout",
    "MemoryStorage": "storage.memory",
}

__all__ = [
    "ALLOW_HEADERS",
    "ALLOW_METHODS",
    "EXPOSE_HEADERS",
    "GB",
    "KB",
    "MB",
    "Changes",
    "Config",
    "Cors",
    "FileStorage",
    "GiB",
    "HttpHooks",
    "KiB",
    "Kind",
    "MemoryMetadata",
    "MemoryStorage",
    "MiB",
    "Network",
    "NewUpload",
    "Reject",
    "Reply",
    "Request",
    "SQLiteMetadata",
    "Streaming",
    "TusApp",
    "TusError",
    "Upload",
    "UploadId",
    "UploadNotFound",
    "__version__",
    "by_date",
    "by_id",
    "days",
    "hours",
    "parse_metadata",
]


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
