"""Animated GIFs show what browsers show: composed frame by frame as libvips composes them."""

import io
from dataclasses import dataclass, replace

from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from chalicelib.imaging.gif_frames import Composed
from tests.unit.examining import encoded, examined, same
from tests.unit.gifs import COLOURS, GREYS, NETSCAPE, control, frame, gif, indices
from tests.unit.sameness import assert_apart, assert_same, merged, pages, shows_the_same

_SIDE = 4


@dataclass(frozen=True)
class Step:
    """One frame: where it stands, how large, and what becomes of it."""

    seed: int
    left: int
    top: int
    width: int
    height: int
    disposal: int
    transparent: int | None
    palette: bytes

    def blocks(self) -> bytes:
        picture = indices(self.seed, (min(self.width, _SIDE - self.left), min(self.height, _SIDE - self.top)))
        return control(self.disposal, self.transparent) + frame(picture, self.left, self.top, self.palette)


_steps = st.builds(
    Step,
    seed=st.integers(0, 99),
    left=st.integers(0, _SIDE - 1),
    top=st.integers(0, _SIDE - 1),
    width=st.integers(1, _SIDE),
    height=st.integers(1, _SIDE),
    disposal=st.integers(0, 3),
    transparent=st.none() | st.integers(0, 3),
    palette=st.sampled_from([b"", COLOURS[::-1], GREYS]),
    # Where such a frame has no transparent colour, libvips clears to the background's, as no browser does.
).filter(lambda step: step.disposal != 2 or step.transparent is not None)


def _seen(image: Image.Image) -> bytes:
    """RGBA, black where nothing is seen."""
    whole = image.convert("RGBA")
    return Image.composite(whole, Image.new("RGBA", whole.size), whole.getchannel("A")).tobytes()


def _animation(steps: list[Step], palette: bytes = COLOURS) -> bytes:
    """The last frame has a transparent colour: without any, libvips leaves the alpha of the canvas away."""
    return gif(NETSCAPE, *(step.blocks() for step in steps), control(1, 0), frame(indices(0, (1, 1))), palette=palette)


@settings(max_examples=120, deadline=None)
@given(st.lists(_steps, min_size=1, max_size=5), st.sampled_from([COLOURS, GREYS]))
def test_every_frame_shows_what_libvips_shows(steps: list[Step], palette: bytes) -> None:
    data = _animation(steps, palette)
    assert [_seen(image) for image in Composed(io.BytesIO(data))] == pages(data)


@settings(max_examples=80, deadline=None)
@given(st.lists(_steps, min_size=2, max_size=3), st.integers(0, 3), st.integers(0, 9), st.none() | st.integers(0, 3))
@example([Step(1, 0, 0, 4, 4, 1, None, b""), Step(2, 1, 1, 2, 2, 1, None, b""), Step(3, 0, 0, 1, 1, 1, None, b"")], 3, 2, None)
def test_two_animations_are_the_same_only_where_every_frame_is(
    steps: list[Step], disposal: int, seed: int, transparent: int | None
) -> None:
    transparent = 1 if disposal == 2 and transparent is None else transparent
    changed = replace(steps[0], seed=seed, disposal=disposal, transparent=transparent)
    one, other = _animation(steps), _animation([changed, *steps[1:]])
    assert pages(one) == pages(other) or not same(one, other)


def test_what_a_frame_clears_is_transparent_whatever_its_colours() -> None:
    whole, part = frame(indices(1)), frame(indices(2, (2, 2)))
    cleared = gif(NETSCAPE, control(2) + whole, control(0) + part)
    second = Image.new("RGBA", (4, 4))
    second.paste(_coloured(indices(2, (2, 2))))
    assert [_seen(image) for image in Composed(io.BytesIO(cleared))] == [_seen(_coloured(indices(1))), _seen(second)]


def test_colours_that_no_palette_has_are_merged_with_none() -> None:
    picture = indices(2)
    odd = picture.copy()
    odd.putpixel((1, 1), 131)
    assert not same(gif(frame(picture)), gif(frame(odd)))
    assert not same(gif(NETSCAPE, frame(picture), frame(picture)), gif(NETSCAPE, frame(picture), frame(odd)))


