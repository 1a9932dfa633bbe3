"""What a file holds besides its picture, as it is told to people."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.imaging.blocks import Block, Part, carried
from chalicelib.model.facts import Carried

_LENGTHS = st.lists(st.tuples(st.integers(1, 9), st.sampled_from(Part)), max_size=150)


@given(_LENGTHS)
def test_every_part_that_is_more_is_told_up_to_a_hundred(lengths: list[tuple[int, Part]]) -> None:
    blocks: list[Block] = []
    for length, part in lengths:
        start = blocks[-1].end if blocks else 0
        blocks.append(Block("tail", start, start + length, part, "film", "video/mp4"))
    wanted = [Carried("film", "video/mp4", block.start, block.end - block.start) for block in blocks if block.part is Part.MORE]
    assert list(carried(blocks)) == wanted[:100]
