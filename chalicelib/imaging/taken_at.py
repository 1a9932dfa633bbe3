"""Times as cameras write them: a wall clock, and in newer files its offset from UTC."""

import re
from datetime import datetime

_TIME = re.compile(r"(\d{4})[:/.-](\d\d)[:/.-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)")


def parse_time(text: str | None) -> datetime | None:
    """The wall clock, without a zone, to the second; `None` for what is no time, `0000:00:00 00:00:00` among others."""
    match = _TIME.match(text or "")
    if match is None:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    try:
        return datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None


def parse_offset(text: str | None) -> str | None:
    """`±HH:MM`; `None` for what is no offset."""
    if text == "Z":
        return "+00:00"
    match = _OFFSET.fullmatch(text or "")
    if not match or int(match[2]) > 23 or int(match[3]) > 59:
        return None
    return f"{match[1]}{match[2]}:{match[3]}"
