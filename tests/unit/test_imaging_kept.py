"""A picture that was the same yesterday is the same today: identities as the rules before this release made them."""

import base64
import struct
from collections.abc import Callable

import pytest
from PIL import Image

from tests.unit.examining import encoded, examined, noise

#: Coded pictures of one red and one blue half: an encoder of tomorrow would make other pixels.
_CODED = {
    "HEIC": (
        "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAVZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAA"
        "AAAERAAAEAAQAAAAABegABAAAAAAAAACoAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA1mlwcnAA"
        "AAC3aXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AAAAMAkA"
        "AAAwAAAwAeoCCBBZbqSSmubgIaDAgAAAMAyAAAAwAIQGIAAQAHRAHBcrAiQAAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAA"
        "QAAAABBwaXhpAAAAAAMICAgAAAAXaXBtYQAAAAAAAAABAAEEgQIDBAAAADJtZGF0AAAAJigBrxOA5qhw0//95FFf+YJq/8je0Sq10kf/mkti/n"
        "i1RUisnSb4"
    ),
    "AVIF": (
        "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAAAAAAAOcG"
        "l0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAANAAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABq"
        "aXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAGgAAAAB"
        "dpcG1hAAAAAAAAAAEAAQQBAoMEAAAAPG1kYXQSAAoJGBV//aICGg0IMiUZR4eGIYeeeeaAAADPzEUivj578AARuYE9Jw984OJcd4g9KC1I"
    ),
    "animated AVIF": (
        "AAAALGZ0eXBhdmlzAAAAAGF2aWZhdmlzbXNmMWlzbzhtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAA"
        "AAAAAAAAAAAAAOcGl0bQAAAAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAPlAAAAWAAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2"
        "MDFDb2xvcgAAAABqaXBycAAAAEtpcGNvAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2"
        "x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEAAQQBAoMEAAACxm1vb3YAAAB4bXZoZAEAAAAAAAAA5y06kwAAAADnLTqTAAAD6P//////////AAEA"
        "AAEAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAJGdH"
        "JhawAAAGh0a2hkAQAAAQAAAADnLTqTAAAAAOctOpMAAAABAAAAAP//////////AAAAAAAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAQAA"
        "AAAAAAAAAAAAAAAAQAAAAABAAAAAQAAAAAAALGVkdHMAAAAkZWxzdAEAAAEAAAABAAAAAAAAAMgAAAAAAAAAAAABAAAAAAGqbWRpYQAAACxtZG"
        "hkAQAAAAAAAADnLTqTAAAAAOctOpMAAAPoAAAAAAAAAMhVxAAAAAAAIWhkbHIAAAAAAAAAAHBpY3QAAAAAAAAAAAAAAAAAAAABVW1pbmYAAAAU"
        "dm1oZAAAAAEAAAAAAAAAAAAAACRkaW5mAAAAHGRyZWYAAAAAAAAAAQAAAAx1cmwgAAAAAQAAARVzdGJsAAAAlXN0c2QAAAAAAAAAAQAAAIVhdj"
        "AxAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAEAAQABIAAAASAAAAAAAAAABCkFPTSBDb2RpbmcAAAAAAAAAAAAAAAAAAAAAAAAAAAAAGP//AAAA"
        "DGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABBjY3N0AAAAAHwAAAAAAAAYc3R0cwAAAAAAAAABAAAAAgAAAGQAAAAcc3RzYwAAAAAAAA"
        "ABAAAAAQAAAAIAAAABAAAAHHN0c3oAAAAAAAAAAAAAAAIAAABYAAAATwAAABRzdGNvAAAAAAAAAAEAAAPlAAAAFHN0c3MAAAAAAAAAAQAAAAEA"
        "AACvbWRhdBIACg0AAAACr/+bXyICGg0IMkUQAMAAAAKALIAJGPIxWZZV3+WgwqztgbotyM5NFXyhtAxKsdI7feNezvdiJRhCujsTXWZ9QyzH03"
        "T6QPN6msr2FHTQNaASADJLMAPAgAAABsAAAAKALKAADaLx3frDMVrOZCrO1/AbpvmByNaHEW3xFe0FFvvk0hG7K9v/Ox0EXpdzbxCZX4sIdqO8"
        "NQH3b2DVZ4E8"
    ),
}


