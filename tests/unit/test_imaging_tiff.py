"""TIFF: every byte is accounted for; what says nothing new makes nothing new; raw files are refused as what they are."""

import io
import struct
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from chalicelib.errors import UnsupportedImageError
from tests.unit.examining import encoded, examined, noise, same
from tests.unit.sameness import assert_same, merged

_SIZE = (20, 10)
_PIXELS = noise("RGB", _SIZE).tobytes()
#: Tag, type, count, and the values as they stand in the file, or whole numbers of the type.
_Tag = tuple[int, int, int, bytes | tuple[int, ...]]
_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}
_ASCII, _SHORT, _LONG, _RATIONAL, _UNDEFINED = 2, 3, 4, 5, 7
_KNOWN = {*range(254, 350), *range(512, 533), 700, 18246, 18249, *range(32995, 32999), 33432, 33434, 33437, 33723, 34377}
_KNOWN |= {34675, *range(34850, 34871), *range(36864, 42250), 0x8769, 0x8825, 50706}


def _tiff(
    extra: Sequence[_Tag],
    *,
    order: str = "<",
    big: bool = False,
    without: tuple[int, ...] = (),
    gap: bytes = b"",
    slack: bytes = b"",
    behind: bytes = b"",
    pixels: bytes = _PIXELS,
) -> bytes:
    """A TIFF of one strip. `behind` comes last, and where it begins replaces every 0xDEADBEEF among the values."""
    given_tags: list[_Tag] = [
        (256, _LONG, 1, (_SIZE[0],)),
        (257, _LONG, 1, (_SIZE[1],)),
        (258, _SHORT, 3, (8, 8, 8)),
        (259, _SHORT, 1, (1,)),
        (262, _SHORT, 1, (2,)),
        (273, _LONG, 1, (0xFEEDFACE,)),
        (277, _SHORT, 1, (3,)),
        (278, _LONG, 1, (_SIZE[1],)),
        (279, _LONG, 1, (len(pixels) + len(slack),)),
    ]
    replaced = {tag[0] for tag in extra} | set(without)
    tags = sorted([tag for tag in given_tags if tag[0] not in replaced] + list(extra), key=lambda tag: tag[0])
    head, inline = (16, 8) if big else (8, 4)
    count, offset = ("Q", "Q") if big else ("H", "I")
    values_at = head + struct.calcsize(f"={count}") + len(tags) * (4 + 2 * inline) + inline
    rows, values = b"", b""
    for tag, kind, number, value in tags:
        data = value if isinstance(value, bytes) else struct.pack(f"{order}{len(value)}{_CODES[kind]}", *value)
        where = data.ljust(inline, b"\0") if len(data) <= inline else struct.pack(order + offset, values_at + len(values))
        values += data + bytes(len(data) & 1) if len(data) > inline else b""
        rows += struct.pack(order + "HH" + offset, tag, kind, number) + where
    strip_at = values_at + len(values) + len(gap)
    behind_at = strip_at + len(pixels) + len(slack)
    mark = b"II" if order == "<" else b"MM"
    start = mark + (struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HI", 42, 8))
    body = start + struct.pack(order + count, len(tags)) + rows + bytes(inline) + values + gap
    body = body.replace(struct.pack(order + "I", 0xFEEDFACE), struct.pack(order + "I", strip_at))
    return body.replace(struct.pack(order + "I", 0xDEADBEEF), struct.pack(order + "I", behind_at)) + pixels + slack + behind


_KINDS = {"little": {}, "big-endian": {"order": ">"}, "BigTIFF": {"big": True}}
_WHOLE = {name: _tiff([], **options) for name, options in _KINDS.items()}  # type: ignore[arg-type]  # options by their names
_kinds = pytest.mark.parametrize("name", _KINDS)


@_kinds
@settings(max_examples=20, deadline=None)
@given(tag=st.integers(1, 65535).filter(lambda tag: tag not in _KNOWN), content=st.binary(min_size=1, max_size=30))
def test_a_tag_a_gap_a_slack_and_a_tail_that_nobody_knows_count(name: str, tag: int, content: bytes) -> None:
    options = _KINDS[name]
    for one in (
        _tiff([(tag, _UNDEFINED, len(content), content)], **options),  # type: ignore[arg-type]  # options by their names
        _tiff([], gap=content + b"x", **options),  # type: ignore[arg-type]  # as above
        _tiff([], slack=content + b"x", **options),  # type: ignore[arg-type]  # as above
        _tiff([], behind=content + b"x", **options),  # type: ignore[arg-type]  # as above
        _tiff([(270, _UNDEFINED, 5, b"a\0b\0c"), (330, _LONG, 1, (0xDEADBEEF,))], behind=b"\0\0" + content, **options),  # type: ignore[arg-type]  # as above
    ):
        assert not merged(one, _WHOLE[name])


_METADATA: tuple[int, ...] = (269, 270, 271, 272, 285, 305, 306, 315, 316, 333, 337, 33432, 33434, 37510, 40091, 42036)


@_kinds
@settings(max_examples=20, deadline=None)
@given(tag=st.sampled_from(_METADATA), content=st.binary(min_size=1, max_size=30), zeros=st.integers(0, 30))
def test_known_metadata_and_zeros_do_not_count(name: str, tag: int, content: bytes, zeros: int) -> None:
    options = _KINDS[name]
    xmp = b"<x:xmpmeta>" + content.hex().encode() + b"</x:xmpmeta>"
    one = _tiff(
        [(tag, _UNDEFINED, len(content), content), (700, 1, len(xmp), xmp), (282, _RATIONAL, 1, bytes(4) + b"\1\0\0\0")],
        gap=bytes(zeros),
        slack=bytes(zeros),
        behind=bytes(zeros),
        **options,  # type: ignore[arg-type]  # options by their names
    )
    assert same(one, _WHOLE[name])
    assert same(one, encoded(noise("RGB", _SIZE), "PNG"))


def test_exif_and_gps_are_metadata_wherever_they_lie_and_what_they_leave_out_is_not() -> None:
    inner = struct.pack("<H", 1) + struct.pack("<HHI4s", 0x9000, 7, 4, b"0230") + bytes(4)
    for pointer in (0x8769, 0x8825, 0xA005):
        with_it = _tiff([(pointer, _LONG, 1, (0xDEADBEEF,))], behind=inner)
        assert same(with_it, _WHOLE["little"])
        assert not same(_tiff([(pointer, _LONG, 1, (0xDEADBEEF,))], behind=inner + b"film"), _WHOLE["little"])


@settings(max_examples=60, deadline=None)
@given(
    tag=st.sampled_from((0x8769, 0x8825, 0xA005, 0x927C, 700, 33723, 34377)),
    kind=st.sampled_from((1, 2, 3, 4, 5, 7, 9, 11, 12, 13)),
    count=st.integers(1, 9),
    value=st.binary(min_size=80, max_size=80),
)
def test_odd_metadata_never_stops_a_whole_picture(tag: int, kind: int, count: int, value: bytes) -> None:
    width = {3: 2, 4: 4, 9: 4, 11: 4, 13: 4, 5: 8, 12: 8}.get(kind, 1)
    found = examined(_tiff([(tag, kind, count, value[: width * count])]))
    assert (found.width, found.height, found.mode) == (*_SIZE, "RGB")


def test_what_says_nothing_new_makes_nothing_new() -> None:
    primaries = ((64, 100), (33, 100), (30, 100), (60, 100), (15, 100), (6, 100))

    def rationals(order: str, values: tuple[tuple[int, int], ...]) -> bytes:
        return b"".join(struct.pack(order + "II", *value) for value in values)

    for order in "<>":
        for extra in (
            [(339, _SHORT, 3, (1, 1, 1))],
            [(339, _SHORT, 1, (1,))],
            [(318, _RATIONAL, 2, rationals(order, ((3127, 10_000), (329, 1000))))],
            [(319, _RATIONAL, 6, rationals(order, primaries))],
            [
                (318, _RATIONAL, 2, rationals(order, ((1_343_000_000, 4_294_967_295), (1_413_044_223, 4_294_967_295)))),
                (319, _RATIONAL, 6, rationals(order, primaries)),
            ],
        ):
            assert_same(_tiff(extra, order=order), _WHOLE["little"])
    for extra in (
        [(318, _RATIONAL, 2, rationals("<", ((345, 1000), (358, 1000))))],
        [(319, _RATIONAL, 6, rationals("<", ((68, 100), *primaries[1:])))],
        [(319, _RATIONAL, 6, rationals("<", ((64, 0), *primaries[1:])))],
        [(301, _SHORT, 3, (1, 2, 3))],
    ):
        assert not same(_tiff(extra), _WHOLE["little"])


def test_layers_paths_depths_and_xmp_that_holds_bytes_count() -> None:
    path = b"8BIM" + struct.pack(">HHI", 0x07D0, 0, 4) + b"path"
    settings_of_print = b"8BIM" + struct.pack(">HHI", 0x03F3, 0, 4) + b"sets"
    holding = b'<rdf:Description GImage:Data="AAAA"/>'
    assert same(_tiff([(34377, 1, len(settings_of_print), settings_of_print)]), _WHOLE["little"])
    for extra in (
        (34377, 1, len(path), path),
        (34377, 1, 6, b"nought"),
        (700, 1, len(holding), holding),
        (37724, _UNDEFINED, 6, b"layers"),
        (343, _UNDEFINED, 6, b"a path"),
        (34675, _ASCII, 6, b"no icc"),
    ):
        assert not same(_tiff([extra]), _WHOLE["little"])


def test_a_second_page_and_a_directory_that_comes_twice_count() -> None:
    two = encoded(noise("RGB", _SIZE), "TIFF", save_all=True, append_images=[noise("RGB", _SIZE, 2)])
    assert examined(two).frames == 2
    assert not same(two, _WHOLE["little"])
    whole = _WHOLE["little"]
    rows = whole[10 : 10 + 12 * 9]
    doubled = whole[:8] + struct.pack("<H", 10) + rows + rows[:12] + bytes(4) + whole[122:134]
    assert not merged(doubled + _PIXELS, whole)


def test_strips_that_are_jpegs_hold_pictures_and_nothing_else() -> None:
    jpeg = io.BytesIO()
    noise("RGB", _SIZE).save(jpeg, "JPEG", subsampling=0, quality=90)
    data = jpeg.getvalue()

    def with_strip(strip: bytes) -> bytes:
        return _tiff([(259, _SHORT, 1, (7,)), (262, _SHORT, 1, (6,)), (530, _SHORT, 2, (1, 1))], pixels=strip)

    plain = with_strip(data)
    assert same(with_strip(data[:2] + b"\xff\xfe\0\6note" + data[2:]), plain)
    assert not merged(with_strip(data[:2] + b"\xff\xe5\0\6film" + data[2:]), plain)
    assert not merged(with_strip(data + b"hidden"), plain)


def _inner_picture(side: int, photometric: int = 2) -> bytes:
    tags = [(256, side), (257, side), (262, photometric)]
    return struct.pack("<H", 3) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags) + bytes(4)


