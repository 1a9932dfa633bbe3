"""What thumbnails show."""

import io
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageMath, ImageOps

from chalicelib.imaging.decode import opened
from chalicelib.imaging.examine import remake_thumbnails
from chalicelib.imaging.thumbnails import reduced
from chalicelib.model.pictures import THUMBNAIL_SIZES, Picture
from tests.unit.examining import LIMITS, encoded, examined, exif_with, noise, raw_png


def _shown(picture: Picture, size: int = 256) -> Image.Image:
    image = Image.open(io.BytesIO(picture.thumbnails.contents[size]))
    image.load()
    return image


def _colour(image: Image.Image) -> tuple[int, ...]:
    found = image.convert("RGB").getpixel((image.width // 2, image.height // 2))
    assert isinstance(found, tuple)
    return found


def _near(found: tuple[int, ...], wanted: tuple[int, ...], within: int = 6) -> bool:
    return all(abs(mine - theirs) <= within for mine, theirs in zip(found, wanted, strict=True))


@pytest.mark.parametrize(
    ("size", "sides"),
    [
        ((4000, 3000), {256: (256, 192), 512: (512, 384), 1280: (1280, 960)}),
        ((300, 400), {256: (192, 256), 512: (300, 400), 1280: (300, 400)}),
        ((1, 1), {256: (1, 1), 512: (1, 1), 1280: (1, 1)}),
        ((1, 30_000), {256: (1, 256), 512: (1, 512), 1280: (1, 1280)}),
        ((30_000, 1), {256: (256, 1), 512: (512, 1), 1280: (1280, 1)}),
    ],
)
def test_the_longest_side_fits_and_nothing_is_enlarged(size: tuple[int, int], sides: dict[int, tuple[int, int]]) -> None:
    picture = examined(encoded(Image.new("RGB", size, (1, 2, 3)), "PNG"))
    assert {side: _shown(picture, side).size for side in THUMBNAIL_SIZES} == sides
    assert (picture.thumbnails.content_type, picture.thumbnails.extension) == ("image/jpeg", "jpg")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "HEIF"])
def test_orientation_is_applied_once(file_format: str, orientation: int) -> None:
    corners = Image.new("RGB", (120, 80), (255, 255, 255))
    corners.paste((255, 0, 0), (0, 0, 40, 40))
    data = encoded(corners, file_format, exif=exif_with(0x0112, orientation))
    shown = _shown(examined(data)).convert("RGB")
    with Image.open(io.BytesIO(encoded(corners, "PNG", exif=exif_with(0x0112, orientation)))) as tagged:
        wanted = ImageOps.exif_transpose(tagged)
    assert shown.size == wanted.size
    for place in ((10, 10), (shown.width - 10, 10), (10, shown.height - 10), (shown.width - 10, shown.height - 10)):
        found, expected = shown.getpixel(place), wanted.getpixel(place)
        assert isinstance(found, tuple)
        assert isinstance(expected, tuple)
        assert _near(found, expected, 25)


@pytest.mark.parametrize(
    ("data", "colour"),
    [
        (encoded(Image.new("L", (300, 300), 77), "PNG"), (77, 77, 77)),
        (encoded(Image.new("1", (300, 300), 1), "PNG"), (255, 255, 255)),
        (encoded(Image.new("I;16", (300, 300), 0x4D00), "PNG"), (77, 77, 77)),
        (encoded(Image.new("RGB", (300, 300), (200, 30, 30)).quantize(4), "PNG"), (200, 30, 30)),
        (encoded(Image.new("CMYK", (300, 300), (0, 255, 255, 0)), "JPEG"), (255, 0, 0)),
        (encoded(Image.new("CMYK", (300, 300), (0, 255, 255, 0)), "TIFF"), (255, 0, 0)),
        (encoded(Image.new("LAB", (300, 300), (255, 128, 128)), "TIFF"), (255, 255, 255)),
        (raw_png(2, 2, 16, 2, (b"\0" + b"\x80\1\x40\1\x20\1" * 2) * 2), (128, 64, 32)),
    ],
)
def test_every_kind_of_colour_is_shown_as_srgb(data: bytes, colour: tuple[int, ...]) -> None:
    assert _near(_colour(_shown(examined(data))), colour)


