"""The one door to Pillow: opens only the listed formats, and only within the limits."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pillow_heif
from PIL import AvifImagePlugin, GifImagePlugin, Image, TiffImagePlugin, WebPImagePlugin  # noqa: F401 - registers the decoders

from chalicelib.errors import BadImageError
from chalicelib.imaging.picture import Limits
from chalicelib.imaging.sniff import SNIFFED_BYTES, sniff

# The limits are ours, from the settings, and are checked before Pillow would.
Image.MAX_IMAGE_PIXELS = None
pillow_heif.register_heif_opener()

_PLUGINS = {"HEIC": "HEIF"}


@contextmanager
def opened(path: Path, limits: Limits) -> Iterator[tuple[str, Image.Image]]:
    """The format and the first frame of the image in the file, its pixels loaded."""
    with path.open("rb") as file:
        name = sniff(file.read(SNIFFED_BYTES))
    try:
        with Image.open(path, formats=[_PLUGINS.get(name, name)]) as image:
            frames = getattr(image, "n_frames", 1)
            pixels = image.width * image.height
            if pixels > limits.max_pixels or frames > limits.max_frames or pixels * frames > limits.max_total_pixels:
                raise BadImageError("The image is larger than the limits allow.")
            image.load()
            yield name, image
    except (OSError, SyntaxError, ValueError, RuntimeError, EOFError, IndexError, KeyError, TypeError) as error:
        raise BadImageError("The image is damaged or truncated; send a whole file.") from error
