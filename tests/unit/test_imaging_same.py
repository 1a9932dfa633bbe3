"""Which files are the same image: never merge what differs, always merge what is the same."""

import hashlib
import io
import random
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, ImageOps

from tests.unit.examining import encoded, examined, exif_with, noise, png_chunk, png_with, raw_png, same

_LOSSLESS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "RGB": [
        ("PNG", {}),
        ("PNG", {"compress_level": 0}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
        ("WEBP", {"lossless": True}),
    ],
    "RGBA": [("PNG", {}), ("TIFF", {}), ("TIFF", {"compression": "packbits"}), ("WEBP", {"lossless": True, "exact": True})],
    "L": [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("GIF", {}), ("WEBP", {"lossless": True})],
    "LA": [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True, "exact": True})],
    "1": [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("TIFF", {"compression": "group4"}), ("GIF", {})],
    "I;16": [("PNG", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"})],
    "P": [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("GIF", {})],
}
_EQUIVALENTS = {"RGB": "RGBA", "L": "RGB", "1": "L", "P": "RGB", "LA": "RGBA"}


def _picture(mode: str, size: tuple[int, int], seed: int) -> Image.Image:
    return noise("RGB", size, seed).quantize(16) if mode == "P" else noise(mode, size, seed)


_pictures = st.builds(
    lambda mode, width, height, seed: (mode, _picture(mode, (width, height), seed)),
    st.sampled_from(sorted(_LOSSLESS)),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(0, 1 << 30),
)


@settings(max_examples=60, deadline=None)
@given(_pictures, st.randoms(use_true_random=False), st.integers(1, 8))
def test_lossless_copies_are_the_same_and_one_changed_sample_is_not(
    given_picture: tuple[str, Image.Image], rng: random.Random, orientation: int
) -> None:
    mode, picture = given_picture
    (one, with_one), (other, with_other) = rng.choice(_LOSSLESS[mode]), rng.choice(_LOSSLESS[mode])
    original = examined(encoded(picture, one, **with_one))
    assert examined(encoded(picture, other, **with_other)).identity == original.identity

    if mode in _EQUIVALENTS:
        assert examined(encoded(picture.convert(_EQUIVALENTS[mode]), "PNG")).identity == original.identity

    changed = picture.convert("RGB") if mode == "P" else picture.copy()
    x, y = rng.randrange(picture.width), rng.randrange(picture.height)
    old = changed.getpixel((x, y))
    assert old is not None
    changed.putpixel((x, y), (old[0] ^ 1, *old[1:]) if isinstance(old, tuple) else int(old) ^ (255 if mode == "1" else 1))
    assert examined(encoded(changed, "PNG")).identity != original.identity

    if mode in {"RGB", "RGBA", "L", "P"}:
        tagged = encoded(picture, "PNG", exif=exif_with(0x0112, orientation))
        baked = ImageOps.exif_transpose(Image.open(io.BytesIO(tagged)))
        assert same(tagged, encoded(baked, rng.choice(_LOSSLESS[mode])[0], lossless=True, exact=True))
        assert same(tagged, encoded(picture, "PNG")) == (picture.tobytes() == baked.tobytes() and picture.size == baked.size)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "1", "I;16"])
def test_the_digest_of_a_plain_still_is_that_of_its_bytes(mode: str) -> None:
    picture = noise(mode)
    found = examined(encoded(picture, "PNG"))
    assert found.pixel_sha512 == hashlib.sha512(picture.tobytes()).digest()
    assert found.mode == mode


def test_the_digest_of_a_photograph_is_that_of_pillows_bytes() -> None:
    data = encoded(noise("RGB", (300, 200)), "JPEG")
    with Image.open(io.BytesIO(data)) as image:
        assert examined(data).pixel_sha512 == hashlib.sha512(image.tobytes()).digest()


def test_palettes_with_equal_indices_and_other_colours_differ() -> None:
    indices = noise("L").point(lambda value: value % 4)
    pictures = []
    for colours in ([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255], [9, 9, 9, 255, 0, 0, 0, 255, 0, 0, 0, 255]):
        picture = Image.frombytes("P", indices.size, indices.tobytes())
        picture.putpalette(colours)
        pictures.append(encoded(picture, "PNG"))
    assert not same(*pictures)


def test_equal_bytes_in_another_geometry_differ() -> None:
    assert not same(
        encoded(noise("RGB", (1, 4)), "PNG"), encoded(Image.frombytes("RGB", (2, 2), noise("RGB", (1, 4)).tobytes()), "PNG")
    )


