"""Which extensions are advertised: derived from what backends and server can do."""

from dataclasses import dataclass
from enum import StrEnum

from .checksum import ALGORITHMS
from .headers import VERSION


class Extension(StrEnum):
    """The extensions of tus 1.0.0 by the names that ``Tus-Extension`` uses."""

    CREATION = "creation"
    CREATION_WITH_UPLOAD = "creation-with-upload"
    CREATION_DEFER_LENGTH = "creation-defer-length"
    EXPIRATION = "expiration"
    CHECKSUM = "checksum"
    CHECKSUM_TRAILER = "checksum-trailer"
    TERMINATION = "termination"
    CONCATENATION = "concatenation"
    CONCATENATION_UNFINISHED = "concatenation-unfinished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What the parts that are plugged together can do.

    Attributes:
        composes: The storage can build a file from others.
        expires: Unfinished uploads are removed after a time.
        terminates: Clients may remove uploads.
        trailers: The server hands request trailers to the application.
    """

    composes: bool
    expires: bool
    terminates: bool
    trailers: bool


def extensions(can: Capabilities) -> tuple[Extension, ...]:
    """The extensions on offer, in the order in which they are advertised."""
    offered = {
        Extension.EXPIRATION: can.expires,
        Extension.CHECKSUM_TRAILER: can.trailers,
        Extension.TERMINATION: can.terminates,
        Extension.CONCATENATION: can.composes,
        Extension.CONCATENATION_UNFINISHED: can.composes,
    }
    return tuple(extension for extension in Extension if offered.get(extension, True))


def discovery(can: Capabilities, max_size: int | None) -> dict[str, str]:
    """The headers of the answer to OPTIONS; no spaces in lists, for some clients do not trim."""
    headers = {
        # clause core.options-version
        "Tus-Version": VERSION,
        "Tus-Extension": ",".join(extensions(can)),
        # clause checksum.algorithms
        "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
    }
    if max_size is not None:
        headers["Tus-Max-Size"] = str(max_size)
    return headers
