"""Sizes and durations read back as they were written."""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tusd_py.quantities import (
    GB,
    KB,
    MB,
    GiB,
    KiB,
    MiB,
    days,
    format_duration,
    format_latency,
    format_share,
    format_size,
    hours,
    parse_duration,
    parse_latency,
    parse_share,
    parse_size,
)


def is_good_or_refused_in_a_sentence(parse: Callable[[str], float], text: str) -> bool:
    try:
        return parse(text) >= 0
    except ValueError as error:
        return str(error).endswith(".") and str(error).isprintable()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("4096", 4096),
        ("4096B", 4096),
        ("5GB", 5 * 10**9),
        ("5GiB", 5 * 2**30),
        ("5gb", 5 * 10**9),
        ("5 gIb", 5 * 2**30),
        (" 512MiB ", 512 * 2**20),
        ("1.5GiB", 3 * 2**29),
        ("0.001kB", 1),
        ("2TB", 2 * 10**12),
        ("1PiB", 2**50),
    ],
)
def test_a_size_is_read(text: str, size: int) -> None:
    assert size == parse_size(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "GB",
        "5XB",
        "5G",
        "-5GB",
        "+5",
        "1_000",
        "\u0665GB",
        "5e9",
        "5..5GB",
        ".5GB",
        "0x10",
        "nan",
    ],
)
def test_what_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a size such as 5GB or 512MiB\.$"):
        parse_size(text)


def test_a_fraction_of_a_byte_is_refused() -> None:
    with pytest.raises(ValueError, match=r'^"1\.0001KB" is not a whole number of bytes\.$'):
        parse_size("1.0001KB")


@given(st.integers(min_value=0, max_value=2**63 - 1))
@example(5 * GB)
@example(64 * MiB)
def test_a_size_reads_back_as_it_was_written(size: int) -> None:
    assert size == parse_size(format_size(size))


@given(st.text())
def test_any_text_is_a_size_or_refused_in_a_sentence(text: str) -> None:
    assert is_good_or_refused_in_a_sentence(parse_size, text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("90", 90),
        ("1.5", 1.5),
        ("90s", 90),
        ("10m", 600),
        ("24h", 86400),
        ("7d", 604800),
        ("2w", 1209600),
        ("1h30m", 5400),
        ("1.5h", 5400),
        (" 1D12H ", 129600),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert seconds == parse_duration(text)


@pytest.mark.parametrize(
    "text",
    ["", "h", "5x", "-5s", "5 m", "1m1h", "5m5m", "1h 30m", "\u0665s", "inf", "1e3", "never"],
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a duration such as 90s, 1h30m or 7d\.$"):
        parse_duration(text)


@given(
    st.one_of(
        st.integers(min_value=0, max_value=2**53),
        st.floats(min_value=0.001, max_value=2**53),
    )
)
@example(days(7))
def test_a_duration_reads_back_as_it_was_written(seconds: float) -> None:
    assert seconds == parse_duration(format_duration(seconds))


@given(st.text())
def test_any_text_is_a_duration_or_refused_in_a_sentence(text: str) -> None:
    assert is_good_or_refused_in_a_sentence(parse_duration, text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (days(7), "7d"), (hours(1.5), "1h30m"), (0.25, "0.25s")]
)
def test_a_duration_is_written_as_a_person_would(seconds: float, text: str) -> None:
    assert text == format_duration(seconds)


def test_units_of_size() -> None:
    assert (1000, 10**6, 10**9) == (KB, MB, GB)
    assert (1024, 2**20, 2**30) == (KiB, MiB, GiB)


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("0.5s", 0.5), ("500", 0.5), (" 20.5 MS ", 0.0205)]
)
def test_a_short_time_is_read(text: str, seconds: float) -> None:
    assert seconds == parse_latency(text)


@pytest.mark.parametrize("text", ["", "-1", "5m", "1e3", "ms", "+5ms"])
def test_what_is_no_short_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a short time such as 500ms or 0\.5s\.$"):
        parse_latency(text)


@pytest.mark.parametrize(("text", "share"), [("5%", 0.05), ("5", 0.05), ("0.5 %", 0.005)])
def test_a_share_is_read(text: str, share: float) -> None:
    assert share == parse_share(text)


@pytest.mark.parametrize("text", ["", "-5%", "five", "5%%", "%"])
def test_what_is_no_share_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a share such as 5%\.$"):
        parse_share(text)


@given(st.integers(min_value=0, max_value=600_000))
def test_short_times_and_shares_read_back_as_they_were_written(tenths: int) -> None:
    assert tenths / 10_000 == parse_latency(format_latency(tenths / 10_000))
    assert tenths / 1000 == parse_share(format_share(tenths / 1000))
