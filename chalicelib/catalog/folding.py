"""The one rule by which texts are compared without regard to case, and sorted.

It is applied in Python and its result compared as bytes, so that no two engines' collations can disagree.
"""

import unicodedata

#: Longest key in bytes: 255 characters of four bytes. MariaDB sorts by no more than 1,024.
FOLDED_BYTES = 1020


def fold(text: str) -> bytes:
    """The whole text as it is compared: composed, without case, UTF-8."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    # Lone surrogates cannot be stored anywhere, so letting them pass only makes them match nothing.
    return folded.encode("utf-8", "surrogatepass")


def folded(text: str) -> bytes:
    """The text as it is stored in a `…_key` column and compared with one."""
    return fold(text)[:FOLDED_BYTES]
