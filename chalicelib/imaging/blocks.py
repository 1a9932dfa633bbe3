"""Accounts for every byte of a file: picture, known metadata, or more.

The walkers in `headers/` say which stretches of a file they know and as what. `account` makes a whole of it, in which nothing
is left out: what no walker named is more. So a list of what is known decides, never one of what is hidden.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from heapq import heappop, heappush
from itertools import islice, pairwise
from typing import BinaryIO

from chalicelib.model.facts import Carried

_BLOCK = 1 << 20
#: What may lie behind a picture's end and say nothing: zeros that fill a sector, the line ends of a transfer as text.
_PADDING = b"\0\r\n"
#: Parts beside a picture that are told one by one: no camera writes as many.
_MOST_CARRIED = 100


class Part(IntEnum):
    """What a byte belongs to. Where two walkers' claims overlap, the greater one holds.

    `METADATA` may differ between two files that are the same image. `PICTURE` is what the decoder turns into pixels. A byte
    of `MORE` makes only the equal file the same.
    """

    METADATA = 0
    PICTURE = 1
    MORE = 2


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """The bytes from `start` to before `end`. `kind` is the container's own name for them, or `gap` or `tail`.

    `holds` and `content_type` tell what a block of `MORE` is, where that is known: see `docs/imaging.md` for the words.
    """

    kind: str
    start: int
    end: int
    part: Part
    holds: str = "unknown"
    content_type: str = "application/octet-stream"


def account(file: BinaryIO, known: Iterable[Block], end: int, size: int, *, zero_gaps: bool = False) -> tuple[Block, ...]:
    """All bytes from 0 to `size`, in order, each in one block, given those that a walker knows; `end` is the picture's.

    Bytes that nobody named are `MORE`: a `gap` before `end`, a `tail` behind it. A tail of nothing but padding is metadata.
    So is a gap of nothing but zeros with `zero_gaps`, for containers in which writers leave such, to align what follows.
    The file is left standing where it stood.
    """
    here = file.tell()
    whole: list[Block] = []
    inside = [block if block.end <= size else replace(block, end=size) for block in known]
    for block in _without_overlaps([block for block in inside if block.start < block.end]):
        whole.extend(_unnamed(whole[-1].end if whole else 0, block.start, end))
        whole.append(block)
    whole.extend(_unnamed(whole[-1].end if whole else 0, size, end))
    idle = {"tail": _PADDING, "gap": b"\0" if zero_gaps else b""}
    judged = tuple(_judged(file, block, idle[block.kind]) if idle.get(block.kind) else block for block in whole)
    file.seek(here)
    return judged


def more(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """The blocks that are neither the picture nor known metadata."""
    return tuple(block for block in blocks if block.part is Part.MORE)


def carried(blocks: Iterable[Block]) -> tuple[Carried, ...]:
    """What a file holds besides, for people: the first of its parts that are neither picture nor known metadata."""
    found = (Carried(block.holds, block.content_type, block.start, block.end - block.start) for block in more(blocks))
    return tuple(islice(found, _MOST_CARRIED))


def _without_overlaps(blocks: Sequence[Block]) -> Iterator[Block]:
    """The same claims in order; where some overlap, the greatest part has the bytes."""
    waiting = sorted(blocks, key=lambda block: block.start, reverse=True)
    if all(block.end <= following.start for following, block in pairwise(waiting)):
        yield from reversed(waiting)
        return
    open_claims: list[tuple[int, int, Block]] = []
    held: Block | None = None
    for at, until in pairwise(sorted({edge for block in waiting for edge in (block.start, block.end)})):
        while waiting and waiting[-1].start == at:
            block = waiting.pop()
            heappush(open_claims, (-block.part, block.start, block))
        while open_claims and open_claims[0][2].end <= at:
            heappop(open_claims)
        best = open_claims[0][2] if open_claims else None
        if held and (best is None or held.kind != best.kind or held.part != best.part or held.end != at or best.start == at):
            yield held
            held = None
        if best:
            held = replace(held or best, start=held.start if held else at, end=until)
    if held:
        yield held


def _unnamed(at: int, until: int, end: int) -> Iterator[Block]:
    """The bytes from `at` to `until`, which no walker has named."""
    if at < min(until, end):
        yield Block("gap", at, min(until, end), Part.MORE)
    if max(at, end) < until:
        yield Block("tail", max(at, end), until, Part.MORE)


def _judged(file: BinaryIO, unnamed: Block, idle: bytes) -> Block:
    file.seek(unnamed.start)
    left = unnamed.end - unnamed.start
    while left:
        block = file.read(min(_BLOCK, left))
        if not block or block.strip(idle):
            return unnamed
        left -= len(block)
    return replace(unnamed, part=Part.METADATA)
