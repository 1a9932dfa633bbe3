"""What two files show, judged by libvips: no decoder of ours has a say in whether they are the same picture."""

from typing import Any, cast

import pyvips  # type: ignore[import-untyped]  # it has no types

from tests.unit.pictures import examined, same

_MANY = {"gifload_buffer", "webpload_buffer", "tiffload_buffer", "heifload_buffer"}


def shown(data: bytes) -> tuple[int, int, bytes]:
    """Width, height of all frames below each other, and their pixels as displayed: RGBA, black where nothing is seen."""
    loader = pyvips.vips_lib  # keeps the module's own check of its library first
    assert loader is not None
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


def shows_the_same(one: bytes, other: bytes) -> bool:
    return shown(one) == shown(other)


def assert_same(one: bytes, other: bytes) -> None:
    """They are one image here, and rightly so."""
    assert shows_the_same(one, other)
    assert same(one, other)


def assert_apart(one: bytes, other: bytes) -> None:
    """They are two images here, whatever they show, and each is still the same as itself."""
    assert not same(one, other)
    assert examined(other).identity == examined(other).identity
