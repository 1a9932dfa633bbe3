"""Brings what Pillow decodes to sRGB: palettes, inks, deep greys, and anything with a colour profile."""

import io
from collections.abc import Callable

from PIL import Image, ImageChops, ImageCms

from chalicelib.imaging.code_points import to_srgb_table
from chalicelib.imaging.headers.header import Header
from chalicelib.imaging.profile import is_srgb

_SRGB = ImageCms.createProfile("sRGB")
_LAB = ImageCms.createProfile("LAB")
#: What a profile calls the colours of a mode; a profile for other colours than the picture's is of no use.
_PROFILE_SPACES = {"RGB": "RGB ", "RGBA": "RGB ", "L": "GRAY", "CMYK": "CMYK"}


def plain_samples(image: Image.Image, header: Header) -> Callable[[Image.Image], Image.Image]:
    """What brings strips of the picture to a mode of 8-bit samples that can be resized: RGB, RGBA, L, LA, CMYK or LAB.

    Inks are taken as Pillow hands them over, whatever Adobe's mark says of them: so do browsers.
    """
    if image.mode.startswith("I;16"):
        # Of deep greys, pillow-heif hands over the bits from the top.
        bits = 16 if header.format == "HEIC" else header.bits
        return lambda strip: _with_key(strip, _upper_bits(strip) if bits == 16 else _stretched(strip, 0, (1 << bits) - 1))
    if image.mode in {"I", "F"}:
        darkest, lightest = (float(extreme) for extreme in image.getextrema())  # type: ignore[arg-type]  # of one channel
        return lambda strip: _stretched(strip, darkest, lightest)
    return _plain_colours


def _plain_colours(strip: Image.Image) -> Image.Image:
    if strip.mode in {"RGB", "L", "1", "P", "PA"} and strip.has_transparency_data:
        return strip.convert("RGBA")
    if strip.mode in {"P", "PA"}:
        return strip.convert("RGB")
    return strip.convert("L") if strip.mode == "1" else strip


def to_srgb(image: Image.Image, profile: bytes | None, declared: bytes) -> Image.Image:
    """A picture with plain samples as sRGB, RGBA where it has alpha and RGB where it has none.

    `declared` is what the file says about its colours outside of a profile (`Header.colour`).
    """
    target = "RGBA" if image.has_transparency_data else "RGB"
    table = to_srgb_table(declared)
    if table is not None:
        return image.convert(target).filter(table)
    if image.mode == "LAB":
        return _transformed(image, ImageCms.ImageCmsProfile(_LAB), target) or Image.merge("RGB", [image.getchannel(0)] * 3)
    if profile and not is_srgb(profile):
        grey = image.mode in {"L", "LA"}
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        except OSError:
            return image.convert(target)
        space = source.profile.xcolor_space
        if grey and space == "RGB ":
            image, grey = image.convert(target), False
        colours = image.convert("L") if image.mode == "LA" else image
        if space == _PROFILE_SPACES.get(colours.mode):
            done = _transformed(colours, source, "RGBA" if colours.mode == "RGBA" else "RGB")
            if done is not None:
                return _with_alpha_of(image, done) if image.mode == "LA" else done
    return image.convert(target)


def _transformed(image: Image.Image, source: ImageCms.ImageCmsProfile, target: str) -> Image.Image | None:
    """`None` where the profile turns out to be of no use: the colours are then taken as they are."""
    try:
        return ImageCms.profileToProfile(image, source, _SRGB, ImageCms.Intent.RELATIVE_COLORIMETRIC, target)
    except (ImageCms.PyCMSError, ValueError):
        return None


def _with_alpha_of(image: Image.Image, colours: Image.Image) -> Image.Image:
    colours.putalpha(image.getchannel("A"))
    return colours


def _stretched(strip: Image.Image, darkest: float, lightest: float) -> Image.Image:
    """Integers and floats, whose range is nowhere said, from darkest to lightest."""
    span = lightest - darkest
    if not 0 < span < float("inf"):
        return Image.new("L", strip.size)
    scale = 255 / span
    wide = strip.convert("I") if strip.mode.startswith("I;16") else strip
    return wide.convert("F").point(lambda value: value * scale - darkest * scale).convert("L")


def _upper_bits(strip: Image.Image) -> Image.Image:
    return Image.frombytes("L", strip.size, strip.tobytes()[_upper_byte(strip) :: 2])


def _upper_byte(strip: Image.Image) -> int:
    return 0 if strip.mode == "I;16B" else 1


def _with_key(strip: Image.Image, grey: Image.Image) -> Image.Image:
    """The grey, transparent where the deep samples equal the colour key, if there is one."""
    key = strip.info.get("transparency")
    if not isinstance(key, int):
        return grey
    data, upper = strip.tobytes(), _upper_byte(strip)
    differs = [
        Image.frombytes("L", strip.size, data[at::2]).point([255 * (value != wanted) for value in range(256)])
        for at, wanted in ((upper, key >> 8), (1 - upper, key & 255))
    ]
    return Image.merge("LA", (grey, ImageChops.lighter(*differs)))
