"""Makes the thumbnails: small, upright, sRGB, and without any metadata."""

import io
from collections.abc import Mapping

from PIL import Image, ImageCms

from chalicelib.imaging.picture import THUMBNAIL_SIZES, Thumbnails

#: How much larger than the largest thumbnail the cheap box reduction may leave the picture for LANCZOS.
_REDUCING_GAP = 1.5
_JPEG_QUALITY = 82
_WEBP_QUALITY = 82
#: WebP's default effort (4) costs twenty times what JPEG costs; 0 costs four times, for some more bytes.
_WEBP_METHOD = 0
_SRGB = ImageCms.createProfile("sRGB")


def make_thumbnails(image: Image.Image, transpose: Image.Transpose | None) -> Thumbnails:
    """Thumbnails of a decoded picture that is shown after `transpose`. The picture itself is left as it is."""
    small = _reduce(image, max(THUMBNAIL_SIZES))
    small = to_srgb(small, image.info.get("icc_profile"))
    if transpose is not None:
        small = small.transpose(transpose)
    if small.mode == "RGBA" and small.getextrema()[3] == (255, 255):
        small = small.convert("RGB")
    contents: dict[int, bytes] = {}
    for size in sorted(THUMBNAIL_SIZES, reverse=True):
        small = _reduce(small, size)
        contents[size] = _encode(small)
    if small.mode == "RGB":
        return Thumbnails("image/jpeg", "jpg", contents)
    return Thumbnails("image/webp", "webp", contents)


def _reduce(image: Image.Image, size: int) -> Image.Image:
    longest = max(image.size)
    if longest <= size:
        return image
    width, height = (max(1, round(side * size / longest)) for side in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP)


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """The picture as sRGB, in mode RGB or RGBA."""
    target = "RGBA" if image.has_transparency_data else "RGB"
    if profile and image.mode in {"RGB", "RGBA", "L", "CMYK"}:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return (
                ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB" if image.mode != "RGBA" else "RGBA") or image
            )
        except (ImageCms.PyCMSError, OSError):
            pass  # a profile that cannot be used is as good as none
    return image.convert(target)


def _encode(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    plain = Image.frombytes(image.mode, image.size, image.tobytes())
    if plain.mode == "RGB":
        plain.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    else:
        plain.save(buffer, "WEBP", quality=_WEBP_QUALITY, method=_WEBP_METHOD)
    return buffer.getvalue()


def by_size(thumbnails: Thumbnails) -> Mapping[int, bytes]:
    return thumbnails.contents