def test_eight_and_sixteen_bits_differ() -> None:
    grey = noise("L")
    wide = Image.frombytes("I;16", grey.size, b"".join(bytes((value, value)) for value in grey.tobytes()))
    assert not same(encoded(grey, "PNG"), encoded(wide, "PNG"))


def _deep_png(colour_type: int, samples: int, low: int) -> bytes:
    row = b"\0" + bytes((200, low)) * samples * 3
    return raw_png(3, 2, 16, colour_type, row * 2)


@pytest.mark.parametrize(("colour_type", "samples"), [(2, 3), (6, 4), (4, 2)])
def test_sixteen_bit_colours_are_the_same_only_in_an_equal_file(colour_type: int, samples: int) -> None:
    assert not same(_deep_png(colour_type, samples, 1), _deep_png(colour_type, samples, 2))
    assert same(_deep_png(colour_type, samples, 1), _deep_png(colour_type, samples, 1))


def test_a_colour_key_is_alpha() -> None:
    picture = noise("RGB")
    key = picture.getpixel((0, 0))
    keyed = encoded(picture, "PNG", transparency=key)
    assert not same(keyed, encoded(picture, "PNG"))
    with Image.open(io.BytesIO(keyed)) as image:
        assert same(keyed, encoded(image.convert("RGBA"), "PNG"))


def test_other_alpha_differs_and_opaque_alpha_is_none() -> None:
    picture = noise("RGB").convert("RGBA")
    pierced = picture.copy()
    pierced.putpixel((3, 3), (*pierced.getpixel((3, 3))[:3], 254))  # type: ignore[index]  # a tuple, in this mode
    assert same(encoded(picture, "PNG"), encoded(picture.convert("RGB"), "PNG"))
    assert not same(encoded(picture, "PNG"), encoded(pierced, "PNG"))


def test_inks_with_and_without_adobes_mark_differ() -> None:
    data = encoded(noise("CMYK"), "JPEG", quality=95)
    at = data.index(b"\xff\xeeadobe".replace(b"adobe", b"\0\x0eAdobe"))
    assert not same(data, data[:at] + data[at + 16 :])


def test_inks_and_inverted_inks_differ() -> None:
    assert not same(encoded(noise("CMYK"), "TIFF"), encoded(ImageChops.invert(noise("CMYK")), "TIFF"))


def _frames() -> list[Image.Image]:
    return [noise("RGB", seed=seed).quantize(8) for seed in range(3)]


def _animated(file_format: str, frames: list[Image.Image], durations: list[int], **options: Any) -> bytes:
    if file_format != "GIF":
        frames = [frame.convert("RGB") for frame in frames]
    timing = {} if file_format == "TIFF" else {"duration": durations, "loop": 0, **options}
    return encoded(frames[0], file_format, save_all=True, append_images=frames[1:], **timing)


@pytest.mark.parametrize("file_format", ["GIF", "PNG", "WEBP", "AVIF", "TIFF"])
def test_later_frames_and_timing_tell_animations_apart(file_format: str) -> None:
    first, second, third = _frames()
    options = {"lossless": True} if file_format == "WEBP" else {}
    usual = _animated(file_format, [first, second, third], [100, 200, 300], **options)
    swapped = _animated(file_format, [first, third, second], [100, 200, 300], **options)
    assert examined(usual).frames == 3
    assert not same(usual, swapped)
    assert not same(usual, _animated(file_format, [first, second], [100, 200], **options))
    if file_format != "TIFF":
        assert not same(usual, _animated(file_format, [first, second, third], [100, 200, 310], **options))


def test_an_animation_is_the_same_in_every_lossless_format() -> None:
    gif, png = (_animated(name, _frames(), [100, 200, 300]) for name in ("GIF", "PNG"))
    assert same(gif, png)
    assert same(gif, _animated("WEBP", _frames(), [100, 200, 300], lossless=True))
    assert not same(gif, encoded(_frames()[0], "GIF"))


def test_an_animation_that_stops_is_not_one_that_goes_on() -> None:
    assert not same(_animated("GIF", _frames(), [100] * 3), _animated("GIF", _frames(), [100] * 3, loop=2))


