"""What a webhook answers is checked like anything that comes from outside."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusd_py.hooks.verdict import BadAnswer, Verdict, read_verdict

JSON = "application/json"


def read(answer: Any) -> Verdict:  # noqa: ANN401 - whatever a hook answers
    return read_verdict(JSON, json.dumps(answer).encode())


@pytest.mark.parametrize("answer", [{}, None, {"HTTPResponse": None}, {"Unknown": [1]}])
def test_it_may_say_nothing(answer: object) -> None:
    verdict = read(answer)

    assert Verdict() == verdict
    assert (None, None) == (verdict.reply(), verdict.changes())


def test_everything_that_it_may_say() -> None:
    verdict = read(
        {
            "HTTPResponse": {
                "StatusCode": 422,
                "Body": '{"message":"n\u00f6"}',
                "Header": {"Content-Type": JSON, "X-Why": "closed"},
            },
            "RejectUpload": True,
            "RejectTermination": True,
            "RejectAccess": True,
            "StopUpload": True,
            "ChangeFileInfo": {
                "ID": "chosen",
                "MetaData": {"filename": "b\u00e4.txt"},
                "Storage": {"Path": "./folder/b.txt"},
            },
        }
    )

    assert (
        Verdict(
            status=422,
            headers={"Content-Type": JSON, "X-Why": "closed"},
            body='{"message":"n\u00f6"}'.encode(),
            reject=frozenset(("rejectupload", "rejecttermination", "rejectaccess")),
            stop=True,
            id="chosen",
            metadata={"filename": "b\u00e4.txt".encode()},
            path="folder/b.txt",
        )
        == verdict
    )


def test_names_are_found_in_any_case_as_by_tusd() -> None:
    assert read({"rejectUpload": True}).reject
    assert 403 == read({"httpresponse": {"statuscode": 403}}).status


def test_zeros_say_nothing_as_with_tusd() -> None:
    zeros = {
        "HTTPResponse": {"StatusCode": 0, "Body": "", "Header": {}},
        "RejectUpload": False,
        "ChangeFileInfo": {"ID": "", "MetaData": None, "Storage": {}},
        "StopUpload": False,
    }
    assert Verdict() == read(zeros)


def test_no_metadata_is_not_the_same_as_the_clients() -> None:
    assert {} == read({"ChangeFileInfo": {"MetaData": {}}}).metadata


def test_a_refusal_has_the_status_of_tusd_by_default() -> None:
    refusal = read({"RejectUpload": True}).refusal()

    assert (400, {}, None) == (refusal.status, refusal.headers, refusal.body)


@pytest.mark.parametrize("status", [200, 302, 399, 600, -1, 10**30])
def test_a_refusal_needs_the_status_of_one(status: int) -> None:
    verdict = read({"RejectUpload": True, "HTTPResponse": {"StatusCode": status}})

    with pytest.raises(BadAnswer):
        verdict.refusal()


@pytest.mark.parametrize("status", [100, 199, 300, 400, 500, -1])
def test_what_is_not_refused_has_no_status_of_a_refusal(status: int) -> None:
    verdict = read({"HTTPResponse": {"StatusCode": status}})

    with pytest.raises(BadAnswer):
        verdict.changes()


@pytest.mark.parametrize("name", ["Location", "upload-offset", "Tus-Resumable", "UPLOAD-LENGTH"])
def test_the_protocols_headers_are_not_the_hooks_to_say(name: str) -> None:
    assert {"X-Own": "1"} == read({"HTTPResponse": {"Header": {name: "1", "X-Own": "1"}}}).headers


@pytest.mark.parametrize(
    "headers",
    [
        {"X-A": "1\r\nX-Evil: 1"},
        {"X-A": "1\n"},
        {"X-A": "\N{SNOWMAN}"},
        {"X-A\r\nX-Evil": "1"},
        {"X A": "1"},
        {"": "1"},
        {"Connection": "close"},
        {"transfer-encoding": "chunked"},
        {"Content-Length": "5"},
        {"Upgrade": "h2c"},
        {"X-A": 1},
        {"X-A": ["1"]},
        ["X-A"],
        "X-A",
    ],
)
def test_headers_that_cannot_be_sent_on_make_it_no_answer(headers: object) -> None:
    with pytest.raises(BadAnswer):
        read({"HTTPResponse": {"Header": headers}})


@pytest.mark.parametrize(
    "answer",
    [
        [],
        "yes",
        5,
        True,
        {"HTTPResponse": []},
        {"HTTPResponse": {"StatusCode": "400"}},
        {"HTTPResponse": {"StatusCode": 400.0}},
        {"HTTPResponse": {"StatusCode": True}},
        {"HTTPResponse": {"Body": {"a": 1}}},
        {"HTTPResponse": {"Body": "\ud800"}},
        {"RejectUpload": "false"},
        {"RejectUpload": 1},
        {"StopUpload": "yes"},
        {"ChangeFileInfo": "id"},
        {"ChangeFileInfo": {"ID": 5}},
        {"ChangeFileInfo": {"MetaData": {"a": 5}}},
        {"ChangeFileInfo": {"MetaData": {"a": "\udfff"}}},
        {"ChangeFileInfo": {"Storage": "path"}},
        {"ChangeFileInfo": {"Storage": {"Path": None}}},
    ],
)
def test_wrong_types_make_it_no_answer(answer: object) -> None:
    with pytest.raises(BadAnswer):
        read(answer)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"<html>", b"[" * 5000, b'{"a": ' * 800, b"\xff\xfe", b"9" * 5000],
    ids=["empty", "half", "html", "lists", "objects", "bytes", "number"],
)
def test_what_is_no_json_is_no_answer(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_verdict(JSON, body)


@pytest.mark.parametrize("kind", [None, "", "text/html", "text/json", "application/jsonp"])
def test_another_type_is_no_answer(kind: str | None) -> None:
    with pytest.raises(BadAnswer):
        read_verdict(kind, b"{}")


@pytest.mark.parametrize("kind", [JSON, "Application/JSON; charset=utf-8", " application/json ;"])
def test_the_type_may_have_parameters(kind: str) -> None:
    assert Verdict() == read_verdict(kind, b"{}")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["HTTPResponse", "StatusCode", "Header", "Body", "ChangeFileInfo", "ID", "MetaData"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(values)
def test_anything_is_an_answer_or_a_bad_one(answer: object) -> None:
    try:
        verdict = read(answer)
        verdict.refusal()
        verdict.changes()
    except BadAnswer:
        return
