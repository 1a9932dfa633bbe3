"""Notices JPEGs that were cut short and closed again, which libjpeg fills up with grey without a word.

A JPEG whose coded data come in the order of its rows is decoded as the bytes arrive. So the bytes up to the mark at its end
are handed out first, then a few zeros, which a whole picture needs no bit of. If its last row has not been written by then
and is written once the decoder sees the end, the decoder has made it up.
"""

from typing import BinaryIO

from PIL import Image

from chalicelib.errors import BadImageError

_END_MARK_BYTES = 2
#: The decoder looks this many bytes ahead before it gives out the last block. More would pass for some blocks of their own.
_PADDING = bytes(8)
#: What the last row is filled with beforehand.
_UNWRITTEN = (0x5B, 0xA3, 0x17, 0xD9)


class RowWatch:
    """A file for Pillow to read: `file`, whose coded picture ends at `end`, behind its end mark."""

    def __init__(self, file: BinaryIO, end: int) -> None:
        self._file = file
        self._mark = end - _END_MARK_BYTES
        self._image: Image.Image | None = None
        self._blank = b""
        self._padded = False
        self._unwritten_at_mark = False

    def load(self, image: Image.Image) -> None:
        """Decode `image`, opened from this file. Raises `BadImageError` where its last row was made up."""
        self._image = image
        image.load()
        self._image = None
        if self._unwritten_at_mark and _last_row(image) != self._blank:
            raise BadImageError("The JPEG ends before its image does; send the whole file.")

    def read(self, count: int = -1) -> bytes:
        left = self._mark - self._file.tell()
        if self._image is None or left < 0:
            return self._file.read(count)
        if not self._blank:
            self._blank = _fill_last_row(self._image)
        if left:
            return self._file.read(left if count < 0 else min(count, left))
        if not self._padded:
            self._padded = True
            return _PADDING
        self._unwritten_at_mark = _last_row(self._image) == self._blank
        return self._file.read(count)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _fill_last_row(image: Image.Image) -> bytes:
    width, height = image.size
    ink = _UNWRITTEN[: len(image.getbands())]
    image.im.paste(ink if len(ink) > 1 else ink[0], (0, height - 1, width, height))
    return _last_row(image)


def _last_row(image: Image.Image) -> bytes:
    """The last row as it stands in memory: to ask the image itself would start its decoding anew."""
    width, height = image.size
    row = Image.new(image.mode, (width, 1))
    row.im = image.im.crop((0, height - 1, width, height))
    return row.tobytes()
