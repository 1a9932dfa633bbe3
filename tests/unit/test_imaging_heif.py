"""HEIC and AVIF: every byte is accounted for, and only pictures as cameras write them reach a decoder."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import BadImageError, UnsupportedImageError
from tests.unit.examining import encoded, examined, exif_with, noise, same
from tests.unit.heif_files import ALPHA, Item, box, coded, heif, size_property
from tests.unit.sameness import assert_same, merged

_SIZE, _TILE = (128, 96), (64, 64)
_PICTURES = {
    "HEIC": (coded(noise("RGB", _SIZE)), b"heic"),
    "HEIC with alpha": (coded(noise("RGBA", _SIZE)), b"heic"),
    "AVIF": (coded(noise("RGB", _SIZE), "AVIF"), b"avif"),
    "AVIF with alpha": (coded(noise("RGBA", _SIZE), "AVIF"), b"avif"),
}
_FILES = {name: heif(items, brand) for name, (items, brand) in _PICTURES.items()}
_BOXES = {b"ftyp", b"meta", b"mdat", b"free", b"skip", b"sefd"}
_IN_META = {b"hdlr", b"pitm", b"iloc", b"iinf", b"iref", b"iprp", b"idat", b"dinf", b"grpl", b"free", b"skip"}
_names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=4).map(str.encode)
_ITEMS = {b"hvc1", b"av01", b"grid", b"iden", b"Exif", b"mime"}


def _plain_exif() -> bytes:
    return bytes(4) + exif_with(0x010F, "Maker").removeprefix(b"Exif\0\0")


def _xmp(text: bytes) -> Item:
    return Item(b"mime", b"<x:xmpmeta>" + text + b"</x:xmpmeta>", [], [(b"cdsc", [1])], b"\0application/rdf+xml\0")


@pytest.mark.parametrize("name", _FILES)
@settings(max_examples=6, deadline=None)
@given(name_of_box=_names.filter(lambda name: name not in _BOXES), one=st.binary(max_size=40), other=st.binary(max_size=40))
def test_a_box_that_nobody_knows_makes_another_image(name: str, name_of_box: bytes, one: bytes, other: bytes) -> None:
    items, brand = _PICTURES[name]
    for place in ("before", "behind"):
        stuffed = heif(items, brand, **{place: box(name_of_box, one)})  # type: ignore[arg-type]  # names of the bytes' places
        assert not merged(stuffed, _FILES[name])
        changed = heif(items, brand, **{place: box(name_of_box, other)})  # type: ignore[arg-type]  # as above
        assert one == other or not merged(stuffed, changed)


@pytest.mark.parametrize("name", _FILES)
@settings(max_examples=6, deadline=None)
@given(name_of_box=_names, content=st.binary(min_size=1, max_size=40), kind=_names.filter(lambda name: name not in _ITEMS))
def test_boxes_items_properties_and_bytes_that_nobody_knows_make_another_image(
    name: str, name_of_box: bytes, content: bytes, kind: bytes
) -> None:
    items, brand = _PICTURES[name]
    stuffed = [
        heif([*items, Item(kind, content)], brand),
        heif([*items, Item(kind, content, references=[(b"cdsc", [1])])], brand),
        heif([*items, Item(b"mime", content, name=b"\0text/plain\0")], brand),
        heif(items, brand, properties=[box(name_of_box, content + b"x")]),
        heif(items, brand, in_data=content + b"x"),
        _FILES[name] + content + b"x",
    ]
    if name_of_box not in _IN_META:
        stuffed.append(heif(items, brand, in_meta=box(name_of_box, content)))
    for each in stuffed:
        assert not merged(each, _FILES[name])


@pytest.mark.parametrize("name", _FILES)
@settings(max_examples=6, deadline=None)
@given(filling=st.integers(0, 200), note=st.binary(max_size=100), words=st.text(st.sampled_from("ab <>&"), max_size=50))
def test_known_metadata_does_not_count(name: str, filling: int, note: bytes, words: str) -> None:
    items, brand = _PICTURES[name]
    small = coded(noise("RGB", _TILE), "AVIF" if brand == b"avif" else "HEIF")[0]
    thumbnail = Item(small.kind, small.data, small.properties, [(b"thmb", [1])])
    for other in (
        heif([*items, Item(b"Exif", _plain_exif(), references=[(b"cdsc", [1])])], brand),
        heif([*items, _xmp(words.encode())], brand),
        heif([*items, thumbnail], brand),
        heif(items, brand, before=box(b"free", bytes(filling)), behind=box(b"skip", bytes(filling))),
        heif(items, brand, before=box(b"free", b"cdif" + note)),
        heif(items, brand, properties=[box(b"free", bytes(filling))]),
        heif(items, brand, behind=box(b"uuid", bytes.fromhex("d8fec3d61b0e483c92975828877ec481") + note)),
        heif(items, brand, in_data=bytes(filling)),
        heif(items, brand, in_meta=box(b"grpl", box(b"altr", struct.pack(">IIII", 0, 9, 1, 1)))),
        _FILES[name] + bytes(filling),
    ):
        assert same(other, _FILES[name])


def test_what_libvips_shows_alike_is_one_image_with_and_without_metadata() -> None:
    for name in ("AVIF", "AVIF with alpha"):
        items, brand = _PICTURES[name]
        assert_same(_FILES[name], heif([*items, Item(b"Exif", _plain_exif()), _xmp(b"text")], brand))


def _sefd(kind: int, content: bytes) -> bytes:
    """The box of a Samsung phone with one entry."""
    entry = struct.pack("<HHI", 0, kind, 4) + b"Name" + content
    directory = b"SEFH" + struct.pack("<II", 106, 1) + struct.pack("<HHII", 0, kind, len(entry), len(entry))
    return box(b"sefd", entry + directory + struct.pack("<I", len(directory)) + b"SEFT")


def test_samsungs_dates_are_metadata_and_its_films_are_more() -> None:
    items, brand = _PICTURES["HEIC"]
    assert same(heif(items, brand, behind=_sefd(0x0A01, b"1700000000000")), _FILES["HEIC"])
    films = [heif(items, brand, behind=_sefd(0x0A30, film)) for film in (b"one film", b"other film")]
    films += [heif(items, brand, behind=box(b"mpvd", film)) for film in (b"one film", b"other film")]
    films += [heif(items, brand, behind=_sefd(0x0A01, bytes(range(256))))]
    films += [heif(items, brand, behind=box(b"free", b"cdif" + bytes(1 << 16)))]
    identities = {examined(data).identity for data in [*films, _FILES["HEIC"]]}
    assert len(identities) == len(films) + 1


def test_xmp_that_holds_bytes_hidden_pictures_and_large_thumbnails_are_more() -> None:
    items, brand = _PICTURES["HEIC"]
    small, large = coded(noise("RGB", _TILE, 3))[0], coded(noise("RGB", _SIZE, 3))[0]
    gain = box(b"auxC", bytes(4) + b"urn:com:apple:photo:2020:aux:hdrgainmap\0")
    for extra in (
        _xmp(b'<rdf:Description GDepth:Data="AAAA"/>'),
        small,
        Item(large.kind, large.data, large.properties, [(b"thmb", [1])]),
        Item(small.kind, small.data, [*small.properties, gain], [(b"auxl", [1])]),
        Item(b"tmap", b"", [size_property(*_SIZE)], [(b"dimg", [1])]),
        Item(b"jpeg", b"\xff\xd8", [size_property(8, 8)], [(b"thmb", [1])]),
    ):
        assert not same(heif([*items, extra], brand), _FILES["HEIC"])


def test_metadata_is_short() -> None:
    items, brand = _PICTURES["HEIC"]
    for size, is_known in ((100, True), (1 << 17, False)):
        text = box(b"udes", bytes(4) + b"a" * size)
        told = [Item(items[0].kind, items[0].data, [*items[0].properties, text])]
        assert merged(heif(told, brand), _FILES["HEIC"]) == is_known


@pytest.mark.parametrize("name", ["HEIC", "AVIF"])
def test_a_property_that_says_more_than_it_should_counts(name: str) -> None:
    items, brand = _PICTURES[name]
    for at, each in enumerate(items[0].properties):
        longer = [*items[0].properties]
        longer[at] = box(each[4:8], each[8:] + (b"\x7a\1x" if each[4:8] == b"av1C" else b"x"))
        if each[4:8] != b"colr":
            assert not merged(heif([Item(items[0].kind, items[0].data, longer)], brand), _FILES[name])
    strange = Item(items[0].kind, items[0].data, [*items[0].properties, box(b"abcd", b"hidden")])
    assert not merged(heif([strange], brand), _FILES[name])


def test_messages_in_coded_pictures_are_metadata_and_unknown_units_are_more() -> None:
    (item,), brand = _PICTURES["HEIC"]

    def with_unit(unit: bytes) -> bytes:
        return heif([Item(item.kind, struct.pack(">I", len(unit)) + unit + item.data, item.properties)], brand)

    assert same(with_unit(b"\x4e\1\5\x11" + b"u" * 17 + b"\x80"), _FILES["HEIC"])
    for unit in (b"\x7c\1hidden", b"\x52\1hidden", b"\x4e\1\5" + b"u" * 5000):
        assert not merged(with_unit(unit), _FILES["HEIC"])
    again = Item(item.kind, item.data + coded(noise("RGB", _SIZE, 5))[0].data, item.properties)
    assert not merged(heif([again], brand), _FILES["HEIC"])
    (item,), brand = _PICTURES["AVIF"]
    for unit, is_known in ((b"\x4a\3abc", False), (b"\x7a\3abc", False), (b"\x7a\2\0\0", True)):
        assert merged(heif([Item(item.kind, item.data + unit, item.properties)], brand), _FILES["AVIF"]) == is_known


@pytest.mark.parametrize("kind", [b"iovl", b"tmap", b"unci", b"mask", b"jpeg", b"j2k1", b"vvc1", b"avc1", b"mime", b"abcd"])
def test_a_picture_of_a_kind_that_no_camera_writes_is_not_taken(kind: bytes) -> None:
    (part,), brand = _PICTURES["HEIC"]
    size = size_property(*_SIZE)
    strange = Item(kind, part.data, [size, *part.properties], [(b"dimg", [2])])
    grid = Item(b"grid", struct.pack(">BBBBHH", 0, 0, 0, 0, *_SIZE), [size], [(b"dimg", [2])])
    alpha = Item(kind, part.data, [*part.properties, box(b"auxC", bytes(4) + ALPHA)], [(b"auxl", [1])])
    for items in ([strange, part], [grid, strange], [Item(b"iden", b"", [size], [(b"dimg", [2])]), strange], [part, alpha]):
        with pytest.raises(UnsupportedImageError, match="of a kind that is not taken"):
            examined(heif(items, brand))


def _grid(columns: int, size: tuple[int, int], parts: list[int]) -> Item:
    return Item(b"grid", struct.pack(">BBBBHH", 0, 0, 0, columns - 1, *size), [size_property(*size)], [(b"dimg", parts)])


def test_grids_and_their_copies_are_taken_where_they_fit() -> None:
    part, brand = coded(noise("RGB", _TILE))[0], b"heic"
    for size in ((128, 64), (127, 63), (65, 64)):
        found = examined(heif([_grid(2, size, [2, 2]), part], brand))
        assert (found.width, found.height) == size
    through = [Item(b"iden", b"", [size_property(128, 64)], [(b"dimg", [2])]), _grid(2, (128, 64), [3, 3]), part]
    assert examined(heif(through, brand)).width == 128


@pytest.mark.parametrize(
    "items",
    [
        [_grid(2, (128, 64), [2])],
        [_grid(2, (129, 64), [2, 2])],
        [_grid(2, (128, 64), [1, 1])],
        [Item(b"grid", b"\0\0\0", [size_property(64, 64)], [(b"dimg", [2])])],
        [Item(b"iden", b"", [size_property(64, 64)], [(b"dimg", [1])])],
        [Item(b"iden", b"", [size_property(64, 64)], [(b"dimg", [])])],
        [Item(b"grid", struct.pack(">BBBBHH", 0, 0, 0, 1, 128, 64), [size_property(64, 64)], [(b"dimg", [2, 2])])],
    ],
)
def test_grids_that_do_not_fit_never_reach_the_decoder(items: list[Item]) -> None:
    part, brand = coded(noise("RGB", _TILE))[0], b"heic"
    with pytest.raises((BadImageError, UnsupportedImageError), match=r"grid|made of|another one"):
        examined(heif([*items, part], brand))


@pytest.mark.parametrize("size", [(64, 64), (128, 64)])
def test_alpha_of_another_size_never_reaches_the_decoder(size: tuple[int, int]) -> None:
    for name in ("HEIC with alpha", "AVIF with alpha"):
        (picture, alpha), brand = _PICTURES[name]
        _, other = coded(noise("RGBA", size), "AVIF" if brand == b"avif" else "HEIF")
        with pytest.raises(UnsupportedImageError, match="alpha has another size"):
            examined(heif([picture, other], brand))
        lying = [size_property(*_SIZE) if each[4:8] == b"ispe" else each for each in other.properties]
        if size == (64, 64):
            with pytest.raises(BadImageError, match="smaller than it claims"):
                examined(heif([picture, Item(other.kind, other.data, lying, alpha.references)], brand))


@pytest.mark.parametrize("name", ["HEIC with alpha", "AVIF with alpha"])
@pytest.mark.parametrize("tail", [b"", bytes(9), box(b"free", bytes(9))])
def test_alpha_without_a_size_of_its_own_has_that_of_its_picture(name: str, tail: bytes) -> None:
    (picture, alpha), brand = _PICTURES[name]
    sizeless = Item(alpha.kind, alpha.data, [each for each in alpha.properties if each[4:8] != b"ispe"], alpha.references)
    assert same(heif([picture, sizeless], brand, behind=tail), _FILES[name])
    assert examined(heif([picture, sizeless], brand)).mode == "RGBA"


def test_an_animated_avif_is_its_frames_and_nothing_behind_them() -> None:
    frames = [noise("RGBA", (40, 30), seed) for seed in range(3)]
    options = {"save_all": True, "append_images": frames[1:], "duration": 100}
    whole = encoded(frames[0], "AVIF", **options)
    assert same(whole, encoded(frames[0], "AVIF", exif=exif_with(0x010F, "Maker"), xmp=b"<x:xmpmeta/>", **options))
    assert same(whole, whole + box(b"free", bytes(9)))
    for guest in (box(b"mdat", b"hidden"), box(b"abcd", b""), b"hidden text"):
        assert not merged(whole + guest, whole)


def test_what_hides_inside_of_a_frame_counts() -> None:
    frames = [noise("RGB", (40, 30), seed) for seed in range(3)]
    whole = encoded(frames[0], "AVIF", save_all=True, append_images=frames[1:], duration=100)
    # The last frame is the last of the file: one more unit in it needs its size, and that of `mdat`, to say so.
    at, table = whole.rindex(b"mdat") - 4, whole.rindex(b"stsz")
    for unit, is_known in ((b"\x7a\3abc", False), (b"\x7a\2\0\0", True)):
        longer = bytearray(whole + unit)
        longer[at : at + 4] = struct.pack(">I", len(whole) - at + len(unit))
        last = table + 16 + 4 * 2
        longer[last : last + 4] = struct.pack(">I", int.from_bytes(whole[last : last + 4], "big") + len(unit))
        assert same(bytes(longer), whole) == is_known
