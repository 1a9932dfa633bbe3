"""Which files are taken, by content, and that only whole ones are."""

import contextlib
import io
import pickle
import random
import struct
import zlib
from typing import Any

import pytest
import pyvips  # type: ignore[import-untyped]  # it has no types
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from chalicelib.errors import BadImageError, RepositoryError, UnsupportedImageError
from chalicelib.imaging.headers import gif
from chalicelib.model.pictures import FORMATS, Limits
from tests.unit.examining import encoded, examined, exif_with, noise, png_chunk, png_with, raw_png, same

_KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "JPEG": ("JPEG", "image/jpeg", {"exif": exif_with(0x010F, "Maker")}),
    "progressive JPEG": ("JPEG", "image/jpeg", {"progressive": True}),
    "JPEG with restarts": ("JPEG", "image/jpeg", {"restart_marker_blocks": 2}),
    "PNG": ("PNG", "image/png", {}),
    "GIF": ("GIF", "image/gif", {}),
    "WebP": ("WEBP", "image/webp", {}),
    "lossless WebP": ("WEBP", "image/webp", {"lossless": True}),
    "TIFF": ("TIFF", "image/tiff", {}),
    "deflated TIFF": ("TIFF", "image/tiff", {"compression": "tiff_adobe_deflate"}),
    "BMP": ("BMP", "image/bmp", {}),
    "AVIF": ("AVIF", "image/avif", {}),
    "HEIC": ("HEIF", "image/heic", {}),
}
_FILES = {name: encoded(noise("RGB", (80, 70)), kind, **options) for name, (kind, _, options) in _KINDS.items()}
_ANIMATIONS = {
    f"animated {name}": encoded(
        noise("RGB", (20, 20)), name, save_all=True, append_images=[noise("RGB", (20, 20), 2)], duration=100, loop=0
    )
    for name in ("GIF", "PNG", "WEBP", "AVIF")
}
_ALL = _FILES | _ANIMATIONS


@pytest.mark.parametrize("name", _KINDS)
def test_every_format_on_the_list_is_taken(name: str) -> None:
    found = examined(_FILES[name])
    assert found.format in FORMATS
    assert found.content_type == _KINDS[name][1]
    assert (found.width, found.height, found.frames) == (80, 70, 1)
    assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own bytes: pictures cross from child processes


@pytest.mark.parametrize("name", _ALL)
@settings(max_examples=25, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_no_beginning_of_a_file_passes_for_the_file(name: str, share: float) -> None:
    whole = _ALL[name]
    cut = int(len(whole) * share)
    # A GIF need not say that it ends: behind each of its frames it may.
    assume("GIF" not in name or cut not in {frame.data[1] for frame in gif.frames(io.BytesIO(whole))})
    with pytest.raises((BadImageError, UnsupportedImageError)):
        examined(whole[:cut])


@pytest.mark.parametrize("name", _ALL)
@settings(max_examples=40, deadline=None)
@given(places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=0, max_size=6)), min_size=1, max_size=5))
def test_damage_is_refused_or_survived_and_raises_nothing_else(name: str, places: list[tuple[float, bytes]]) -> None:
    data = bytearray(_ALL[name])
    for share, replacement in places:
        at = int(len(data) * share)
        data[at : at + len(replacement) or at + 2] = replacement
    # Far below the real limits: what damage makes of a size must not slow the test down.
    with contextlib.suppress(RepositoryError):
        examined(bytes(data), Limits(max_pixels=100_000, max_frames=50, max_total_pixels=200_000))


@pytest.mark.parametrize("name", ["JPEG", "JPEG with restarts"])
@settings(max_examples=30, deadline=None)
@given(share=st.floats(0, 0.99))
def test_a_jpeg_cut_short_and_closed_again_is_not_half_grey(name: str, share: float) -> None:
    whole = _FILES[name]
    coded = whole.index(b"\xff\xda") + 14
    cut = whole[: coded + int((len(whole) - 2 - coded) * share)].rstrip(b"\xff")
    with pytest.raises(BadImageError, match="ends before"):
        examined(cut + b"\xff\xd9")