def test_what_a_first_frame_leaves_open_is_transparent() -> None:
    small = gif(frame(indices(1, (2, 3)), 1, 1))
    whole = Image.new("RGBA", (4, 4))
    whole.paste(_coloured(indices(1, (2, 3))), (1, 1))
    assert same(small, encoded(whole, "PNG"))
    assert examined(small).thumbnails.content_type == "image/webp"


def test_a_grey_palette_has_transparency_too() -> None:
    picture = indices(1)
    plain, open_ = (gif(control(0, key) + frame(picture), palette=GREYS) for key in (None, 2))
    assert not same(plain, open_)
    assert same(open_, encoded(picture, "PNG", transparency=2))
    assert examined(open_).thumbnails.content_type == "image/webp"


def _coloured(picture: Image.Image) -> Image.Image:
    coloured = picture.copy()
    coloured.putpalette(COLOURS)
    return coloured.convert("RGBA")


def test_a_gif_that_lacks_its_last_byte_is_whole() -> None:
    still, animated = gif(frame(indices(1))), gif(NETSCAPE, frame(indices(1)), frame(indices(2)))
    for whole in (still, animated):
        assert same(whole[:-1], whole)


def _extension(label: int, *parts: bytes) -> bytes:
    return bytes((0x21, label)) + b"".join(bytes((len(part),)) + part for part in parts) + b"\0"


_FRAMES = control(0, 1) + frame(indices(1)), control(0) + frame(indices(2))
_PLAIN = gif(NETSCAPE, *_FRAMES)
_TEXTS = st.binary(min_size=1, max_size=30)


@settings(max_examples=40, deadline=None)
@given(_TEXTS, st.integers(0, 2))
def test_known_metadata_may_differ(text: bytes, place: int) -> None:
    for block in (
        _extension(0xFE, text),
        _extension(0xFF, b"ImageMagick", text),
        _extension(0xFF, b"XMP DataXMP", text.hex().encode()),
    ):
        blocks = [NETSCAPE, *_FRAMES]
        assert_same(_PLAIN, gif(*blocks[:place], block, *blocks[place:]))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 255), st.binary(min_size=11, max_size=11), _TEXTS, st.integers(0, 2))
def test_no_unknown_block_is_merged_away(label: int, name: bytes, text: bytes, place: int) -> None:
    label = label if label not in {0xFE, 0xF9} else 0x01
    blocks = [NETSCAPE, *_FRAMES]
    other = gif(*blocks[:place], _extension(label, name, text), *blocks[place:])
    assert examined(other).frames == 2
    assert_apart(_PLAIN, other)


def test_what_is_known_is_so_only_in_its_form() -> None:
    for block in (
        _extension(0xF9, b"\0\0\0\0", b"hidden"),
        _extension(0xF9, b"\0\0\0\0hidden"),
        _extension(0xFF, b"NETSCAPE2.0", b"\1\0\0", b"hidden"),
        _extension(0xFF, b"XMP DataXMP", b"<x GDepth:Data='QUJD'/>"),
        _extension(0xFF, b"ICCRGBG1012", b"a profile"),
    ):
        assert_apart(_PLAIN, gif(NETSCAPE, block, *_FRAMES))


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=60))
def test_no_tail_but_padding_is_merged_away(tail: bytes) -> None:
    assert merged(_PLAIN, _PLAIN + tail) == (not tail.strip(b"\0\r\n"))


@settings(max_examples=150, deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_one_altered_byte_is_never_merged_away(share: float, flips: int) -> None:
    rich = gif(NETSCAPE, _extension(0xFE, b"a comment"), *_FRAMES)
    at = int(len(rich) * share)
    altered = rich[:at] + bytes((rich[at] ^ flips,)) + rich[at + 1 :]
    assert not merged(rich, altered) or shows_the_same(rich, altered)
    unlisted = gif(NETSCAPE, _extension(0x01, bytes(12), b"plain text"), *_FRAMES)
    altered = unlisted[:at] + bytes((unlisted[at] ^ flips,)) + unlisted[at + 1 :]
    assert not merged(unlisted, altered)
