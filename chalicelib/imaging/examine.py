"""The door of this room: everything the repository wants to know of one file, from one decoding."""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import BinaryIO

from PIL import ExifTags, Image

from chalicelib.imaging.blocks import carried
from chalicelib.imaging.decode import OpenedImage, frames, opened
from chalicelib.imaging.exif import Exif, read_exif
from chalicelib.imaging.fingerprint import FrameDigest, digest_frame, identity, pixel_digest
from chalicelib.imaging.iptc import iptc_times
from chalicelib.imaging.orientation import displayed_size, transpose_for
from chalicelib.imaging.profile import colour_space
from chalicelib.imaging.thumbnails import make_thumbnails
from chalicelib.imaging.xmp import xmp_times
from chalicelib.model.pictures import CONTENT_TYPES, Limits, Picture, Thumbnails


def examine(file: BinaryIO, sha256: bytes, limits: Limits) -> Picture:
    """Decode the open image file once and say what is in it.

    `sha256` is the digest of the file: its identity where the decoder cannot hand over every bit of it.
    Raises `UnsupportedImageError` for what is not on the list of formats, `BadImageError` for what is empty, damaged,
    truncated, or beyond the limits.
    """
    with opened(file, limits) as found:
        header, image = found.header, found.image
        exif = _exif(found)
        transpose = transpose_for(_orientation(found, image, exif))
        width, height = displayed_size(image, transpose)
        colour = colour_space(image.info.get("icc_profile"), header.colour)
        # The digest and the thumbnails are made side by side: hashing and resizing both let other threads run.
        with ThreadPoolExecutor(1) as beside:
            digesting = beside.submit(digest_frame, image, transpose)
            thumbnails = make_thumbnails(image, header, transpose)
            first = digesting.result()
        digests = (first, *_later_digests(found, exif))
        mode, pixels = pixel_digest(digests)
        return Picture(
            format=header.format,
            content_type=CONTENT_TYPES[header.format],
            width=width,
            height=height,
            mode=mode,
            frames=header.frames,
            pixel_sha512=pixels,
            identity=identity(found.header_by_now, colour, digests, sha256),
            facts=exif.facts(chain(xmp_times(header.xmp), iptc_times(header.iptc))),
            thumbnails=thumbnails,
            carries=carried(header.blocks),
        )


def remake_thumbnails(file: BinaryIO, limits: Limits) -> Thumbnails:
    """The thumbnails of the open image file, as `examine` makes them. Raises what `examine` raises."""
    with opened(file, limits) as found:
        return make_thumbnails(found.image, found.header, transpose_for(_orientation(found, found.image, _exif(found))))


def _later_digests(found: OpenedImage, exif: Exif) -> list[FrameDigest]:
    return [
        digest_frame(frame, transpose_for(_orientation(found, frame, exif)))
        for index, frame in enumerate(frames(found))
        if index
    ]


def _exif(found: OpenedImage) -> Exif:
    return Exif(found.file) if found.header.format == "TIFF" else read_exif(found.header.exif)


def _orientation(found: OpenedImage, frame: Image.Image, exif: Exif) -> int:
    """Pillow itself turns the pages of a TIFF, but for those whose orientation is a byte; HEIC and AVIF have a rotation of
    their own."""
    if found.header.format == "TIFF":
        left = frame.getexif().get(ExifTags.Base.Orientation)
        return left[0] if isinstance(left, bytes) and len(left) == 1 else 1
    return exif.orientation if found.header.orientation is None else found.header.orientation
