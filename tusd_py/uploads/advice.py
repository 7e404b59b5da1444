"""How large the requests for an upload had better be; nobody has to follow."""

from tusd_py.network.advice import LEAST, advise
from tusd_py.protocol.rules import smaller
from tusd_py.protocol.upload import Kind, Upload

from .engine import Engine
from .link import FindLink


def advised_chunk_size(engine: Engine, link: FindLink, upload: Upload) -> int | None:
    """Recommend a size in bytes for the next requests of an upload.

    Returns:
        None if the rest may as well come at once.
    """
    # Small ones are many, and are not to be looked at for long.
    small = upload.length is not None and upload.length <= LEAST
    if small or upload.finished or upload.kind is Kind.FINAL:
        return None
    most = smaller(upload.max_length, engine.config.max_size)
    return chunk_size(engine, link, upload.length, most=most, offset=upload.offset)


def chunk_size(
    engine: Engine,
    link: FindLink | None,
    length: int | None,
    *,
    most: int | None = None,
    offset: int = 0,
) -> int | None:
    """Recommend a size in bytes for the requests of a file.

    Args:
        engine: The shared parts.
        link: Tells who sends it; None if that cannot be told.
        length: Of the file; None if it is not known.
        most: The most bytes that it may have.
        offset: What has arrived of it.

    Returns:
        None if what is missing may as well come at once, or nobody wants to know.
    """
    settings = engine.config.streaming
    limit = smaller(length, most)
    left = None if limit is None else limit - offset
    if not settings.intelligent_chunking or (left is not None and left <= LEAST):
        return None
    profile = kind = None
    if link is not None and settings.chunk_adaptation_algorithm == "fixed":
        interface = link().interface(engine.monitor)
        kind = None if interface is None else interface.kind
    elif link is not None and engine.clients is not None:
        key = link().key
        profile = None if key is None else engine.clients.find(key)
    chunk = advise(settings.chunk_adaptation_algorithm, profile, kind, length, most)
    return None if left is not None and left <= chunk else chunk
