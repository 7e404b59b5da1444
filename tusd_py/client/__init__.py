"""The uploader: brings files to a tus server over networks that come and go."""

from .errors import (
    FileChanged,
    FileUnreadable,
    GaveUp,
    NotOffered,
    NotTrusted,
    NoTusServer,
    Refused,
    StateUnusable,
    UploadFailed,
)
from .links import LinkWatcher
from .options import Options
from .progress import Phase, Progress
from .uploader import Uploaded, Uploader

__all__ = [
    "FileChanged",
    "FileUnreadable",
    "GaveUp",
    "LinkWatcher",
    "NoTusServer",
    "NotOffered",
    "NotTrusted",
    "Options",
    "Phase",
    "Progress",
    "Refused",
    "StateUnusable",
    "UploadFailed",
    "Uploaded",
    "Uploader",
]
