"""The name a file is kept under: what the client called it, without any folder."""

import re
import unicodedata

from chalicelib.errors import BadRequestError

MAX_LENGTH = 255

# C0, C1 and DEL, the line and paragraph separators, and half a surrogate pair: none can be shown or sent in a header.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def clean_name(text: str) -> str:
    """The last component of the path a client gave, in NFC. Raises `BadRequestError` where that is no usable name.

    A sent path is never followed: RFC 7578, section 4.2, has the receiver drop it.
    """
    component = re.split(r"[/\\]", text)[-1]
    if _UNPRINTABLE.search(component):
        raise BadRequestError("The file name holds control characters: use printable characters only.")
    name = unicodedata.normalize("NFC", component).strip()
    if name in ("", ".", ".."):
        raise BadRequestError("The file name is empty: name the file, for example photo.jpg.")
    if len(name) > MAX_LENGTH:
        raise BadRequestError(f"The file name has {len(name)} characters: use at most {MAX_LENGTH}.")
    return name
