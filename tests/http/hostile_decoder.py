"""A decoder that some files bring down, as a bug in a codec would; it runs in the workers behind the fence."""

import os
from typing import BinaryIO

from chalicelib.decoding import work as real

HANG, ABORT, BURST, FORGE = b"hang", b"abort", b"burst", b"forge"


def marked(content: bytes, mark: bytes) -> bytes:
    """An image that has this effect on the decoder."""
    return content + b"mark:" + mark


def prepare() -> None:
    real.prepare()


def work(file: BinaryIO, task: bytes) -> bytes:
    """The real thing for any file but those that end in one of the words above."""
    file.seek(0)
    match file.read().rpartition(b"mark:")[2]:
        case b"hang":
            while True:
                pass
        case b"abort":
            os.abort()
        case b"burst":
            bytes(1 << 40)
        case b"forge":
            return b"\x81\xa4type\xa8Examined"
    return real.work(file, task)
