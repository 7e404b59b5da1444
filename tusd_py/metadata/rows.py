"""Between uploads and rows of the table ``uploads``."""

from typing import Any

from tusd_py.protocol.upload import Kind, Upload, UploadId

COLUMNS = (
    "id, kind, length, offset, max_length, metadata, concat, parts, subject, "
    "created_at, lifetime, expires_at, finished_at, path, run, verifying, "
    "fresh, key_id"
)
Row = tuple[Any, ...]


def from_upload(upload: Upload) -> Row:
    """The upload's values in the order of ``COLUMNS``."""
    return (
        upload.id,
        upload.kind.value,
        upload.length,
        upload.offset,
        upload.max_length,
        upload.metadata,
        upload.concat,
        " ".join(upload.parts),
        upload.subject,
        upload.created_at,
        upload.lifetime,
        upload.expires_at,
        upload.finished_at,
        upload.path,
        upload.run,
        int(upload.verifying),
        int(upload.fresh),
        upload.key_id,
    )


def to_upload(row: Row) -> Upload:
    """The upload of a row selected by ``COLUMNS``."""
    return Upload(
        id=UploadId(row[0]),
        kind=Kind(row[1]),
        length=row[2],
        offset=row[3],
        max_length=row[4],
        metadata=row[5],
        concat=row[6],
        parts=tuple(UploadId(part) for part in row[7].split()),
        subject=row[8],
        created_at=row[9],
        lifetime=row[10],
        expires_at=row[11],
        finished_at=row[12],
        path=row[13],
        run=row[14],
        verifying=bool(row[15]),
        fresh=bool(row[16]),
        key_id=row[17],
    )