def test_inks_without_adobes_mark_are_shown_as_browsers_show_them() -> None:
    data = encoded(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG")
    at = data.index(b"\xff\xee\0\x0eAdobe")
    assert _near(_colour(_shown(examined(data[:at] + data[at + 16 :]))), (255, 0, 0))


def test_floats_are_shown_from_darkest_to_lightest() -> None:
    picture = Image.new("F", (300, 200), -5.0)
    picture.paste(1000.0, (150, 0, 300, 200))
    shown = _shown(examined(encoded(picture, "TIFF"))).convert("L")
    assert shown.getpixel((10, 10)) == pytest.approx(0, abs=3)
    assert shown.getpixel((240, 10)) == pytest.approx(255, abs=3)


def test_a_colour_profile_is_applied() -> None:
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    # Red and blue trade places in this profile.
    red, blue = swapped.index(b"rXYZ"), swapped.index(b"bXYZ")
    swapped[red : red + 4], swapped[blue : blue + 4] = b"bXYZ", b"rXYZ"
    picture = examined(encoded(Image.new("RGB", (300, 300), (255, 0, 0)), "PNG", icc_profile=bytes(swapped)))
    assert _near(_colour(_shown(picture)), (0, 0, 255), 12)


@pytest.mark.parametrize("options", [{}, {"icc_profile": b"no profile at all"}])
def test_a_profile_that_is_none_is_ignored(options: dict[str, Any]) -> None:
    picture = examined(encoded(Image.new("RGB", (300, 300), (200, 30, 30)), "JPEG", **options))
    assert _near(_colour(_shown(picture)), (200, 30, 30))


def test_transparency_is_kept() -> None:
    image = Image.new("RGBA", (600, 400), (10, 200, 10, 255))
    image.paste((0, 0, 0, 0), (0, 0, 300, 400))
    picture = examined(encoded(image, "PNG"))
    assert (picture.thumbnails.content_type, picture.thumbnails.extension) == ("image/webp", "webp")
    for size in THUMBNAIL_SIZES:
        alpha = _shown(picture, size).getchannel("A")
        assert (alpha.getpixel((5, 5)), alpha.getpixel((alpha.width - 5, 5))) == (0, 255)


def test_the_first_frame_of_an_animation_is_shown_and_holds_still() -> None:
    red, blue = (Image.new("RGB", (50, 50), colour) for colour in ((255, 0, 0), (0, 0, 255)))
    picture = examined(encoded(red, "GIF", save_all=True, append_images=[blue], duration=100, loop=0))
    assert _near(_colour(_shown(picture)), (255, 0, 0))
    assert getattr(_shown(picture), "n_frames", 1) == 1


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_thumbnails_carry_no_metadata(mode: str) -> None:
    data = encoded(noise(mode, (300, 200)), "PNG", exif=exif_with(0x010F, "SECRET"), icc_profile=b"SECRET" * 40, dpi=(300, 300))
    picture = examined(data)
    for content in picture.thumbnails.contents.values():
        assert b"SECRET" not in content
        with Image.open(io.BytesIO(content)) as image:
            assert not image.getexif()
            assert not image.info.keys() & {"exif", "icc_profile", "xmp", "comment"}


def test_thumbnails_can_be_made_anew() -> None:
    data = encoded(noise("RGB", (300, 200)), "JPEG", exif=exif_with(0x0112, 6))
    assert remake_thumbnails(io.BytesIO(data), LIMITS) == examined(data).thumbnails


@pytest.mark.parametrize("size", [(4000, 3000), (2200, 1500), (6000, 4000)])
def test_a_reduction_in_steps_is_as_good_as_one_in_full(size: tuple[int, int]) -> None:
    texture = noise("RGB", (size[0] // 3, size[1] // 3)).resize(size, Image.Resampling.BICUBIC)
    step = texture
    for side in sorted(THUMBNAIL_SIZES, reverse=True):
        step = reduced(step, side)
        assert _similarity(step, texture.resize(step.size, Image.Resampling.LANCZOS)) >= 0.98


def _similarity(one: Image.Image, other: Image.Image) -> float:
    """SSIM of the luminance, over blocks of 8 by 8."""
    a, b = (image.convert("L").convert("F") for image in (one, other))

    def product(x: Image.Image, y: Image.Image) -> Image.Image:
        found: Image.Image = ImageMath.lambda_eval(lambda each: each["x"] * each["y"], x=x, y=y)
        return found

    means = {"a": a, "b": b, "aa": product(a, a), "bb": product(b, b), "ab": product(a, b)}
    blocks = {name: image.reduce(8).get_flattened_data() for name, image in means.items()}
    values: list[float] = []
    for ma, mb, maa, mbb, mab in zip(*(blocks[name] for name in ("a", "b", "aa", "bb", "ab")), strict=True):
        structure = (2 * (mab - ma * mb) + 58.5225) / (maa - ma * ma + mbb - mb * mb + 58.5225)
        values.append(structure * (2 * ma * mb + 6.5025) / (ma * ma + mb * mb + 6.5025))
    return sum(values) / len(values)


def test_the_picture_itself_is_left_as_it_is() -> None:
    with opened(io.BytesIO(encoded(noise("RGB", (300, 200)), "PNG")), LIMITS) as found:
        assert found.image.tobytes() == noise("RGB", (300, 200)).tobytes()
