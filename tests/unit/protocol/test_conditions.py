import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusd_py.errors import PreconditionFailed
from tusd_py.protocol.conditions import Validators, not_modified, range_applies
from tusd_py.protocol.headers import format_date

NOW = 1_800_000_000
CURRENT = Validators('"now"', NOW)
DATELESS = Validators('"now"', None)
THEN, LATER = format_date(NOW - 1), format_date(NOW + 1)
SAME = format_date(NOW)

HOLDS, FAILS = "holds", "fails"
MATCH = {None: None, '"now"': HOLDS, "*": HOLDS, '"old"': FAILS}
UNMODIFIED = {None: None, LATER: HOLDS, SAME: HOLDS, THEN: FAILS}
NONE_MATCH = {None: None, '"old"': HOLDS, '"now"': FAILS, "*": FAILS}
MODIFIED = {None: None, THEN: HOLDS, SAME: FAILS, LATER: FAILS}


def judged(headers: dict[str, str], current: Validators = CURRENT) -> int:
    try:
        return 304 if not_modified(headers, current) else 200
    except PreconditionFailed as error:
        return error.status


def expected(
    match: str | None, unmodified: str | None, none_match: str | None, modified: str | None
) -> int:
    """The steps of RFC 9110, 13.2.2, as they stand there."""
    first = MATCH[match] or UNMODIFIED[unmodified]
    if first == FAILS:
        return 412
    second = NONE_MATCH[none_match] or MODIFIED[modified]
    return 304 if second == FAILS else 200


@pytest.mark.parametrize("match", MATCH)
@pytest.mark.parametrize("unmodified", UNMODIFIED)
@pytest.mark.parametrize("none_match", NONE_MATCH)
@pytest.mark.parametrize("modified", MODIFIED)
def test_conditions_are_judged_in_the_order_of_the_standard(
    match: str | None, unmodified: str | None, none_match: str | None, modified: str | None
) -> None:
    sent = {
        "if-match": match,
        "if-unmodified-since": unmodified,
        "if-none-match": none_match,
        "if-modified-since": modified,
    }
    headers = {name: value for name, value in sent.items() if value is not None}

    assert expected(match, unmodified, none_match, modified) == judged(headers)


@pytest.mark.parametrize(
    "tags", ['"now"', 'W/"now"', '"old", "now"', '"old","now"', 'W/"old" , W/"now"', '"a,b","now"']
)
def test_a_client_that_has_it_is_not_sent_it(tags: str) -> None:
    assert 304 == judged({"if-none-match": tags})


@pytest.mark.parametrize(
    "tags", ["", "now", '"old"', '"now', '"NOW"', 'w/"no"', '"old now"', '"*"']
)
def test_a_client_that_has_another_is_sent_it(tags: str) -> None:
    assert 200 == judged({"if-none-match": tags})


@pytest.mark.parametrize("tags", ['W/"now"', '"old"', "", "now", '"now'])
def test_who_wants_another_gets_none(tags: str) -> None:
    assert 412 == judged({"if-match": tags})


@pytest.mark.parametrize("name", ["if-modified-since", "if-unmodified-since"])
@pytest.mark.parametrize("value", ["", "yesterday", f"{THEN}, {THEN}"])
def test_what_is_no_date_is_no_condition(name: str, value: str) -> None:
    assert 200 == judged({name: value})


@pytest.mark.parametrize("name", ["if-modified-since", "if-unmodified-since"])
def test_where_there_is_no_date_dates_are_no_condition(name: str) -> None:
    assert 200 == judged({name: LATER}, DATELESS)
    assert 200 == judged({name: THEN}, DATELESS)


@pytest.mark.parametrize("value", [None, '"now"', SAME])
def test_a_part_of_the_same_is_wanted(value: str | None) -> None:
    assert range_applies({} if value is None else {"if-range": value}, CURRENT)


@pytest.mark.parametrize("value", ["", '"old"', 'W/"now"', '"now", "old"', "*", THEN, LATER])
def test_of_another_all_is_wanted(value: str) -> None:
    assert not range_applies({"if-range": value}, CURRENT)
    assert not range_applies({"if-range": value}, DATELESS)


@given(st.dictionaries(st.sampled_from(["if-match", "if-none-match", "if-range"]), st.text()))
def test_whatever_comes_is_judged(headers: dict[str, str]) -> None:
    assert judged(headers) in (200, 304, 412)
    assert range_applies(headers, CURRENT) in (True, False)
