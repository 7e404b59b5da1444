"""Sizes in bytes and times in seconds, as people write them."""

import re
from pathlib import Path

KB, MB, GB = 10**3, 10**6, 10**9
KiB, MiB, GiB = 2**10, 2**20, 2**30


def hours(count: float) -> float:
    """Hours, in seconds."""
    return count * 3600.0


def days(count: float) -> float:
    """Days, in seconds."""
    return count * 86400.0


SIZE_UNITS: dict[str, int] = {
    "": 1,
    "b": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate("kmgtp", 1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgtp", 1)},
}
DURATION_UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}

_NUMBER = r"([0-9]{1,20})(?:\.([0-9]{1,20}))?"
_SIZE = re.compile(rf"{_NUMBER} ?([a-z]*)")
_PLAIN_NUMBER = re.compile(_NUMBER)
_DURATION_PART = re.compile(rf"{_NUMBER}([wdhms])")
_LATENCY = re.compile(rf"{_NUMBER} ?(ms|s)?")
_PERCENT = re.compile(rf"{_NUMBER} ?%?")
_DURATION = re.compile(rf"(?:{_DURATION_PART.pattern})+")


def parse_size(text: str) -> int:
    """Read a size such as ``5GB`` (5 * 10**9), ``1.5GiB`` (1.5 * 2**30) or ``4096``, in bytes.

    Raises:
        ValueError: It is none; the text is a sentence for the person who wrote it.
    """
    match = _SIZE.fullmatch(text.strip().lower())
    if match is None or match[3] not in SIZE_UNITS:
        raise ValueError(f"{shown(text)} is not a size such as 5GB or 512MiB.")
    numerator, denominator = _ratio(match[1], match[2])
    size, rest = divmod(numerator * SIZE_UNITS[match[3]], denominator)
    if rest:
        raise ValueError(f"{shown(text)} is not a whole number of bytes.")
    return size


def format_size(size: int) -> str:
    """Write a size so that ``parse_size`` reads it, in the largest unit that divides it."""
    for unit, factor in (("GiB", GiB), ("GB", GB), ("MiB", MiB), ("MB", MB), ("KiB", KiB)):
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)


def parse_duration(text: str) -> float:
    """Read a duration such as ``24h``, ``1h30m``, ``7d`` or ``90`` (seconds), in seconds.

    Raises:
        ValueError: It is none; the text is a sentence for the person who wrote it.
    """
    wanted = text.strip().lower()
    if _PLAIN_NUMBER.fullmatch(wanted):
        wanted += "s"
    parts = _DURATION_PART.findall(wanted)
    units = [unit for *_, unit in parts]
    # 5m1h and 5m5m are more likely slips than meant.
    in_order = units == [unit for unit in DURATION_UNITS if unit in units]
    if not _DURATION.fullmatch(wanted) or not in_order:
        raise ValueError(f"{shown(text)} is not a duration such as 90s, 1h30m or 7d.")
    return sum(_seconds(whole, fraction, unit) for whole, fraction, unit in parts)


def format_duration(seconds: float) -> str:
    """Write a duration so that ``parse_duration`` reads it."""
    if not float(seconds).is_integer():
        return f"{seconds!r}s"
    written, rest = "", int(seconds)
    for unit in "dhms":
        count, rest = divmod(rest, DURATION_UNITS[unit])
        written += f"{count}{unit}" if count else ""
    return written or "0s"


def parse_latency(text: str) -> float:
    """Read a short time such as ``500ms``, ``0.5s`` or ``500`` (milliseconds), in seconds.

    Raises:
        ValueError: It is none; the text is a sentence for the person who wrote it.
    """
    match = _LATENCY.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(f"{shown(text)} is not a short time such as 500ms or 0.5s.")
    numerator, denominator = _ratio(match[1], match[2])
    return numerator / (denominator * (1 if match[3] == "s" else 1000))


def format_latency(seconds: float) -> str:
    """Write a short time in milliseconds, so that ``parse_latency`` reads it."""
    return f"{seconds * 1000:.1f}".removesuffix(".0") + "ms"


def parse_share(text: str) -> float:
    """Read a share such as ``5%``, or ``5`` for the same, from 0 to 1.

    Raises:
        ValueError: It is none; the text is a sentence for the person who wrote it.
    """
    match = _PERCENT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{shown(text)} is not a share such as 5%.")
    numerator, denominator = _ratio(match[1], match[2])
    return numerator / (denominator * 100)


def format_share(share: float) -> str:
    """Write a share in percent, so that ``parse_share`` reads it."""
    return f"{share * 100:.1f}".removesuffix(".0") + "%"


def shown(value: object) -> str:
    """Show a value in a sentence: text in quotes, with nothing in it that moves a cursor."""
    if isinstance(value, str | Path):
        text = str(value)
        return f'"{text}"' if text.isprintable() else repr(text)
    return repr(value).removesuffix(".0")


def _ratio(whole: str, fraction: str | None) -> tuple[int, int]:
    digits = fraction or ""
    return int(whole + digits), 10 ** len(digits)


def _seconds(whole: str, fraction: str | None, unit: str) -> float:
    # Dividing whole numbers rounds once, so that what was formatted reads back the same.
    numerator, denominator = _ratio(whole, fraction)
    return numerator * DURATION_UNITS[unit] / denominator
