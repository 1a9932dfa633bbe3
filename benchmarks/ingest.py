"""Prints what the imaging step costs, as a ratio to the least that anyone could do, measured in the same run.

The floor is one decoding with Pillow and a SHA-512 over as many bytes as the picture has, without copying them first.
Beside it stands the way that tutorials teach: open the file anew for the digest, for EXIF, and for every thumbnail. Each
figure is the median of several rounds in a process of its own; the ways take turns, so that all see the same machine.
"""

import argparse
import hashlib
import io
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image

from chalicelib.imaging.examine import examine
from chalicelib.model.pictures import THUMBNAIL_SIZES, Limits

_LIMITS = Limits(max_pixels=150_000_000, max_frames=2_000, max_total_pixels=500_000_000)
_ROUNDS, _REPEATS = 3, 3
_MAX_MEMORY = 1.6


@dataclass(frozen=True, slots=True)
class Case:
    """A picture to measure with. The aims are the most that CPU time and wall clock should be, in floors."""

    name: str
    size: tuple[int, int]
    format: str
    options: dict[str, Any]
    cpu_aim: float | None = None
    wall_aim: float | None = None


_CASES = (
    Case("12 MP JPEG", (4000, 3000), "JPEG", {"quality": 90}, 1.8, 1.3),
    Case("12 MP JPEG, progressive", (4000, 3000), "JPEG", {"quality": 90, "progressive": True}, 1.8, 1.3),
    Case("24 MP JPEG", (6000, 4000), "JPEG", {"quality": 90}, 1.4, 1.2),
    Case("24 MP JPEG, progressive", (6000, 4000), "JPEG", {"quality": 90, "progressive": True}, 1.4, 1.2),
    Case("12 MP PNG", (4000, 3000), "PNG", {"compress_level": 6}),
    Case("12 MP HEIC", (4000, 3000), "HEIF", {"quality": 70}),
)


def floor(path: Path) -> None:
    with Image.open(path) as image:
        image.load()
        # Pillow cannot lend its pixels out; hashing zeros costs the same.
        digest, strip = hashlib.sha512(), bytes(len(image.getbands()) * image.width)
        for _ in range(image.height):
            digest.update(strip)


def ours(path: Path) -> None:
    with path.open("rb") as file:
        examine(file, b"", _LIMITS)


def tutorial(path: Path) -> None:
    with Image.open(path) as image:
        hashlib.sha512(image.tobytes()).digest()
    with Image.open(path) as image:
        dict(image.getexif())
    for size in THUMBNAIL_SIZES:
        with Image.open(path) as image:
            image.thumbnail((size, size))
            image.save(io.BytesIO(), "JPEG")


def file_hash(path: Path) -> None:
    """All that a file costs whose SHA-256 is known, apart from one look into the catalog."""
    with path.open("rb") as file:
        hashlib.file_digest(file, "sha256")


_WAYS: dict[str, Callable[[Path], None]] = {"floor": floor, "ours": ours, "tutorial": tutorial, "file hash": file_hash}


def _measure(way: str, path: Path) -> dict[str, float]:
    """Seconds of CPU and of wall clock, and by how many bytes the process grew over what it is with everything imported."""
    before, grown = _memory("VmRSS"), 0
    cpu: list[float] = []
    wall: list[float] = []
    for _ in range(_REPEATS):
        started, spent = time.perf_counter(), time.process_time()
        _WAYS[way](path)
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - spent)
        grown = grown or _memory("VmHWM") - before  # of the first time: later ones find memory already taken
    return {"cpu": statistics.median(cpu), "wall": statistics.median(wall), "grown": grown}


def _memory(name: str) -> int:
    """Bytes that this process has in memory now (`VmRSS`) or had at most (`VmHWM`).

    Unlike `ru_maxrss`, which a child inherits from the parent that started it.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024


def _measure_apart(path: Path) -> dict[str, dict[str, float]]:
    rounds: dict[str, list[dict[str, float]]] = {way: [] for way in _WAYS}
    for _ in range(_ROUNDS):
        for way, found in rounds.items():
            command = [sys.executable, "-m", "benchmarks.ingest", "--measure", way, str(path)]
            found.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return {way: {key: statistics.median(each[key] for each in found) for key in found[0]} for way, found in rounds.items()}


def _make(case: Case, path: Path) -> None:
    """A picture with the structure of a photograph: large shapes, texture, and the noise of a sensor."""
    rng = random.Random(12)  # noqa: S311 - a picture, not a secret
    width, height = case.size
    image = Image.new("RGB", case.size, (128, 128, 128))
    for scale, weight in ((200, 0.6), (20, 0.4), (4, 0.25), (1, 0.05)):
        small = (max(1, width // scale), max(1, height // scale))
        noise = Image.frombytes("RGB", small, rng.randbytes(small[0] * small[1] * 3))
        image = Image.blend(image, noise.resize(case.size, Image.Resampling.BICUBIC), weight)
    image.save(path, case.format, **case.options)


def _report(case: Case, path: Path) -> None:
    figures = _measure_apart(path)
    base = figures["floor"]
    decoded = case.size[0] * case.size[1] * 4  # Pillow holds RGB in four bytes
    print(f"\n{case.name}: {path.stat().st_size / 1e6:.1f} MB, floor {base['cpu'] * 1000:.0f} ms CPU")
    for way in _WAYS:
        found = figures[way]
        line = f"  {way:10} CPU {found['cpu'] / base['cpu']:5.2f}   wall {found['wall'] / base['wall']:5.2f}"
        print(f"{line}   memory {found['grown'] / decoded:4.2f} of the decoded picture")
    if case.cpu_aim is not None and case.wall_aim is not None:
        print(f"  aims       CPU {case.cpu_aim:5.2f}   wall {case.wall_aim:5.2f}   memory {_MAX_MEMORY:4.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measure", nargs=2, metavar=("WAY", "PATH"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    pillow_heif.register_heif_opener()
    if arguments.measure:
        way, path = arguments.measure
        print(json.dumps(_measure(way, Path(path))))
        return
    with tempfile.TemporaryDirectory() as folder:
        for number, case in enumerate(_CASES):
            path = Path(folder) / f"{number}.image"
            _make(case, path)
            _report(case, path)


if __name__ == "__main__":
    main()
