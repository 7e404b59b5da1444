import pytest

from tusd_py.auth.rights import (
    DEFAULT_RIGHTS,
    Rights,
    allows,
    beside_default,
    names_of,
    rights_named,
)

ANY_TIME = {"HEAD", "PATCH", "GET", "DELETE"}


def allowed(rights: Rights, *, finished: bool) -> set[str]:
    methods = {"OPTIONS", "POST", "PUT", "head", "DELETE-UNFINISHED", ""} | ANY_TIME
    return {method for method in methods if allows(rights, method, finished=finished)}


def test_by_default_an_upload_can_be_made_and_given_up() -> None:
    assert {"HEAD", "PATCH", "DELETE"} == allowed(DEFAULT_RIGHTS, finished=False)


def test_by_default_a_finished_upload_is_neither_downloaded_nor_removed() -> None:
    # A PATCH changes nothing any more, and tus-java-client sends an empty one.
    assert {"HEAD", "PATCH"} == allowed(DEFAULT_RIGHTS, finished=True)


@pytest.mark.parametrize("finished", [False, True])
def test_all_rights_are_four_methods(finished: bool) -> None:
    assert ANY_TIME == allowed(~Rights(0), finished=finished)


@pytest.mark.parametrize("finished", [False, True])
@pytest.mark.parametrize("method", sorted(ANY_TIME))
def test_a_right_alone_is_for_its_method_alone(method: str, finished: bool) -> None:
    assert {method} == allowed(Rights[method], finished=finished)


def test_no_right_is_for_nothing() -> None:
    assert set() == allowed(Rights(0), finished=False)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ["HEAD", "PATCH", "DELETE-UNFINISHED"]),
        (["GET"], ["HEAD", "PATCH", "GET", "DELETE-UNFINISHED"]),
        (["GET", "DELETE"], ["HEAD", "PATCH", "GET", "DELETE"]),
        (["HEAD"], ["HEAD", "PATCH", "DELETE-UNFINISHED"]),
    ],
)
def test_further_rights_come_beside_the_default(names: list[str], expected: list[str]) -> None:
    assert expected == names_of(beside_default(names))


@pytest.mark.parametrize("name", ["POST", "get", "", "GET ", "DELETE_UNFINISHED"])
def test_a_name_of_no_right_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"is none of HEAD, PATCH, GET, DELETE-UNFINISHED, DELETE"):
        rights_named([name])


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r'^"GET" stands twice\.$'):
        rights_named(["GET", "HEAD", "GET"])
