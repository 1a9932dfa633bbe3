"""What two files show, judged by libvips: no decoder of ours has a say in whether they are the same picture."""

import logging
from functools import lru_cache
from typing import Any, cast

import pyvips  # type: ignore[import-untyped]  # it has no types

from chalicelib.errors import RepositoryError
from tests.unit.examining import examined

# It tells in the log what it passes over.
logging.getLogger("pyvips").setLevel(logging.ERROR)

_MANY = {"gifload_buffer", "webpload_buffer", "tiffload_buffer", "heifload_buffer"}


def shown(data: bytes) -> tuple[int, int, bytes]:
    """Width, height of all frames below each other, and their pixels as displayed: RGBA, black where nothing is seen."""
    picture = cast(Any, pyvips.Image).new_from_buffer(data, "", **({"n": -1} if _has_pages(data) else {})).autorot()
    if picture.interpretation not in {"srgb", "rgb16", "grey16"}:
        picture = picture.colourspace("srgb")
    if picture.bands in {1, 3}:
        picture = picture.bandjoin(65535 if picture.format == "ushort" else 255)
    alpha = picture[picture.bands - 1]
    colours = (alpha > 0).ifthenelse(picture[0 : picture.bands - 1], 0)
    whole = colours.bandjoin(alpha)
    return whole.width, whole.height, whole.write_to_memory()


def _has_pages(data: bytes) -> bool:
    loader = cast(Any, pyvips.Image).new_from_buffer(data, "").get("vips-loader")
    return f"{loader}" in _MANY or f"{loader}_buffer" in _MANY


def pages(data: bytes) -> list[bytes]:
    """The pixels of each frame, as `shown` has them."""
    width, height, pixels = shown(data)
    loaded = cast(Any, pyvips.Image).new_from_buffer(data, "", n=-1)
    step = width * (loaded.get("page-height") if loaded.get_typeof("page-height") else height) * 4
    return [pixels[at : at + step] for at in range(0, len(pixels), step)]


def shows_the_same(one: bytes, other: bytes) -> bool:
    return shown(one) == shown(other)


@lru_cache(64)
def _identity(data: bytes) -> bytes | None:
    """`None` for a file that is refused, which is merged with no other."""
    try:
        return examined(data).identity
    except RepositoryError:
        return None


def merged(one: bytes, other: bytes) -> bool:
    return _identity(one) == _identity(other) is not None


def assert_same(one: bytes, other: bytes) -> None:
    """They are one image here, and rightly so."""
    assert shows_the_same(one, other)
    assert merged(one, other)


def assert_apart(one: bytes, other: bytes) -> None:
    """They are not merged, whatever they show."""
    assert not merged(one, other)
