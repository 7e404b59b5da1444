import pytest
from hypothesis import given
from hypothesis import strategies as st

from tusd_py.errors import RangeNotSatisfiable
from tusd_py.protocol.ranges import Part, select_part

SIZES = st.integers(1, 2**63 - 1)
HUGE = "9" * 5000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bytes=0-0", Part(0, 1)),
        ("bytes=0-9", Part(0, 10)),
        ("bytes=2-4", Part(2, 3)),
        ("bytes=9-9", Part(9, 1)),
        ("bytes=4-", Part(4, 6)),
        ("bytes=0-", Part(0, 10)),
        ("bytes=-3", Part(7, 3)),
        ("bytes=-10", Part(0, 10)),
        ("bytes=-99", Part(0, 10)),
        ("bytes=5-99", Part(5, 5)),
        (f"bytes=5-{HUGE}", Part(5, 5)),
        (f"bytes=-{HUGE}", Part(0, 10)),
        ("bytes=002-004", Part(2, 3)),
        ("BYTES=2-4", Part(2, 3)),
        ("bytes= 2-4\t", Part(2, 3)),
        ("bytes=,2-4, ,", Part(2, 3)),
    ],
)
def test_one_range_is_a_part(value: str, expected: Part) -> None:
    assert expected == select_part(value, 10)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=,",
        "bytes=4-2",
        "bytes=a-b",
        "bytes=+1-2",
        "bytes=1_0-20",
        "bytes=1 - 2",
        "bytes=--2",
        "bytes=1-2-3",
        "bytes=\u0661-",
        "items=0-1",
        "bytes 0-1",
        "0-1",
        f"bytes={HUGE}-4",
    ],
)
def test_what_is_no_range_of_bytes_is_ignored(value: str | None) -> None:
    assert select_part(value, 10) is None


@pytest.mark.parametrize(
    "value", ["bytes=0-1,4-5", "bytes=0-1,bytes=4-5", "bytes=99-,0-1", "bytes=0-1,x"]
)
def test_several_are_answered_whole(value: str) -> None:
    assert select_part(value, 10) is None


@pytest.mark.parametrize("value", ["bytes=10-", "bytes=10-20", "bytes=-0", f"bytes={HUGE}-"])
def test_one_that_has_no_byte_is_refused_with_the_size(value: str) -> None:
    with pytest.raises(RangeNotSatisfiable) as raised:
        select_part(value, 10)

    assert 10 == raised.value.size


@pytest.mark.parametrize("value", ["bytes=0-", "bytes=-5", "bytes=0-0"])
def test_of_nothing_there_is_no_part(value: str) -> None:
    assert select_part(value, 0) is None


def test_a_part_tells_where_it_is() -> None:
    assert "bytes 2-4/10" == Part(2, 3).content_range(10)


@given(first=st.integers(0), more=st.integers(0), size=SIZES)
def test_a_part_has_the_bytes_between_and_no_others(first: int, more: int, size: int) -> None:
    wanted = f"bytes={first}-{first + more}"
    if first >= size:
        with pytest.raises(RangeNotSatisfiable):
            select_part(wanted, size)
    else:
        assert Part(first, min(more + 1, size - first)) == select_part(wanted, size)


@given(last=st.integers(1), size=SIZES)
def test_the_last_bytes_end_with_the_file(last: int, size: int) -> None:
    part = select_part(f"bytes=-{last}", size)

    assert part is not None
    assert (size, min(last, size)) == (part.start + part.count, part.count)


@given(value=st.text() | st.text("bytes=-,0123456789 \t").map("bytes=".__add__), size=SIZES)
def test_whatever_comes_stays_within_the_file(value: str, size: int) -> None:
    try:
        part = select_part(value, size)
    except RangeNotSatisfiable:
        return
    if part is not None:
        assert 0 <= part.start < part.start + part.count <= size
