"""The one door to Pillow: opens only the formats on the list, only within the limits, and only files that are whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

import pillow_heif
from PIL import AvifImagePlugin, Image, PngImagePlugin, WebPImagePlugin

from chalicelib.errors import BadImageError
from chalicelib.imaging import bitmap, headers, packed_tiff, plain_tiff
from chalicelib.imaging.alpha_size import with_alpha_sizes
from chalicelib.imaging.decoder_errors import translated_errors
from chalicelib.imaging.gif_frames import Composed
from chalicelib.imaging.headers.header import Header
from chalicelib.imaging.headers.png_names import MAX_PROFILE_BYTES
from chalicelib.imaging.picture_only import PictureOnly
from chalicelib.imaging.polyglot import refuse_polyglot
from chalicelib.imaging.whole_jpeg import RowWatch
from chalicelib.imaging.whole_png import check_rows
from chalicelib.model.pictures import Limits

#: Bytes for each pixel of the two canvases that the decoder of WebP asks for before it looks at anything.
_WEBP_CANVASES = 8
# Importing a plugin registers it; Pillow's own start would import all of its formats.
_PLUGINS = {
    "JPEG": "JPEG",
    "PNG": PngImagePlugin.PngImageFile.format,
    "WEBP": WebPImagePlugin.WebPImageFile.format,
    "TIFF": plain_tiff.FORMAT,
    "BMP": "BMP",
    "AVIF": AvifImagePlugin.AvifImageFile.format,
    "HEIC": "HEIF",
}

pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)
# The limits are ours, come from the settings, and are checked before Pillow sees the file.
Image.MAX_IMAGE_PIXELS = None
# Of what is packed beside the pixels of a PNG, Pillow sees only the profile: see `picture_only`.
PngImagePlugin.MAX_TEXT_CHUNK = MAX_PROFILE_BYTES


@dataclass(frozen=True, slots=True)
class OpenedImage:
    """A file that is an image: what its header says, and its first frame, decoded."""

    header: Header
    image: Image.Image
    file: BinaryIO
    #: Those that Pillow does not compose itself.
    later: Composed | None = None
    #: Whether nothing is packed behind the pixels.
    snug: bool = True

    @property
    def header_by_now(self) -> Header:
        """The header, which is not faithful where something was packed behind the pixels of the frames so far."""
        snug = self.snug and (self.later is None or self.later.snug)
        return self.header if snug else replace(self.header, faithful=False)


@contextmanager
def opened(file: BinaryIO, limits: Limits) -> Iterator[OpenedImage]:
    """Raises `UnsupportedImageError` for what is not on the list, `BadImageError` for what is damaged or too large."""
    header = headers.read(file, limits)
    refuse_polyglot(file, header.end, header.blocks)
    if header.format == "GIF":
        shown = Composed(file)
        with translated_errors("GIF"):
            first = next(shown)
        yield OpenedImage(header, first, file, shown)
        return
    if header.format == "BMP":
        with translated_errors("BMP"):
            picture = bitmap.decoded(file)
        if picture is not None:
            yield OpenedImage(header, picture, file)
            return
    snug = header.format != "TIFF" or packed_tiff.is_snug(file, limits.max_frames)
    seen = _view(file, header)
    watch = RowWatch(file, header.end) if header.one_pass else None
    with translated_errors(header.format, needs=_WEBP_CANVASES * header.width * header.height):
        image = Image.open(cast(BinaryIO, watch or seen), formats=[_PLUGINS[header.format]])
        _check_opened(image, header)
    with translated_errors(header.format, image):
        if watch is not None:
            watch.load(image)
        image.load()
    if header.format == "PNG":
        snug = check_rows(seen)
    if header.colour_key is not None and "transparency" in image.info:
        image.info["transparency"] = header.colour_key
    try:
        yield OpenedImage(header, image, file, snug=snug)
    finally:
        image.close()


def frames(opened_image: OpenedImage) -> Iterator[Image.Image]:
    """Every frame in turn, decoded; each is gone when the next is asked for. Raises `BadImageError`."""
    image, header = opened_image.image, opened_image.header
    yield image
    for index in range(1, header.frames):
        with translated_errors(header.format, image):
            if opened_image.later is not None:
                image = next(opened_image.later)
            else:
                image.seek(index)
                image.load()
        yield image


def _view(file: BinaryIO, header: Header) -> BinaryIO:
    """What Pillow is handed of the file, at its beginning."""
    view = with_alpha_sizes(file) if header.format == "AVIF" else file
    view.seek(0)
    return cast(BinaryIO, PictureOnly(file, header.blocks)) if header.format == "PNG" else view


def _check_opened(image: Image.Image, header: Header) -> None:
    """What Pillow found must be what the limits were checked against."""
    profile = image.info.get("icc_profile")
    if profile and len(profile) > MAX_PROFILE_BYTES:
        raise BadImageError(f"The colour profile is larger than {MAX_PROFILE_BYTES:,} bytes; send the image without it.")
    found = image.width * image.height
    if found > max(header.width * header.height, header.codec_pixels):
        raise BadImageError("The image is damaged: its parts claim different sizes; send an intact file.")
    if header.format in {"PNG", "WEBP", "AVIF", "TIFF"} and getattr(image, "n_frames", 1) != header.frames:
        raise BadImageError("The image is damaged: it does not hold the frames that it claims; send an intact file.")