@pytest.mark.parametrize(
    ("extra", "behind"),
    [
        ([(50706, 1, 4, (1, 4, 0, 0))], b""),
        ([(254, _LONG, 1, (1,)), (330, _LONG, 1, (0xDEADBEEF,))], _inner_picture(6)),
        ([(330, _LONG, 1, (0xDEADBEEF,))], _inner_picture(4000)),
        ([(330, _LONG, 1, (0xDEADBEEF,))], _inner_picture(6, 32803)),
        ([(262, _SHORT, 1, (32803,))], b""),
        ([(262, _SHORT, 1, (34892,))], b""),
    ],
)
def test_raw_files_of_cameras_are_refused_as_such(extra: list[_Tag], behind: bytes) -> None:
    with pytest.raises(UnsupportedImageError, match="raw file"):
        examined(_tiff(extra, behind=behind))


def test_smaller_copies_inside_are_taken_and_count() -> None:
    assert not same(_tiff([(330, _LONG, 1, (0xDEADBEEF,))], behind=_inner_picture(6)), _WHOLE["little"])


@pytest.mark.parametrize(
    "extra",
    [
        [(258, _SHORT, 3, (32, 32, 32)), (339, _SHORT, 3, (3, 3, 3))],
        [(258, _SHORT, 1, (16,)), (339, _SHORT, 1, (3,)), (277, _SHORT, 1, (1,)), (262, _SHORT, 1, (1,))],
        [(258, _SHORT, 1, (64,)), (339, _SHORT, 1, (3,)), (277, _SHORT, 1, (1,)), (262, _SHORT, 1, (1,))],
        [(258, _SHORT, 3, (4, 4, 4))],
        [(258, _SHORT, 1, (24,)), (277, _SHORT, 1, (1,)), (262, _SHORT, 1, (1,))],
        [(259, _SHORT, 1, (34712,))],
        [(262, _SHORT, 1, (9,))],
    ],
)
def test_kinds_that_pillow_cannot_read_are_not_called_damaged(extra: list[_Tag]) -> None:
    with pytest.raises(UnsupportedImageError, match="of a kind that is not taken"):
        examined(_tiff(extra, pixels=bytes(20 * 10 * 12)))


def test_every_layout_of_pillows_writer_is_exact() -> None:
    for mode in ("1", "L", "LA", "RGB", "RGBA", "CMYK", "I;16", "P"):
        picture = noise("RGB", _SIZE).quantize(16) if mode == "P" else noise(mode, _SIZE)
        for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
            one = encoded(picture, "TIFF", compression=compression)
            assert same(one, encoded(picture, "TIFF", compression=compression, description="words"))
    assert Image.open(io.BytesIO(_WHOLE["BigTIFF"])).size == _SIZE