def _second() -> Image.Image:
    return noise("RGB", (21, 13), 2)


_FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "TIFF": (
        lambda: encoded(noise("RGB", (21, 13)), "TIFF"),
        "576f22bf80dba7af9c08d76aaaf014dfb9e12cfee441f40de415e91f8567277f",
    ),
    "deep grey TIFF": (
        lambda: encoded(noise("I;16", (9, 7)), "TIFF"),
        "bde7c1690b1107a1c39d8e34c4014f83bf7654095c829d80da5279ce8cb1a478",
    ),
    "TIFF of floats": (
        lambda: encoded(Image.frombytes("F", (2, 2), struct.pack("<4f", 0, 0.5, 1, 2)), "TIFF"),
        "ef7f868798351db42e72f62998d89973c1f55574c95cba43afe4630b50a24a18",
    ),
    "TIFF of two pages": (
        lambda: encoded(noise("RGB", (21, 13)), "TIFF", save_all=True, append_images=[_second()]),
        "156e03b87ea9ea6536185146e3e11970134da154c05acd56cece11f9b8366319",
    ),
    "TIFF with levels": (
        lambda: encoded(noise("RGB", (21, 13)), "TIFF", tiffinfo={532: (0.0, 255.0, 0.0, 255.0, 0.0, 255.0)}),
        "bd2c99c3398295279e2a1e2e3fce7a654b4810f3fbce962985cbf7a7562dd5e3",
    ),
    "WebP": (
        lambda: encoded(noise("RGB", (21, 13)), "WEBP", lossless=True),
        "576f22bf80dba7af9c08d76aaaf014dfb9e12cfee441f40de415e91f8567277f",
    ),
    "animated WebP": (
        lambda: _animated_webp(),
        "23dd36285637d707e85bd54b192c286a582dd9b667d0a596a8f01b83e59da326",
    ),
    "BMP": (
        lambda: encoded(noise("RGB", (21, 13)), "BMP"),
        "576f22bf80dba7af9c08d76aaaf014dfb9e12cfee441f40de415e91f8567277f",
    ),
    "BMP of one bit": (
        lambda: encoded(noise("1", (21, 13)), "BMP"),
        "98248a0bca96ac6d34a63b74a5574ea215225d03add881fca6a50acdfce2ef9d",
    ),
    "BMP with a palette": (
        lambda: encoded(noise("RGB", (21, 13)).quantize(16), "BMP"),
        "dd6202e7cd7ba47302124956143ae0e7205b3228a391b122936e828d24e8b337",
    ),
    "BMP with opaque bytes beside its colours": (
        lambda: encoded(noise("RGB", (21, 13)).convert("RGBA"), "BMP"),
        "576f22bf80dba7af9c08d76aaaf014dfb9e12cfee441f40de415e91f8567277f",
    ),
    "HEIC": (
        lambda: base64.b64decode(_CODED["HEIC"]),
        "146f545fb51f9f829c6516223d11000513db3abce6b2c4fa2152b68b931cfdb6",
    ),
    "AVIF": (
        lambda: base64.b64decode(_CODED["AVIF"]),
        "ac06eacafd985196607fdafd622033985512ebb4b63264ef8c27ac0624592c16",
    ),
    "animated AVIF": (
        lambda: base64.b64decode(_CODED["animated AVIF"]),
        "e47520c0962b999ee327815cb1617a8fc5c0d1ce64d5a15f2dc48aa1d093b542",
    ),
}


def _animated_webp() -> bytes:
    first = noise("RGB", (21, 13))
    return encoded(first, "WEBP", lossless=True, save_all=True, append_images=[_second()], duration=100, loop=0)


@pytest.mark.parametrize("name", _FILES)
def test_what_was_exact_keeps_its_identity(name: str) -> None:
    make, identity = _FILES[name]
    assert examined(make()).identity.hex() == identity
