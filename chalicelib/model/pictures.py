"""Pictures as plain values: what is taken in, how large it may be, and what decoding one yields."""

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.model.facts import Carried, Facts

#: The formats that are taken in, judged by content. MPO is JPEG; HEIC is any HEIF file whose picture is not AV1.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "HEIC")
#: What they are served as.
CONTENT_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
    "AVIF": "image/avif",
    "HEIC": "image/heic",
}
#: Content types of thumbnails by the extension of their keys.
THUMBNAIL_CONTENT_TYPES = {"jpg": "image/jpeg", "webp": "image/webp"}
#: Longest sides of the thumbnails, in pixels.
THUMBNAIL_SIZES = (256, 512, 1280)


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a picture may be, judged from its header before any pixel is decoded."""

    max_pixels: int
    max_frames: int
    max_total_pixels: int


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """Encoded thumbnails by size; all of one picture have one format."""

    content_type: str
    extension: str
    contents: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class Picture:
    """A file that is an image, decoded once.

    `width` and `height` are as displayed (orientation applied), `pixel_sha512` 64 bytes, `identity` 32 bytes: two files of
    one owner are the same image exactly when their identities are equal. `carries` is what the file holds besides: the first
    100 of such parts.
    """

    format: str
    content_type: str
    width: int
    height: int
    mode: str
    frames: int
    pixel_sha512: bytes
    identity: bytes
    facts: Facts
    thumbnails: Thumbnails
    carries: tuple[Carried, ...] = ()
