"""Every format behind the fence: the same answers as without it, and want of memory said as that."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from chalicelib.decoding.answers import Task, packed
from chalicelib.decoding.decoders import WORK, Decoders, Room
from chalicelib.decoding.pool import Pool
from chalicelib.decoding.warm import OutOfMemory
from chalicelib.errors import BadImageError
from tests.unit.examining import LIMITS, encoded, examined, exif_with, noise

LARGE = (1400, 1100)


def made(mode: str, name: str, size: tuple[int, int] = (97, 61), **options: Any) -> Callable[[], bytes]:
    return lambda: encoded(noise(mode, size), name, **options)


def animated(name: str, **options: Any) -> Callable[[], bytes]:
    return made("RGB", name, save_all=True, append_images=[noise("RGB", (97, 61), 2), noise("RGB", (97, 61), 3)], **options)


FILES: dict[str, Callable[[], bytes]] = {
    "JPEG": made("RGB", "JPEG", LARGE),
    "JPEG, turned": made("RGB", "JPEG", exif=exif_with(0x0112, 6)),
    "JPEG, progressive": made("RGB", "JPEG", progressive=True, subsampling=0),
    "JPEG, grey": made("L", "JPEG"),
    "JPEG, inks": made("CMYK", "JPEG", progressive=True),
    **{f"PNG {mode}": made(mode, "PNG") for mode in ("1", "L", "LA", "I;16", "RGB", "RGBA", "P")},
    "PNG with a key": made("RGB", "PNG", transparency=(1, 2, 3)),
    "PNG, animated": animated("PNG"),
    "GIF": made("P", "GIF"),
    "GIF, animated": animated("GIF"),
    "WebP": made("RGB", "WEBP", LARGE),
    "WebP, lossless": made("RGBA", "WEBP", lossless=True),
    "WebP, animated": animated("WEBP"),
    **{f"TIFF {mode}": made(mode, "TIFF") for mode in ("1", "L", "I;16", "RGB", "RGBA", "CMYK", "LAB", "F")},
    **{f"TIFF {way}": made("RGB", "TIFF", compression=way) for way in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")},
    "TIFF group4": made("1", "TIFF", compression="group4"),
    "TIFF, pages": animated("TIFF", compression="tiff_lzw"),
    "BMP": made("RGB", "BMP"),
    "AVIF": lambda: encoded(noise("RGB", (40, 30)).resize(LARGE), "AVIF", speed=10),
    "AVIF with alpha": made("RGBA", "AVIF"),
    "AVIF, animated": animated("AVIF"),
    "HEIC": lambda: encoded(noise("RGB", (40, 30)).resize((700, 520)), "HEIF", quality=40),
    "HEIC with alpha": made("RGBA", "HEIF"),
}
#: How flat pictures are encoded, and bytes that are far too few to decode them, though enough for the decoder to begin.
DEAR: dict[str, tuple[dict[str, Any], int]] = {
    "JPEG": ({"progressive": True}, 6_000_000),
    "PNG": ({}, 6_000_000),
    "GIF": ({}, 6_000_000),
    "WEBP": ({}, 6_000_000),
    "TIFF": ({"compression": "tiff_lzw"}, 6_000_000),
    "BMP": ({}, 6_000_000),
    "AVIF": ({"speed": 10}, 14_000_000),
    "HEIF": ({"quality": 20}, 14_000_000),
}


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    decoders = Decoders(LIMITS, Room(None, 1, 60))
    yield decoders
    decoders.close()


@pytest.mark.parametrize("name", FILES)
def test_a_picture_is_the_same_behind_the_fence(decoders: Decoders, tmp_path: Path, name: str) -> None:
    data = FILES[name]()
    path = tmp_path / "file"
    path.write_bytes(data)
    picture = decoders.examine(path, hashlib.sha256(data).digest(), "ann")
    assert picture == examined(data)
    assert decoders.make_thumbnails(path) == picture.thumbnails


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    pool = Pool(WORK)
    yield pool
    pool.close()


@pytest.mark.parametrize("name", DEAR)
def test_want_of_memory_is_not_taken_for_damage(pool: Pool, tmp_path: Path, name: str) -> None:
    options, memory = DEAR[name]
    path = tmp_path / "file"
    path.write_bytes(encoded(Image.new("RGB", (1600, 1600), (90, 120, 30)), name, **options))
    with path.open("rb") as file, pytest.raises(OutOfMemory):
        pool.run(file.fileno(), packed(Task(LIMITS, bytes(32))), memory, 60)


def test_what_is_damaged_is_refused_as_that(decoders: Decoders, tmp_path: Path) -> None:
    whole = encoded(noise("RGB"), "WEBP", lossless=True)
    path = tmp_path / "file"
    path.write_bytes(whole[:40] + b"\xff" * (len(whole) - 40))
    with pytest.raises(BadImageError, match="damaged"):
        decoders.examine(path, bytes(32), "ann")


def test_a_picture_that_nobody_has_the_memory_for_is_refused_naming_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(encoded(Image.new("1", (12_000, 12_000)), "PNG", compress_level=1))
    decoders = Decoders(LIMITS, Room(128 << 20, 1, 60))
    with pytest.raises(BadImageError, match=r"needs about [\d,]+ MB of memory to be decoded; there are 134 MB"):
        decoders.examine(path, bytes(32), "ann")
    decoders.close()
