"""Uploads to test with."""

from typing import Any

from tusd_py.protocol.upload import Kind, Upload, UploadId

CREATED_AT = 1_700_000_000.0


def an_upload(upload_id: str = "one", **facts: Any) -> Upload:  # noqa: ANN401 - any fact
    """An upload with these facts, and plausible ones beside: of 10 bytes, to be published."""
    defaults: dict[str, Any] = {
        "length": 10,
        "created_at": CREATED_AT,
        "path": f"finished/{upload_id}",
        "run": "boot/run",
    }
    return Upload(id=UploadId(upload_id), **(defaults | facts))


def a_part(upload_id: str, data: bytes, **facts: Any) -> Upload:  # noqa: ANN401 - any fact
    """A partial upload whose bytes are all there."""
    size = len(data)
    facts = {"length": size, "offset": size, "kind": Kind.PARTIAL, "path": None, **facts}
    return an_upload(upload_id, **facts)


def a_final(upload_id: str, *parts: str, **facts: Any) -> Upload:  # noqa: ANN401 - any fact
    """A final upload of these parts."""
    facts = {"kind": Kind.FINAL, "parts": tuple(UploadId(part) for part in parts), **facts}
    return an_upload(upload_id, **({"length": None} | facts))
