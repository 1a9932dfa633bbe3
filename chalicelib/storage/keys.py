"""The names of objects, and nothing else may name one.

    incoming/<upload_id>                      what a client sent, until it has been taken in; these keys raise events
    decoded/<upload_id>                       on AWS, what was found in it, until it has been taken in; these raise events too
    originals/<storage_id>                    the exact bytes of a stored file
    thumbnails/<storage_id>/<size>.<ext>      its thumbnails
    repository-id                             says to which catalog all of them belong
    aside/<date>/<key>                        what the sweep took for orphans that day

A storage id is random, and minted anew by every attempt to take a file in: no key is ever written by two workers or shared by
two originals, so deleting one can never take another's bytes; and a key tells its reader neither whose upload it was nor when.
Ids of the release before are `<upload_id>-<claim>`; their objects keep them.
Where thumbnails are missing, a sweep on AWS puts a copy of their original under `incoming/<storage_id>`, to be decoded as if it
had just come; what is found lies in `decoded/<storage_id>`.
The last two are never listed, read or signed as objects: `is_key` knows nothing of them.
"""

import base64
import re
import secrets
from collections.abc import Iterable
from datetime import date

INCOMING = "incoming/"
DECODED = "decoded/"
ORIGINALS = "originals/"
THUMBNAILS = "thumbnails/"
#: What a store lists.
SECTIONS = (INCOMING, DECODED, ORIGINALS, THUMBNAILS)
REPOSITORY_ID = "repository-id"
ASIDE = "aside/"

_UPLOAD_ID = r"[0-9a-v]{36}"
_EARLIER_STORAGE_ID = rf"{_UPLOAD_ID}-[0-9]{{1,9}}"
_STORAGE_ID = rf"(?:[0-9a-v]{{32}}|{_EARLIER_STORAGE_ID})"
_KEY = re.compile(
    rf"incoming/(?P<upload_id>{_UPLOAD_ID})"
    rf"|(?:incoming|decoded)/(?P<subject>{_UPLOAD_ID}|{_STORAGE_ID})"
    rf"|originals/(?P<original>{_STORAGE_ID})"
    rf"|thumbnails/(?P<thumbnail>{_STORAGE_ID})/[0-9]{{1,5}}\.(?:jpg|webp)"
)


def incoming(upload_id: str) -> str:
    return INCOMING + upload_id


def decoded(subject: str) -> str:
    """Of an upload id, or of a storage id whose thumbnails are to be made again."""
    return DECODED + subject


def on_the_way(subject: str) -> list[str]:
    """Every key of what has not been taken in yet, and may go when it has been."""
    return [incoming(subject), decoded(subject)]


def original(storage_id: str) -> str:
    return ORIGINALS + storage_id


def thumbnail(storage_id: str, size: int, extension: str) -> str:
    return f"{THUMBNAILS}{storage_id}/{size}.{extension}"


def new_storage_id() -> str:
    """160 random bits in base32hex: they cannot be guessed, and a bucket spreads what begins differently."""
    return base64.b32hexencode(secrets.token_bytes(20)).decode("ascii").lower()


def names_its_upload(storage_id: str) -> bool:
    """Whether an id is one of the release before, which sort by the time of their uploads."""
    return "-" in storage_id


def all_of(storage_id: str, sizes: Iterable[int], extension: str) -> list[str]:
    """Every key of one stored file: its original and its thumbnails."""
    return [original(storage_id), *(thumbnail(storage_id, size, extension) for size in sizes)]


def aside(day: date, key: str) -> str:
    return f"{ASIDE}{day.isoformat()}/{key}"


def day_aside(text: str) -> date | None:
    """The day in a key of something set aside, or in the name of a day's folder; `None` where there is none."""
    try:
        return date.fromisoformat(text.removeprefix(ASIDE).partition("/")[0])
    except ValueError:
        return None


def is_upload_id(text: str) -> bool:
    return re.fullmatch(_UPLOAD_ID, text) is not None


def is_key(text: str) -> bool:
    """Whether `text` has the exact form of a key; anything else must never reach a file system."""
    return _KEY.fullmatch(text) is not None


def upload_of(key: str) -> str | None:
    """The upload id in an `incoming/` key; `None` for any other key or text."""
    match = _KEY.fullmatch(key)
    return match["upload_id"] if match else None


def subject_of(key: str) -> str | None:
    """What an `incoming/` or `decoded/` key is about: an upload id, or a storage id. `None` for any other key or text."""
    match = _KEY.fullmatch(key)
    return (match["upload_id"] or match["subject"]) if match else None


def storage_of(key: str) -> str | None:
    """The storage id in an `originals/` or `thumbnails/` key; `None` for any other key or text."""
    match = _KEY.fullmatch(key)
    return (match["original"] or match["thumbnail"]) if match else None
