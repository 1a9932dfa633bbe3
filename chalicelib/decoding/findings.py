"""What one process finds in a file for another to take in: data, and read as if the file had taken its finder over."""

from pathlib import Path

import msgspec

from chalicelib.decoding.answers import Examined, Forged, Refused, check_picture, check_thumbnails, refusal_from, shown
from chalicelib.errors import RepositoryError, UnavailableError
from chalicelib.imaging import headers
from chalicelib.model.pictures import Limits, Picture, Thumbnails


class Unread(msgspec.Struct, frozen=True, tag=True):
    """The finder could not read the file at all, and does not know whether it is there."""

    cause: str


class Finding(msgspec.Struct, frozen=True):
    """What was found in the file with this SHA-256."""

    sha256: bytes
    found: Examined | Refused | Unread


_encoder = msgspec.msgpack.Encoder()
_findings = msgspec.msgpack.Decoder(Finding)


def packed(sha256: bytes, found: Picture | RepositoryError) -> bytes:
    return _encoder.encode(Finding(sha256, _outcome(found)))


def picture_in(data: bytes, path: Path, sha256: bytes, limits: Limits) -> Picture | RepositoryError | None:
    """What was found in the file at `path`; `None` where the finding is about another one. Raises `Forged`."""
    found = _found(data, sha256)
    if not isinstance(found, Picture):
        return found
    with path.open("rb") as file:
        try:
            header = headers.read(file, limits)
        except RepositoryError as refusal:  # then our own code would not have found a picture in it
            raise Forged(f"the file is refused: {refusal.message}") from None
        check_picture(found, header)
    return found


def thumbnails_in(data: bytes, sha256: bytes) -> Thumbnails | RepositoryError | None:
    """The thumbnails that were made of the file with this SHA-256; `None` where they are of another one. Raises `Forged`."""
    found = _found(data, sha256)
    if not isinstance(found, Picture):
        return found
    check_thumbnails(found.thumbnails)
    return found.thumbnails


def _outcome(found: Picture | RepositoryError) -> Examined | Refused | Unread:
    if isinstance(found, Picture):
        return Examined(found)
    if isinstance(found, UnavailableError):
        return Unread(shown(found.cause or found.message))
    return Refused(found.code, shown(found.message))


def _found(data: bytes, sha256: bytes) -> Picture | RepositoryError | None:
    try:
        finding = _findings.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError, ValueError) as error:
        raise Forged(f"it cannot be read ({type(error).__name__})") from None
    if isinstance(finding.found, Unread):
        return UnavailableError("The upload cannot be decoded at the moment.", f"Decode may not read it: {finding.found.cause}")
    if finding.sha256 != sha256:
        return None
    return finding.found.picture if isinstance(finding.found, Examined) else refusal_from(finding.found)