@pytest.mark.parametrize("file_format", ["HEIF", "AVIF"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_download_that_left_its_end_empty_is_not_taken(file_format: str, share: float) -> None:
    whole = encoded(noise("RGB", (320, 240)), file_format, quality=90)
    kept = whole.index(b"mdat") + 4 + int((len(whole) - whole.index(b"mdat") - 4) * share)
    with pytest.raises(BadImageError, match="ends before"):
        examined(whole[:kept] + bytes(len(whole) - kept))


def test_a_progressive_jpeg_without_its_last_passes_is_not_taken() -> None:
    whole = _FILES["progressive JPEG"]
    with pytest.raises(BadImageError, match="ends before"):
        examined(whole[: whole.rindex(b"\xff\xc4")] + b"\xff\xd9")


def test_a_jpeg_that_is_dark_or_plain_at_its_end_is_taken_whole() -> None:
    for colour in ((0, 0, 0), (255, 255, 255), (91, 163, 23)):
        assert examined(encoded(Image.new("RGB", (333, 217), colour), "JPEG")).width == 333
    assert examined(encoded(Image.new("L", (1, 1)), "JPEG")).width == 1


def test_a_png_whose_rows_or_sums_are_missing_is_not_taken() -> None:
    assert examined(raw_png(4, 4, 8, 0, b"\0aaaa" * 3 + bytes(5))).width == 4
    with pytest.raises(BadImageError, match="ends before"):
        examined(raw_png(4, 4, 8, 0, b"\0aaaa" * 3))
    whole = bytearray(_FILES["PNG"])
    whole[len(whole) // 2] ^= 1
    with pytest.raises(BadImageError, match="sum"):
        examined(bytes(whole))


def test_a_tiff_that_lacks_strips_is_not_taken() -> None:
    whole = encoded(noise("RGB", (64, 2000)), "TIFF", tiffinfo={278: 10})
    at = whole.index(struct.pack("<HH", 273, 4))
    fewer = whole[: at + 4] + struct.pack("<I", 3) + whole[at + 8 :]
    with pytest.raises(BadImageError, match="strips"):
        examined(fewer)


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<?xml version='1.0'?><svg/>",
        b"%PDF-1.7\n",
        b"<!DOCTYPE html><html></html>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"8BPS\0\1" + bytes(100),
        b"#!/bin/sh\necho\n",
        b"P6 1 1 255\nabc",
        b"BMessage of a text that begins like a bitmap",
        b"\0\0\0\x18ftypmp42" + bytes(100),
        b"\0\0\1\0\1\0" + bytes(100),
        b"RIFF\0\0\0\0WAVEfmt ",
        b"x",
    ],
)
def test_what_is_not_on_the_list_is_unsupported(data: bytes) -> None:
    with pytest.raises(UnsupportedImageError, match="send"):
        examined(data)


def test_an_empty_file_is_bad() -> None:
    with pytest.raises(BadImageError, match="empty"):
        examined(b"")


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "BMP", "WebP"])
@pytest.mark.parametrize("guest", [b"PK\x03\x04", b"<script>alert(1)</script>", b"%PDF-1.4", b"<?php system(1);"])
def test_something_else_behind_an_image_is_refused(name: str, guest: bytes) -> None:
    with pytest.raises(UnsupportedImageError, match="besides"):
        examined(_FILES[name] + guest)


def test_something_else_inside_an_image_is_refused() -> None:
    with pytest.raises(UnsupportedImageError, match="besides"):
        examined(png_with(_FILES["PNG"], png_chunk(b"tEXt", b"Comment\0<script>alert(1)</script>")))
    archive = b"PK\x05\x06" + bytes(18)
    with pytest.raises(UnsupportedImageError, match="besides"):
        examined(_FILES["JPEG"] + bytes(5000) + archive)


@pytest.mark.parametrize("words", [b'<?xml version="1.0"?><!DOCTYPE plist PUBLIC "">', b"<html><body>", b"<svg xmlns=''>"])
def test_words_in_known_metadata_make_no_page_of_a_picture(words: bytes) -> None:
    jpeg = _FILES["JPEG"]
    resource = b"Photoshop 3.0\x008BIM\x03\xe9\0\0" + struct.pack(">I", len(words)) + words + bytes(len(words) & 1)
    for segment, content in ((0xED, resource), (0xFE, words)):
        body = struct.pack(">BBH", 0xFF, segment, len(content) + 2) + content
        assert same(jpeg[:2] + body + jpeg[2:], jpeg)
    assert same(png_with(_FILES["PNG"], png_chunk(b"tEXt", b"Comment\0" + words)), _FILES["PNG"])
    with pytest.raises(UnsupportedImageError, match="besides"):
        examined(png_with(_FILES["PNG"], png_chunk(b"teXt", b"Comment\0" + words)))


