"""Identities that catalogs hold already: a picture that was rightly known by its pixels is never new.

The files are made so that no encoder's release has a say in them. A change here makes pictures new: it is a new
`fingerprint.VERSION`, or a mistake.
"""

import base64
import struct
from collections.abc import Callable

import pytest
from PIL import Image

from tests.unit.examining import encoded, examined, exif_with, noise, png_chunk, png_with, raw_png
from tests.unit.gifs import NETSCAPE, control, frame, gif, indices

_JPEG = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYVpQYEpR"
    "Uk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAARCAAMABADASIAAhEB"
    "AxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS"
    "0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKz"
    "tLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgEC"
    "BAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpj"
    "ZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6"
    "/9oADAMBAAIRAxEAPwAecQxyiG4hubm7Pz4b5WPTap7g1MY4ZreKC+V5Sn/LJRkp/sr64rn5tVuY5bZ0ESmOFtuIxwc9frXQ6RM8vh+ed8GVvnL45yTV"
    "1qdRK2itb8dOy7E1cM09Hr6/n/XVn//Z"
)
_TURNED = exif_with(0x0112, 6)


def _frame(flags: int, transparent: int, picture: Image.Image, left: int = 0, top: int = 0) -> bytes:
    return control(flags >> 2, transparent if flags & 1 else None) + frame(picture, left, top)


def _animated(*frames: bytes) -> bytes:
    return gif(NETSCAPE, *frames)


def _palette() -> Image.Image:
    picture = Image.frombytes("P", (4, 4), indices(3).tobytes())
    picture.putpalette(bytes(value for index in range(256) for value in (index, 7, 255 - index)))
    return picture


def _apng() -> bytes:
    frames = [noise("RGB", seed=seed) for seed in range(3)]
    return encoded(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=[100, 200, 300], loop=2)


_FILES: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: _JPEG,
    "jpeg turned": lambda: _JPEG[:2] + b"\xff\xe1" + struct.pack(">H", 2 + len(_TURNED)) + _TURNED + _JPEG[2:],
    "png": lambda: encoded(noise("RGB"), "PNG"),
    "png alpha": lambda: encoded(noise("RGBA"), "PNG"),
    "png grey": lambda: encoded(noise("L"), "PNG"),
    "png grey alpha": lambda: encoded(noise("LA"), "PNG"),
    "png bits": lambda: encoded(noise("1"), "PNG"),
    "png grey 2": lambda: raw_png(4, 2, 2, 0, b"\0\x1b\0\xe4"),
    "png grey 16": lambda: encoded(noise("I;16"), "PNG"),
    "png key": lambda: encoded(noise("RGB"), "PNG", transparency=noise("RGB").getpixel((0, 0))),
    "png grey key": lambda: encoded(noise("L"), "PNG", transparency=noise("L").getpixel((0, 0))),
    "png palette key": lambda: encoded(_palette(), "PNG", transparency=bytes((9, 255, 0))),
    "png gamma": lambda: png_with(encoded(noise("RGB"), "PNG"), png_chunk(b"gAMA", struct.pack(">I", 100000))),
    "png code points": lambda: png_with(encoded(noise("RGB"), "PNG"), png_chunk(b"cICP", bytes((9, 16, 0, 1)))),
    "apng": _apng,
    "gif": lambda: gif(_frame(0, 0, indices(1))),
    "gif transparent": lambda: gif(_frame(1, 2, indices(1))),
    "gif animated": lambda: _animated(
        _frame(4, 0, indices(1)), _frame(4, 0, indices(2, (2, 3)), 1, 1), _frame(4, 0, indices(3))
    ),
    "gif leaves": lambda: _animated(_frame(4, 0, indices(1)), _frame(5, 1, indices(2)), _frame(5, 3, indices(3, (2, 2)), 2, 1)),
    "gif clears": lambda: _animated(_frame(9, 1, indices(1)), _frame(9, 1, indices(2)), _frame(9, 1, indices(3, (3, 2)), 1, 1)),
    "gif small and clear": lambda: gif(_frame(1, 2, indices(1, (2, 2)), 1, 1)),
    "gif restores": lambda: _animated(
        _frame(4, 0, indices(1)), _frame(13, 1, indices(2, (2, 3)), 1, 1), _frame(4, 0, indices(3, (2, 2)))
    ),
    "bmp": lambda: encoded(noise("RGB"), "BMP"),
    "tiff": lambda: encoded(noise("RGB"), "TIFF"),
    "tiff inks": lambda: encoded(noise("CMYK"), "TIFF"),
    "webp": lambda: encoded(noise("RGBA"), "WEBP", lossless=True, exact=True),
}
_IDENTITIES = {
    "jpeg": "ce9b99b59935720f",
    "jpeg turned": "dbcf14bd5e45e474",
    "png": "d79af763a4bea5ac",
    "png alpha": "dbd475de747f56cb",
    "png grey": "bea4476b7d3d0dfb",
    "png grey alpha": "c505acf7d26ad2b4",
    "png bits": "a50b845f6a7d7571",
    "png grey 2": "32d9ff4363cd229b",
    "png grey 16": "ba6b6c4861267b33",
    "png key": "0c443bff0883fae0",
    "png grey key": "dc1d8a2a42c6c022",
    "png palette key": "44a0a21b51dae92c",
    "png gamma": "71350d1f6328f56b",
    "png code points": "35262f6e945f476b",
    "apng": "3fda9c0fa1a99980",
    "gif": "d57f6dc8a2845721",
    "gif transparent": "159846caaae6f357",
    "gif animated": "6f636a9317f8b3a3",
    "gif leaves": "08bc683a3c936b70",
    "gif clears": "8e559efa268efeb5",
    "gif small and clear": "551ca5028164ca12",
    "gif restores": "98a93bf2f5a6a206",
    "bmp": "d79af763a4bea5ac",
    "tiff": "d79af763a4bea5ac",
    "tiff inks": "1c02a1d583c02ebe",
    "webp": "dbd475de747f56cb",
}


@pytest.mark.parametrize("name", _FILES)
def test_a_picture_that_was_known_is_not_new(name: str) -> None:
    assert examined(_FILES[name]()).identity.hex()[:16] == _IDENTITIES[name]
