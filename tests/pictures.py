"""Pictures that tests make for themselves: small, distinct, and with the metadata a test asks for."""

import io
import random
from typing import Any

import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()

#: How each format of the repository's list is written by Pillow.
WRITERS = {
    "JPEG": "JPEG",
    "PNG": "PNG",
    "GIF": "GIF",
    "WEBP": "WEBP",
    "TIFF": "TIFF",
    "BMP": "BMP",
    "AVIF": "AVIF",
    "HEIC": "HEIF",
}

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825


def image(seed: int = 0, width: int = 24, height: int = 16) -> Image.Image:
    """A colour picture whose pixels follow from the seed, smooth enough for every codec."""
    dice = random.Random(seed)  # noqa: S311 - pictures, no secrets
    corners = bytes(dice.randrange(256) for _ in range(2 * 2 * 3))
    return Image.frombytes("RGB", (2, 2), corners).resize((width, height), Image.Resampling.BILINEAR)


def encoded(picture: Image.Image, file_format: str = "PNG", **options: Any) -> bytes:
    """The picture as a file of one of the repository's formats."""
    file = io.BytesIO()
    picture.save(file, WRITERS[file_format], **options)
    return file.getvalue()


def png(seed: int = 0, width: int = 24, height: int = 16) -> bytes:
    return encoded(image(seed, width, height))


def photo(seed: int = 0, width: int = 64, height: int = 48) -> bytes:
    """A JPEG with what a camera writes: maker, exposure, time and place."""
    return encoded(image(seed, width, height), "JPEG", quality=90, exif=camera_exif())


def camera_exif() -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "NIKON", "COOLPIX P6000"
    exif.get_ifd(_EXIF_IFD).update(
        {
            0x829A: 0.004,  # ExposureTime
            0x829D: 7.1,  # FNumber
            0x8827: 100,  # ISOSpeedRatings
            0x9003: "2008:10:22 16:28:39",  # DateTimeOriginal
            0x920A: 18.0,  # FocalLength
        }
    )
    exif.get_ifd(_GPS_IFD).update(
        {1: "N", 2: (43.0, 28.0, 2.81), 3: "E", 4: (11.0, 53.0, 6.46)}  # latitude and longitude, in degrees, minutes, seconds
    )
    return exif


def truncated_jpeg() -> bytes:
    whole = encoded(image(1, 640, 480), "JPEG")
    return whole[: len(whole) // 2]
