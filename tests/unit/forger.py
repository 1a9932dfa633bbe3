"""A decoder that answers what its file holds behind the picture; for `test_decoding_answers`."""

from typing import BinaryIO

#: What divides the picture from the answer.
DIVIDER = b"\0the answer is\0"


def prepare() -> None:
    """Nothing to load."""


def work(file: BinaryIO, _: bytes) -> bytes:
    file.seek(0)
    return file.read().partition(DIVIDER)[2]
