"""What commands print: text that no name can take over, and JSON lines."""

import dataclasses
import json
import os
import sys
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Any


def say(text: str) -> None:
    """To standard error, where people read along; answers go to standard output."""
    print(text, file=sys.stderr)


def printable(text: str | Path) -> str:
    """The text in one line, with what a terminal might obey, or cannot show, written as escapes."""
    raw = os.fsencode(text).decode("utf-8", "backslashreplace") if isinstance(text, Path) else text
    return "".join(_escaped(sign) if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp") else sign for sign in raw)


def size(count: float) -> str:
    """Bytes in the unit that suits."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def json_line(value: Any) -> str:
    """A dataclass or a dictionary as one line of JSON; times as in the server's contract."""
    plain = _plain(value)
    text = json.dumps(plain, ensure_ascii=False)
    # Half a surrogate pair, as in file names that are not UTF-8, can only be written as an escape.
    return text if text.isascii() or _encodable(text) else json.dumps(plain)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, Path) else value


def _encodable(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")
