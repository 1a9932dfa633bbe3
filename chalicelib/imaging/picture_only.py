"""A view of a file in which only its picture is: what a decoder does not see cannot stop it, or be unpacked by it."""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import BinaryIO

from chalicelib.imaging.blocks import Block, Part


class PictureOnly:
    """For Pillow to read: the blocks of `file` that are the picture, one behind the other."""

    def __init__(self, file: BinaryIO, blocks: Iterable[Block]) -> None:
        self._file = file
        self._spans = [(block.start, block.end) for block in blocks if block.part is Part.PICTURE]
        #: Where each span begins in the view, and where the last one ends.
        self._begins = [0, *accumulate(end - start for start, end in self._spans)]
        self._at = 0

    def read(self, count: int = -1) -> bytes:
        left = max(0, self._begins[-1] - self._at)
        left = left if count < 0 else min(count, left)
        parts = []
        while left:
            index = bisect_right(self._begins, self._at) - 1
            start, end = self._spans[index]
            inside = self._at - self._begins[index]
            self._file.seek(start + inside)
            part = self._file.read(min(left, end - start - inside))
            if not part:
                break
            parts.append(part)
            self._at += len(part)
            left -= len(part)
        return b"".join(parts)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, self._begins[-1])[whence])
        return self._at

    def tell(self) -> int:
        return self._at
