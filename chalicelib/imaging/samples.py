"""The smallest pictures that have every decoder, and everything else that decoding needs, loaded and used."""

import base64
import io
from collections.abc import Iterator
from typing import Any

from PIL import Image, ImageCms

#: Those whose encoders are slow to start.
_READY_MADE = (
    base64.b64decode(
        "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUIAAADrbWV0YQAAAAAAAAAhaGRscgAAAAAAAAAAcGljdAAAAAAAAAAAAAAAAAAAAAAOcGl0bQAA"
        "AAAAAQAAAB5pbG9jAAAAAEQAAAEAAQAAAAEAAAETAAAAJAAAAChpaW5mAAAAAAABAAAAGmluZmUCAAAAAAEAAGF2MDFDb2xvcgAAAABqaXBycAAAAEtp"
        "cGNvAAAAFGlzcGUAAAAAAAAAEAAAABAAAAAQcGl4aQAAAAADCAgIAAAADGF2MUOBAAwAAAAAE2NvbHJuY2x4AAEADQAGgAAAABdpcG1hAAAAAAAAAAEA"
        "AQQBAoMEAAAALG1kYXQSAAoJGAz/2iAhoNCAMhUex4eFWd///+LPwAB1fc4kfZPnJ1g="
    ),
    base64.b64decode(
        "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAAAERA"
        "AAEAAQAAAAABoAABAAAAAAAAACUAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/GlwcnAAAADcaXBjbwAA"
        "AHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbq"
        "rprm4CGgwIAAAAyAAAADAIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFwAAAAEAAAAAEAAAAQ"
        "AAAAAf///9AAAAAC////0AAAAAIAAAAQcGl4aQAAAAADCAgIAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAALW1kYXQAAAAhKAGvBBITDOD46cJoP7bn"
        "8GP28n7QqyvjSZ93sRiSqf+g"
    ),
)


def samples() -> Iterator[bytes]:
    """One file after the other."""
    yield from _READY_MADE
    colours, clear, grey = (Image.new(mode, (16, 16), 90) for mode in ("RGB", "RGBA", "L"))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    exif = Image.Exif()
    exif[0x010F] = "sample"
    yield _encoded(colours, "JPEG", exif=exif.tobytes())
    yield _encoded(colours, "JPEG", progressive=True, icc_profile=profile)
    yield _encoded(colours.convert("CMYK"), "JPEG")
    yield _encoded(clear, "PNG")
    yield _encoded(Image.new("I;16", (16, 16), 900), "PNG")
    yield _encoded(colours.quantize(2), "PNG", transparency=0)
    yield _encoded(Image.new("1", (16, 16)), "TIFF", compression="group4")
    yield _encoded(colours, "TIFF", compression="tiff_lzw")
    yield _encoded(colours.convert("LAB"), "TIFF")
    yield _encoded(grey, "BMP")
    yield _encoded(clear, "WEBP", lossless=True)
    for name in ("GIF", "PNG", "WEBP"):
        yield _encoded(colours, name, save_all=True, append_images=[Image.new("RGB", (16, 16), "red")])


def _encoded(image: Image.Image, name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()
