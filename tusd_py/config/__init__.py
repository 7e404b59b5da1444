"""Settings: typed, frozen, checked as a whole, and passed down as one object.

``Config`` is the behaviour of the app, wherever it runs; ``Settings`` adds what only the
standalone server needs. Nothing here reads a file or the environment: that is the command line's.
"""

from .app import CONFIG_CHECKS, UNIX, Config, Durability
from .checks import Check
from .cors import CORS_CHECKS, Cors
from .hooks import HOOKS_CHECKS, HookName, HttpHooks
from .network import NETWORK_CHECKS, Network
from .settings import SETTINGS_CHECKS, LayoutName, LogFormat, LogLevel, Settings
from .streaming import STREAMING_CHECKS, ChunkAlgorithm, Streaming

__all__ = [
    "CONFIG_CHECKS",
    "CORS_CHECKS",
    "HOOKS_CHECKS",
    "NETWORK_CHECKS",
    "SETTINGS_CHECKS",
    "STREAMING_CHECKS",
    "UNIX",
    "Check",
    "ChunkAlgorithm",
    "Config",
    "Cors",
    "Durability",
    "HookName",
    "HttpHooks",
    "LayoutName",
    "LogFormat",
    "LogLevel",
    "Network",
    "Settings",
    "Streaming",
]
