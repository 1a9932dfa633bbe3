"""What a file's structure says before any pixel is decoded, and the tools to read it without trusting it."""

from dataclasses import dataclass
from typing import BinaryIO

from chalicelib.errors import BadImageError
from chalicelib.imaging.blocks import Block, more

#: A real EXIF block has some tens of kilobytes, with a large maker note some hundreds.
MAX_EXIF_BYTES = 4 << 20
#: The `colour` of a JPEG whose inks are not inverted as Adobe's are; Pillow takes all as if they were.
UPRIGHT_INKS = b"upright inks"


@dataclass(frozen=True, slots=True)
class Header:
    """The claims of one file's structure.

    `width` and `height` are of the pixels as stored. `codec_pixels` is the most pixels that any coded picture in the file
    claims, whatever the container says around it. `bits` is the depth of a channel. `faithful` is whether the decoder
    hands over every bit of the picture. `blocks` accounts for every byte of the file.
    `exif` begins with a TIFF header, or is empty; `xmp` is an XMP packet, `iptc` the records of IPTC, empty where there are
    none. `orientation` overrides what EXIF says, where the format has a rotation of its own. `colour` describes a colour
    space that is declared by other means than an ICC profile, empty for sRGB.
    `plays` is how often an animation is shown, 0 for ever. `end` is where the image ends in the file. `one_pass` is whether
    the coded data come in the order of the rows, so that where they are missing, rows are missing. `colour_key` is the colour
    of a PNG that is transparent, as samples of the decoder's.

    `coding` and `scans`, the number of passes of a progressive JPEG, tell what decoding will cost. `coding` is one of
    JPEG: `grey`, `grey progressive`, `baseline`, `progressive`, `progressive 444`, `cmyk`, `cmyk progressive`;
    PNG: `1-bit`, `grey`, `palette`, `palette key`, `rgb`, `rgba`, `grey 16`; BMP: `1-bit`, `rgb`;
    TIFF: `bilevel`, `plain`, `float`, `grey 16`; AVIF: `8-bit 420`, `deep`, `444 or alpha`; HEIC: `8-bit`, `deep`.
    Empty means that it is not known, and may be the dearest.
    """

    format: str
    width: int
    height: int
    end: int
    frames: int = 1
    total_pixels: int = 0
    codec_pixels: int = 0
    bits: int = 8
    faithful: bool = True
    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    orientation: int | None = None
    colour: bytes = b""
    plays: int = 1
    one_pass: bool = False
    colour_key: int | tuple[int, ...] | None = None
    coding: str = ""
    scans: int = 1
    blocks: tuple[Block, ...] = ()

    @property
    def exact(self) -> bool:
        """Whether the pixels tell all there is in the file; where they do not, only an equal file is the same image."""
        return self.faithful and not more(self.blocks)


def truncated(what: str) -> BadImageError:
    return BadImageError(f"The {what} ends before its image does; send the whole file.")


def damaged(what: str, how: str) -> BadImageError:
    return BadImageError(f"The {what} is damaged: {how}; send an intact file.")


def take(file: BinaryIO, count: int, what: str) -> bytes:
    """Exactly `count` bytes from where the file stands. Raises `BadImageError` where it ends before."""
    data = file.read(count)
    if len(data) != count:
        raise truncated(what)
    return data


def size_of(file: BinaryIO) -> int:
    """The size of the file; leaves it standing where it is."""
    here = file.tell()
    size = file.seek(0, 2)
    file.seek(here)
    return size
