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
    """One line to standard error, where people read along; answers go to standard output."""
    print(printable(text), file=sys.stderr)


def tell(*lines: str) -> None:
    """Lines of an answer to standard output. No terminal obeys them, whatever server or file their words came from."""
    for line in lines:
        print(printable(line))


def printable(text: str | Path) -> str:
    """The text in one line, with what a terminal might obey, or cannot show, written as escapes."""
    raw = os.fsencode(text).decode("utf-8", "backslashreplace") if isinstance(text, Path) else text
    return "".join(_escaped(sign) if _obeyed(sign) else sign for sign in raw)


def size(count: float) -> str:
    """Bytes in the unit that suits."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" or count >= 10 else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def json_line(value: Any) -> str:
    """A dataclass or a dictionary as one line of JSON; times as in the server's contract."""
    text = json.dumps(_plain(value), ensure_ascii=False)
    # JSON leaves what a terminal may obey beyond ASCII, and half a surrogate pair, as in file names that are not UTF-8.
    safe = "".join(json.dumps(sign)[1:-1] if _obeyed(sign) else sign for sign in text)
    return safe if safe.isascii() or _encodable(safe) else json.dumps(json.loads(safe))


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


def _obeyed(sign: str) -> bool:
    """Whether a terminal may do something at this sign other than showing it."""
    return unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _encodable(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _escaped(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")
