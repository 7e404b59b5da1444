import pytest

from tusd_py.protocol.responses import inspection_headers, offset_headers
from tusd_py.protocol.upload import Kind, Upload
from tusd_py.testing.uploads import CREATED_AT, a_final, an_upload

DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


def test_an_append_answers_with_the_offset() -> None:
    assert offset_headers(an_upload(offset=4)) == {"Upload-Offset": "4"}


def test_an_append_to_what_expires_says_when() -> None:
    assert offset_headers(an_upload(expires_at=CREATED_AT)) == {
        "Upload-Offset": "0",
        "Upload-Expires": DATE,
    }


@pytest.mark.parametrize("headers_of", [offset_headers, inspection_headers])
def test_what_is_finished_does_not_expire(headers_of: object) -> None:
    assert callable(headers_of)
    upload = an_upload(offset=10, expires_at=CREATED_AT, finished_at=CREATED_AT)

    assert "Upload-Expires" not in headers_of(upload)


def test_an_inspection_is_never_stored() -> None:
    assert inspection_headers(an_upload())["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("upload", "expected"),
    [
        (an_upload(offset=4), {"Upload-Offset": "4", "Upload-Length": "10"}),
        (an_upload(length=0), {"Upload-Offset": "0", "Upload-Length": "0"}),
        (an_upload(length=None), {"Upload-Offset": "0", "Upload-Defer-Length": "1"}),
        (
            an_upload(metadata="a YQ==,b"),
            {"Upload-Offset": "0", "Upload-Length": "10", "Upload-Metadata": "a YQ==,b"},
        ),
        (
            an_upload(expires_at=CREATED_AT),
            {"Upload-Offset": "0", "Upload-Length": "10", "Upload-Expires": DATE},
        ),
        (
            an_upload(kind=Kind.PARTIAL, concat="partial"),
            {"Upload-Offset": "0", "Upload-Length": "10", "Upload-Concat": "partial"},
        ),
        (a_final("f", "a", concat="final;a"), {"Upload-Concat": "final;a"}),
        (
            a_final("f", "a", concat="final;a", length=10),
            {"Upload-Length": "10", "Upload-Concat": "final;a"},
        ),
        (
            a_final("f", "a", concat="final;a", length=10, offset=10, finished_at=CREATED_AT),
            {"Upload-Offset": "10", "Upload-Length": "10", "Upload-Concat": "final;a"},
        ),
    ],
)
def test_an_inspection_tells_what_is_known(upload: Upload, expected: dict[str, str]) -> None:
    assert inspection_headers(upload) == {"Cache-Control": "no-store", **expected}