def test_harmless_bytes_behind_an_image_are_let_pass() -> None:
    assert examined(_FILES["JPEG"] + bytes(100)).format == "JPEG"


def test_kinds_of_jpeg_that_nobody_decodes_are_unsupported() -> None:
    lossless = _FILES["JPEG"].replace(b"\xff\xc0", b"\xff\xc3", 1)
    with pytest.raises(UnsupportedImageError, match="baseline"):
        examined(lossless)


def _tiff(bands: int, samples: str, compression: str = "none") -> bytes:
    """A valid TIFF, written by libvips."""
    values = pyvips.Image.black(16, 12, bands=bands).cast(samples)
    return bytes(values.tiffsave_buffer(compression=compression))


def _masked_bitmap() -> bytes:
    masks = struct.pack("<3I", 0x3FF00000, 0xFFC00, 0x3FF)
    header = struct.pack("<IiiHHIIiiII", 40, 2, 2, 1, 32, 3, 16, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 14 + 40 + 12 + 16, 0, 0, 14 + 40 + 12) + header + masks + bytes(16)


_VALID = {
    **{
        f"TIFF of {bands} {samples}": _tiff(bands, samples)
        for bands in (3, 5)
        for samples in ("char", "int", "float", "double")
    },
    "TIFF of complex numbers": _tiff(1, "complex"),
    "BMP with masks of 10 bits": _masked_bitmap(),
    "JPEG sampled by fractions": _FILES["JPEG"].replace(b"\x01\x22\0\x02\x11\x01", b"\x01\x31\0\x02\x21\x01"),
}


def _refusal(data: bytes) -> RepositoryError | None:
    try:
        examined(data)
    except RepositoryError as refusal:
        return refusal
    return None


@pytest.mark.parametrize("name", _VALID)
def test_a_valid_file_is_never_called_damaged(name: str) -> None:
    refusal = _refusal(_VALID[name])
    assert refusal is None or (isinstance(refusal, UnsupportedImageError) and "of a kind that is not" in refusal.message)


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
def test_damage_is_called_so(compression: str) -> None:
    whole = bytearray(encoded(noise("RGB", (64, 48)), "TIFF", compression=compression))
    whole[2000:2300] = b"\xff\xd9" * 150
    with pytest.raises(BadImageError, match="damaged"):
        examined(bytes(whole))


@pytest.mark.parametrize("name", _KINDS)
def test_pixel_limits_hold_for_every_format(name: str) -> None:
    with pytest.raises(BadImageError, match=r"at most 5,599 are taken"):
        examined(_FILES[name], Limits(max_pixels=5599, max_frames=10, max_total_pixels=1 << 30))


@pytest.mark.parametrize("name", _ANIMATIONS)
def test_frame_limits_hold_for_every_animation(name: str) -> None:
    with pytest.raises(BadImageError, match="frames"):
        examined(_ANIMATIONS[name], Limits(max_pixels=1000, max_frames=1, max_total_pixels=1 << 30))
    with pytest.raises(BadImageError, match="together"):
        examined(_ANIMATIONS[name], Limits(max_pixels=1000, max_frames=9, max_total_pixels=799))


@pytest.mark.parametrize("name", [b"tEXt", b"zTXt", b"iTXt", b"eXIf"])
def test_text_and_facts_of_some_megabytes_do_not_keep_a_png_from_being_taken(name: bytes) -> None:
    text = bytes(value % 90 + 33 for value in random.Random(1).randbytes(3 << 20))  # noqa: S311 - only long
    content = {
        b"tEXt": b"Comment\0" + text,
        b"zTXt": b"Comment\0\0" + zlib.compress(text),
        b"iTXt": b"Comment\0\1\0\0\0" + zlib.compress(text),
        b"eXIf": exif_with(0x010F, text.decode()).removeprefix(b"Exif\0\0"),
    }[name]
    assert same(png_with(_FILES["PNG"], png_chunk(name, content)), _FILES["PNG"])


def test_a_picture_in_memory_and_one_in_a_file_are_read_alike() -> None:
    for data in _FILES.values():
        with Image.open(io.BytesIO(data)) as image:
            assert examined(data).mode == ("RGB" if image.mode == "P" else image.mode)
