"""Times as cameras and programs write them: a wall clock, and in newer files its offset from UTC."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

#: The day, and behind it a time or nothing: EXIF fills what is not known with blanks.
_TIME = re.compile(
    r"(\d{4})[:/.-](\d{1,2})[:/.-](\d{1,2})"
    r"(?:[ T]+(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?\s*(Z|[+-]\d\d:?\d\d)?|[ :]*$)",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)
_FRACTION = re.compile(r"\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Taken:
    """When a picture was taken, as one tag tells it: a naive wall clock, `±HH:MM` if known, and the tag's name."""

    when: datetime
    offset: str | None
    source: str


def parse_time(text: str | None, source: str, offset: str | None = None, fraction: str | None = None) -> Taken | None:
    """`offset` and `fraction` are what tags of their own say of the zone and the part of the second.

    A day without a time counts from its midnight. `None` for what is no time, `0000:00:00 00:00:00` among others.
    """
    match = _TIME.match(text or "")
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        # Phones that count the hours of a day from 1 write 24:12 for twelve past midnight of the same day.
        hour = 0 if hour == 24 else hour
        when = datetime(year, month, day, hour, minute, min(second, 59), _microseconds(match[7] or fraction))
        if second == 60:  # a leap second
            when += timedelta(seconds=1)
    except (ValueError, OverflowError):
        return None
    return Taken(when, parse_offset(offset) or parse_offset(match[8]), source) if second <= 60 else None


def parse_offset(text: str | None) -> str | None:
    """`±HH:MM`; `None` for what is no offset."""
    if text == "Z":
        return "+00:00"
    match = _OFFSET.fullmatch(text or "")
    if not match or int(match[2]) > 23 or int(match[3]) > 59:
        return None
    return f"{match[1]}{match[2]}:{match[3]}"


def _microseconds(fraction: str | None) -> int:
    """From the digits behind the decimal point."""
    match = _FRACTION.match((fraction or "").strip())
    return int(match[0][:6].ljust(6, "0")) if match else 0
