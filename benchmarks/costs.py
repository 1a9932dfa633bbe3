"""Measures what decoding each kind of picture takes, against what `chalicelib/decoding/costs.py` estimates.

Each file is examined in a process of its own. It ends with status 1 where one takes more memory than is estimated, or less than
half of it: that would refuse pictures for which there is room. Processor time depends on the machine and on what else it does,
so that is only shown: what counts is that the kinds keep their order.
"""

import argparse
import io
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pillow_heif
import pyvips  # type: ignore[import-untyped]  # it has no types
from PIL import Image

from chalicelib.decoding.costs import MB, estimate
from chalicelib.imaging import headers
from chalicelib.imaging.examine import examine
from chalicelib.model.pictures import Limits

_LIMITS = Limits(max_pixels=200_000_000, max_frames=2_000, max_total_pixels=500_000_000)
_SIZE = (4000, 3000)
_FILM = (2000, 1500)
#: How many times what was found an estimate may be.
_MOST_RESERVE = 2

Make = Callable[[], bytes]


def _noisy(mode: str, size: tuple[int, int] = _SIZE, seed: int = 1) -> Image.Image:
    """Shapes and noise, as a photograph has them."""
    rng = random.Random(seed)  # noqa: S311 - a picture, no secret
    rough = Image.frombytes("RGB", (40, 30), rng.randbytes(3600)).resize(size, Image.Resampling.BICUBIC)
    grain = Image.frombytes("RGB", (size[0] // 2, size[1] // 2), rng.randbytes(3 * (size[0] // 2) * (size[1] // 2))).resize(
        size
    )
    picture = Image.blend(rough, grain, 0.2)
    if mode == "RGBA":
        picture.putalpha(rough.getchannel(0))
        return picture
    if mode == "I;16":
        return Image.frombytes(mode, size, rng.randbytes(2 * size[0] * size[1]))
    return picture.convert("L").convert(mode) if mode == "F" else picture.convert(mode)


def _still(mode: str, name: str, **options: Any) -> Make:
    return lambda: _encoded(_noisy(mode), name, **options)


def _film(name: str, **options: Any) -> Make:
    """Four frames that have nothing in common."""

    def make() -> bytes:
        first, *others = (_noisy("RGB", _FILM, seed) for seed in range(4))
        return _encoded(first, name, save_all=True, append_images=others, **options)

    return make


def _deep_avif() -> bytes:
    """The dearest of them: with alpha, and colours in full. Pillow writes no more than 8 bits."""
    picture = _noisy("RGBA")
    samples = pyvips.Image.new_from_memory(picture.tobytes(), *picture.size, 4, "uchar")
    deep = samples.linear(257, 0).cast("ushort").copy(interpretation="rgb16")
    data: bytes = deep.heifsave_buffer(compression="av1", bitdepth=10, effort=0, subsample_mode="off")
    return data


def _deep_heic() -> bytes:
    picture = _noisy("RGB")
    samples = bytearray(2 * 3 * picture.width * picture.height)
    samples[1::2] = picture.tobytes()
    buffer = io.BytesIO()
    pillow_heif.from_bytes("RGB;16", picture.size, bytes(samples)).save(buffer, quality=50)
    return buffer.getvalue()


def _encoded(image: Image.Image, name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()


#: By what `Header.coding` says of them.
_KINDS: dict[tuple[str, str], Make] = {
    ("JPEG", "grey"): _still("L", "JPEG"),
    ("JPEG", "grey progressive"): _still("L", "JPEG", progressive=True),
    ("JPEG", "baseline"): _still("RGB", "JPEG"),
    ("JPEG", "progressive"): _still("RGB", "JPEG", progressive=True, subsampling="4:2:0"),
    ("JPEG", "progressive 444"): _still("RGB", "JPEG", progressive=True, subsampling="4:4:4"),
    ("JPEG", "cmyk"): _still("CMYK", "JPEG"),
    ("JPEG", "cmyk progressive"): _still("CMYK", "JPEG", progressive=True),
    ("PNG", "1-bit"): _still("1", "PNG"),
    ("PNG", "grey"): _still("L", "PNG"),
    ("PNG", "palette"): _still("P", "PNG"),
    ("PNG", "palette key"): _still("P", "PNG", transparency=0),
    ("PNG", "rgb"): _still("RGB", "PNG", compress_level=1),
    ("PNG", "rgba"): _still("RGBA", "PNG", compress_level=1),
    ("PNG", "grey 16"): _still("I;16", "PNG", compress_level=1),
    ("GIF", ""): _still("P", "GIF"),
    ("WEBP", ""): _still("RGBA", "WEBP", lossless=True, method=0, quality=10),
    ("TIFF", "bilevel"): _still("1", "TIFF", compression="group4"),
    ("TIFF", "plain"): _still("RGB", "TIFF", compression="tiff_lzw"),
    ("TIFF", "float"): _still("F", "TIFF"),
    ("TIFF", "grey 16"): _still("I;16", "TIFF"),
    ("BMP", "1-bit"): _still("1", "BMP"),
    ("BMP", "rgb"): _still("RGB", "BMP"),
    ("AVIF", "8-bit 420"): _still("RGB", "AVIF", speed=10),
    ("AVIF", "444 or alpha"): _still("RGBA", "AVIF", speed=10, subsampling="4:4:4"),
    ("AVIF", "deep 444 or alpha"): _deep_avif,
    ("HEIC", "8-bit"): _still("RGB", "HEIF", quality=50),
    ("HEIC", "deep"): _deep_heic,
}
_FILMS: dict[str, Make] = {
    "GIF": _film("GIF"),
    "PNG": _film("PNG", compress_level=1),
    "WEBP": _film("WEBP", lossless=True, method=0, quality=0),
    "AVIF": _film("AVIF", speed=10),
}


def _measure(path: Path) -> dict[str, float]:
    spent = time.process_time()
    with path.open("rb") as file:
        examine(file, bytes(32), _LIMITS)
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    assert peak
    return {"cpu": time.process_time() - spent, "memory": int(peak[1]) * 1024}


def _measured_apart(path: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.costs", "--measure", str(path)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def _compare(name: str, coding: str, make: Make, path: Path) -> bool:
    path.write_bytes(make())
    with path.open("rb") as file:
        header = headers.read(file, _LIMITS)
    expected, found = estimate(replace(header, coding=coding), path.stat().st_size), _measured_apart(path)
    pixels = header.width * header.height
    fault = (
        "   MORE THAN ESTIMATED"
        if found["memory"] > expected.memory
        else "   NOT HALF OF THE ESTIMATE"
        if _MOST_RESERVE * found["memory"] < expected.memory
        else ""
    )
    kind = f"{name} {coding}" if header.frames == 1 else f"{name}, animated"
    each = f"{(found['memory'] - 66 * MB) / pixels:6.1f} bytes/pixel {found['cpu'] * 1e9 / (pixels * header.frames):6.1f} ms/MP"
    whole = f"{found['memory'] / MB:6.0f} of {expected.memory / MB:6.0f} MB, {found['cpu']:5.2f} of {expected.cpu:5.2f} s"
    print(f"{kind:24} {each}   {whole}{fault}", flush=True)
    return not fault


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", metavar="PATH", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    pillow_heif.register_heif_opener()
    if arguments.measure:
        print(json.dumps(_measure(Path(arguments.measure))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture"
        held = [_compare(name, coding, make, path) for (name, coding), make in _KINDS.items()]
        held += [_compare(name, "", make, path) for name, make in _FILMS.items()]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
