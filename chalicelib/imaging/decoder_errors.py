"""Tells what a decoder's error means: that the file is damaged, or that it is of a kind that is not taken here.

Damage is what is on these lists, or what happens to a coding that the decoder is known to take wholly. Any other error may
be about a valid file, and must not call it damaged.
"""

import re
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from chalicelib.errors import BadImageError, RepositoryError, UnsupportedImageError

#: Formats of which the header has refused the kinds that are not taken.
_TAKEN_WHOLLY = {"JPEG", "PNG", "GIF", "WEBP"}
#: What is packed in a TIFF so that libtiff unpacks it, if it is whole, by Pillow's names.
_TAKEN_PACKINGS = {
    *("raw", "tiff_ccitt", "group3", "group4", "tiff_lzw", "jpeg", "tiff_adobe_deflate", "tiff_deflate", "packbits"),
    *("tiff_raw_16", "lzma", "zstd"),
}
_DAMAGE = re.compile(
    r"truncated|checksum|corrupt|invalid input|missing or empty|end of (?:file|data)|did not give|decoding of .* failed", re.I
)
#: How decoders say that they got no memory, which is no damage.
_OUT_OF_MEMORY = re.compile(r"out of memory|insufficient memory|allocat", re.IGNORECASE)
#: What Pillow says of a WebP in either case.
_OUT_OF_MEMORY_OR_DAMAGED = re.compile(r"could not create decoder", re.IGNORECASE)
_KIND = re.compile(r"not (?:implemented|supported|available)|unsupported|no codec", re.I)


@contextmanager
def translated_errors(name: str, image: Image.Image | None = None, needs: int = 0) -> Iterator[None]:
    """Whatever a decoder raises about a file of the format `name` becomes a refusal; what it warns about is let pass.

    `image` is given where the file was opened already, `needs` is how many bytes the decoder asks for to open it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (RepositoryError, MemoryError):
        raise
    except Exception as error:  # decoders raise anything: OSError, SyntaxError, struct.error, EOFError, RuntimeError, …
        text = str(error)
        if _OUT_OF_MEMORY.search(text) or (_OUT_OF_MEMORY_OR_DAMAGED.search(text) and not _can_have(needs)):
            raise MemoryError from error
        raise _refusal(name, error, image) from error


def _can_have(count: int) -> bool:
    """Whether so many bytes are to be had; where they are not, they were not for the decoder either."""
    try:
        bytearray(count)
    except MemoryError:
        return False
    return True


def _refusal(name: str, error: Exception, image: Image.Image | None) -> RepositoryError:
    # What Pillow says of a file that it does not recognize names the file, and no reason.
    unknown = isinstance(error, UnidentifiedImageError)
    reason = "its header is not understood" if unknown else str(error).rstrip(".") or type(error).__name__
    if _is_damage(name, error, image):
        return BadImageError(f"The {name} is damaged or cut short ({reason}); send an intact file.")
    return UnsupportedImageError(f"The {name} is of a kind that is not taken ({reason}); send it as a plain PNG or JPEG.")


def _is_damage(name: str, error: Exception, image: Image.Image | None) -> bool:
    if name in _TAKEN_WHOLLY or isinstance(error, EOFError | zlib.error):
        return True
    if name == "TIFF" and image is not None:
        return image.info.get("compression") in _TAKEN_PACKINGS
    text = str(error)
    return (name == "BMP" and image is not None) or bool(_DAMAGE.search(text) and not _KIND.search(text))
