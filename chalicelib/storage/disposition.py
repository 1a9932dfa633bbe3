"""The `Content-Disposition` header that both stores sign into their URLs."""

import re
import unicodedata
from urllib.parse import quote

from chalicelib.storage.port import Disposition

#: No file system takes these in a name, and a header must not carry them raw.
_NEVER_IN_A_NAME = re.compile(r"[\x00-\x1f\x7f-\x9f/]")
#: What a quoted string can carry for every client: no quote, no backslash, no `%` (some clients decode it there).
_NOT_IN_FALLBACK = re.compile(r"[^ !#$&-\[\]-~]")


def content_disposition(disposition: Disposition, file_name: str) -> str:
    """The header's value, pure ASCII: the exact name for clients that read RFC 8187, an ASCII likeness for the rest.

    Control characters and slashes become `_`, a lone surrogate (which no UTF-8 can carry) `?`.
    """
    name = _NEVER_IN_A_NAME.sub("_", file_name) or "file"
    exact = quote(name, safe="!#$&+-.^_`|~", errors="replace")
    return f"{disposition}; filename=\"{_ascii_likeness(name)}\"; filename*=UTF-8''{exact}"


def _ascii_likeness(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name)
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return _NOT_IN_FALLBACK.sub("_", letters)
