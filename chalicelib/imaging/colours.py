"""Brings what Pillow decodes to sRGB: palettes, inks, deep greys, and anything with a colour profile."""

import io

from PIL import Image, ImageChops, ImageCms

from chalicelib.imaging.headers.header import UPRIGHT_INKS, Header
from chalicelib.imaging.profile import is_srgb

_SRGB = ImageCms.createProfile("sRGB")
_OPAQUE = 255
_LAB = ImageCms.createProfile("LAB")
#: What a profile calls the colours of a mode; a profile for other colours than the picture's is of no use.
_PROFILE_SPACES = {"RGB": "RGB ", "RGBA": "RGB ", "L": "GRAY", "CMYK": "CMYK"}


def with_plain_samples(image: Image.Image, header: Header) -> Image.Image:
    """The picture in a mode of 8-bit samples that can be resized: RGB, RGBA, L, LA, CMYK or LAB.

    It is the picture itself wherever it can be.
    """
    if image.mode == "CMYK" and header.colour == UPRIGHT_INKS:
        return ImageChops.invert(image)
    if image.mode in {"I", "F"} or image.mode.startswith("I;16"):
        grey = _deep_grey(image, header.bits)
        return grey if header.key is None else Image.merge("LA", (grey, _outside(image, header.key)))
    if image.mode in {"RGB", "L", "1", "P", "PA"} and image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode in {"P", "PA"}:
        return image.convert("RGB")
    return image.convert("L") if image.mode == "1" else image


def to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A picture with plain samples as sRGB, RGBA where it has alpha and RGB where it has none."""
    target = "RGBA" if image.has_transparency_data else "RGB"
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


def _outside(image: Image.Image, key: int | tuple[int, ...]) -> Image.Image:
    """The alpha of 16-bit greys of which one is transparent."""
    return image.convert("I").point([_OPAQUE * (value != key) for value in range(1 << 16)], "L")


def _deep_grey(image: Image.Image, bits: int) -> Image.Image:
    """16-bit greys by their most significant bits; wider integers and floats, whose range is nowhere said, from darkest to
    lightest."""
    if image.mode.startswith("I;16"):
        darkest, lightest = 0.0, float((1 << bits) - 1)
        wide = image.convert("I")
    else:
        wide = image
        extremes = image.getextrema()
        darkest, lightest = float(extremes[0]), float(extremes[1])  # type: ignore[arg-type]  # these modes have one channel
    span = lightest - darkest
    if not 0 < span < float("inf"):
        return Image.new("L", image.size)
    scale = 255 / span
    return wide.convert("F").point(lambda value: value * scale - darkest * scale).convert("L")
