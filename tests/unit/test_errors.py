import inspect
import re

import pytest

from tusd_py import errors
from tusd_py.errors import ProtocolError, Reject, TransferStopped, TusError

# One of each kind, with facts that must not show in the text marked as secret.
EXAMPLES: list[TusError] = [
    errors.UnsupportedVersion("0.2.2"),
    errors.InvalidHeader("Upload-Offset", "is missing"),
    errors.UnsupportedMediaType(),
    errors.OffsetMismatch(claimed=3, actual=4),
    errors.TooLarge(limit=10, what="An upload"),
    errors.UploadIsFinal(),
    errors.InvalidConcat("URL 1 in Upload-Concat is not a partial upload."),
    errors.UnknownAlgorithm(("sha1", "md5")),
    errors.ChecksumMismatch(),
    errors.NotSupported("concatenation"),
    errors.MethodNotAllowed(("GET", "HEAD")),
    errors.PreconditionFailed(),
    errors.RangeNotSatisfiable(5),
    errors.Reject(403, "No."),
    errors.NotAuthenticated(),
    errors.TokenRefused(errors.Refusal.EXPIRED, "secret"),
    errors.GrantUsed("secret", "secret"),
    errors.QuotaExceeded(10),
    errors.SubjectBusy(unfinished=True),
    errors.NotGranted(errors.Uncovered.LENGTH, "secret"),
    errors.UploadNotFound("secret"),
    errors.LockTimeout("secret"),
    errors.TooManyUploads(),
    errors.TransferStopped("cut"),
    errors.CallableFailed("secret"),
    errors.HookUnavailable("secret"),
    errors.StorageError(),
    errors.StorageFull(),
    errors.StorageDamaged("secret", recorded=5, stored=3),
    errors.MetadataError(),
    errors.UploadExists("secret"),
    errors.MetadataUnavailable(),
    errors.SchemaTooNew(found=2, known=1),
    errors.ConfigError(["One is wrong.", "Two is wrong."]),
]
CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, TusError)
]
BASES = {TusError, ProtocolError, errors.AccessRefused, errors.OverLimit}
STATUSES = {
    "UnsupportedVersion": 412,
    "InvalidHeader": 400,
    "UnsupportedMediaType": 415,
    "OffsetMismatch": 409,
    "TooLarge": 413,
    "UploadIsFinal": 403,
    "InvalidConcat": 400,
    "UnknownAlgorithm": 400,
    "ChecksumMismatch": 460,
    "NotSupported": 501,
    "MethodNotAllowed": 405,
    "PreconditionFailed": 412,
    "RangeNotSatisfiable": 416,
}


def of_each(error: TusError) -> str:
    return type(error).__name__


def test_there_is_an_example_of_each() -> None:
    assert {type(error) for error in EXAMPLES} == set(CLASSES) - BASES


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = re.findall(r"[├└]── (\w+)", inspect.getdoc(errors) or "")

    assert set(drawn) == {class_.__name__ for class_ in CLASSES} - {"TusError"}


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in EXAMPLES]

    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes)


@pytest.mark.parametrize("error", EXAMPLES, ids=of_each)
def test_the_text_is_a_plain_sentence(error: TusError) -> None:
    text = str(error)

    assert text.endswith(".")
    assert text[0].isupper() or text.startswith("URL")
    assert "secret" not in text


def test_an_error_of_the_protocol_owns_its_status() -> None:
    found = {
        type(error).__name__: error.status for error in EXAMPLES if isinstance(error, ProtocolError)
    }

    assert found == STATUSES


def test_a_mismatch_tells_both_offsets() -> None:
    error = errors.OffsetMismatch(claimed=3, actual=4)

    assert (error.claimed, error.actual) == (3, 4)
    assert str(error) == "The upload's offset is 4, not 3."


@pytest.mark.parametrize("status", [400, 403, 599])
def test_a_rejection_has_an_error_status(status: int) -> None:
    assert Reject(status).status == status


@pytest.mark.parametrize("status", [0, 200, 399, 600])
def test_a_rejection_with_another_status_is_a_mistake(status: int) -> None:
    with pytest.raises(ValueError, match="between 400 and 599"):
        Reject(status)


def test_a_rejection_has_a_reason_in_any_case() -> None:
    assert str(Reject(403)) == "The application refused the request."
    assert str(Reject(403, "No.")) == "No."
    assert Reject(429, headers={"Retry-After": "5"}).headers == {"Retry-After": "5"}
    assert Reject().headers == {}


@pytest.mark.parametrize("reason", ["cut", "idle", "revoked", "shutdown"])
def test_a_transfer_stops_for_a_reason(reason: str) -> None:
    error = TransferStopped(reason)

    assert (error.reason, str(error)) == (reason, TransferStopped.TEXTS[reason])


@pytest.mark.parametrize("reason", errors.Refusal)
def test_a_token_is_refused_for_a_reason(reason: errors.Refusal) -> None:
    error = errors.TokenRefused(reason, "k1")

    assert (error.reason, error.key_id) == (reason, "k1")
    assert str(error) == errors.TokenRefused.TEXTS[reason]


def test_settings_are_wrong_for_all_their_reasons() -> None:
    error = errors.ConfigError(["One is wrong.", "Two is wrong."])

    assert error.problems == ("One is wrong.", "Two is wrong.")
    assert str(error) == "One is wrong.\nTwo is wrong."