def test_a_picture_that_stands_apart_from_the_animation_is_not_one_of_its_frames() -> None:
    frames = [frame.convert("RGB") for frame in _frames()]
    within, apart = (
        encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=apart) for apart in (False, True)
    )
    assert examined(within).frames == examined(apart).frames == 3
    assert not same(within, apart)


def test_exif_edited_added_or_stripped_does_not_count() -> None:
    picture = noise("RGB", (64, 48))
    bare = encoded(picture, "JPEG")
    assert same(bare, encoded(picture, "JPEG", exif=exif_with(0x010F, "Somebody")))
    assert same(encoded(picture, "PNG", exif=exif_with(0x010F, "Somebody")), encoded(picture, "PNG", exif=exif_with(0xA001, 1)))
    assert same(encoded(picture, "AVIF"), encoded(picture, "AVIF", exif=exif_with(0x010F, "Somebody")))
    assert same(encoded(picture, "HEIF"), encoded(picture, "HEIF", exif=exif_with(0x010F, "Somebody")))


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "AVIF", "HEIF"])
def test_another_orientation_tag_differs_and_is_applied_once(file_format: str, orientation: int) -> None:
    picture = noise("RGB", (128, 96))
    turned = encoded(picture, file_format, exif=exif_with(0x0112, orientation))
    assert not same(encoded(picture, file_format), turned)
    found = examined(turned)
    with Image.open(io.BytesIO(turned)) as image:
        upright = ImageOps.exif_transpose(image)
    assert (found.width, found.height) == upright.size
    assert found.pixel_sha512 == hashlib.sha512(upright.tobytes()).digest()


def test_hidden_secondary_pictures_make_only_the_equal_file_the_same() -> None:
    first, second, third = (noise("RGB", (40, 30), seed) for seed in range(3))
    one, other = (encoded(first, "MPO", save_all=True, append_images=[hidden]) for hidden in (second, third))
    assert not same(one, other)
    assert not same(one, encoded(first, "JPEG"))
    assert not same(encoded(first, "JPEG"), encoded(first, "JPEG") + encoded(second, "JPEG"))
    found = examined(one)
    assert (found.format, found.content_type, found.frames) == ("JPEG", "image/jpeg", 1)


def test_several_pictures_in_a_heic_make_only_the_equal_file_the_same() -> None:
    first, second, third = (noise("RGB", (64, 64), seed) for seed in range(3))
    one, other = (encoded(first, "HEIF", save_all=True, append_images=[hidden]) for hidden in (second, third))
    assert not same(one, other)
    assert not same(one, encoded(first, "HEIF"))


def _profile(name: str) -> bytes:
    """sRGB as two libraries write it, and with one primary moved."""
    made: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if name == "other":
        at = struct.unpack(">I", made[made.index(b"rXYZ") + 4 :][:4])[0]
        made = made[: at + 8] + struct.pack(">i", int(0.52 * 65536)) + made[at + 12 :]
    return made


def test_a_profile_that_is_srgb_counts_as_none_and_another_does_not() -> None:
    picture = noise("RGB")
    bare = encoded(picture, "PNG")
    assert same(bare, encoded(picture, "PNG", icc_profile=_profile("srgb")))
    assert not same(bare, encoded(picture, "PNG", icc_profile=_profile("other")))
    assert same(encoded(picture, "TIFF", icc_profile=_profile("other")), encoded(picture, "PNG", icc_profile=_profile("other")))
    assert not same(bare, encoded(picture, "PNG", icc_profile=b"not a profile"))


def test_png_says_its_colours_in_chunks_too() -> None:
    bare = encoded(noise("RGB"), "PNG")
    assert same(bare, png_with(bare, png_chunk(b"sRGB", b"\0")))
    assert same(bare, png_with(bare, png_chunk(b"gAMA", struct.pack(">I", 45455))))
    assert not same(bare, png_with(bare, png_chunk(b"gAMA", struct.pack(">I", 100000))))
    assert same(bare, png_with(bare, png_chunk(b"cICP", bytes((1, 13, 0, 1)))))
    assert not same(bare, png_with(bare, png_chunk(b"cICP", bytes((9, 16, 0, 1)))))


def test_sixteen_bit_greys_are_the_same_in_either_byte_order() -> None:
    values = noise("I;16")
    little = encoded(values, "TIFF")
    swapped = b"".join(values.tobytes()[at : at + 2][::-1] for at in range(0, len(values.tobytes()), 2))
    big = encoded(Image.frombytes("I;16B", values.size, swapped), "TIFF")
    assert same(little, big)
