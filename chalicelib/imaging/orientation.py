"""How a picture is turned for display, and how to turn it piece by piece."""

from collections.abc import Iterator

from PIL import Image

_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPPING = {Image.Transpose.TRANSPOSE, Image.Transpose.TRANSVERSE, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270}
#: Those whose first rows come from the far end of the picture.
_FROM_THE_END = {
    Image.Transpose.ROTATE_180,
    Image.Transpose.FLIP_TOP_BOTTOM,
    Image.Transpose.ROTATE_90,
    Image.Transpose.TRANSVERSE,
}
#: Pieces of about this many pixels stay in the processor's cache.
_STRIP_PIXELS = 1 << 17


def transpose_for(orientation: int) -> Image.Transpose | None:
    """What EXIF's orientation asks for; `None` for upright and for values that mean nothing."""
    return _TRANSPOSES.get(orientation)


def displayed_size(image: Image.Image, transpose: Image.Transpose | None) -> tuple[int, int]:
    width, height = image.size
    return (height, width) if transpose in _SWAPPING else (width, height)


def strips(image: Image.Image, transpose: Image.Transpose | None, multiple: int = 1) -> Iterator[Image.Image]:
    """The picture as displayed, from top to bottom, without ever holding a turned copy of the whole.

    The heights of all but the last are multiples of `multiple`.
    """
    width, height = displayed_size(image, transpose)
    step = max(1, _STRIP_PIXELS // width // multiple) * multiple
    for top in range(0, height, step):
        bottom = min(top + step, height)
        first, last = (height - bottom, height - top) if transpose in _FROM_THE_END else (top, bottom)
        box = (first, 0, last, width) if transpose in _SWAPPING else (0, first, width, last)
        strip = image.crop(box)
        yield strip if transpose is None else strip.transpose(transpose)
