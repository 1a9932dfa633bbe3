"""The door of this room: everything the repository wants to know of one file, from one decoding."""

import hashlib
from pathlib import Path

from PIL import Image

from chalicelib.facts import Facts
from chalicelib.imaging.decode import opened
from chalicelib.imaging.picture import Limits, Picture, Thumbnails
from chalicelib.imaging.thumbnails import make_thumbnails

_CONTENT_TYPES = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "TIFF": "image/tiff",
    "BMP": "image/bmp",
    "AVIF": "image/avif",
    "HEIC": "image/heic",
}
_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def examine(path: Path, sha256: bytes, limits: Limits) -> Picture:
    """Decode the image file at `path` once and say what is in it.

    `sha256` is the digest of the file, its identity where the decoder cannot hand over every bit of it.
    Raises `UnsupportedImageError` or `BadImageError`.
    """
    with opened(path, limits) as (name, image):
        transpose = _TRANSPOSES.get(image.getexif().get(0x0112, 1))
        upright = image if transpose is None else image.transpose(transpose)
        if upright.mode == "P":
            upright = upright.convert("RGBA" if image.has_transparency_data else "RGB")
        digest = hashlib.sha512(upright.tobytes()).digest()
        frames = getattr(image, "n_frames", 1)
        key = b"%d %s %d %d %d " % (0, upright.mode.encode(), *upright.size, frames)
        return Picture(
            format=name,
            content_type=_CONTENT_TYPES[name],
            width=upright.width,
            height=upright.height,
            mode=upright.mode,
            frames=frames,
            pixel_sha512=digest,
            identity=hashlib.sha256(key + digest + (sha256 if frames > 1 else b"")).digest(),
            facts=Facts(),
            thumbnails=make_thumbnails(image, transpose),
        )


def remake_thumbnails(path: Path, limits: Limits) -> Thumbnails:
    """The thumbnails of the image file at `path`, as `examine` makes them. Raises what `examine` raises."""
    with opened(path, limits) as (_, image):
        return make_thumbnails(image, _TRANSPOSES.get(image.getexif().get(0x0112, 1)))
