"""Prints what getting a folder of photos into a local server takes: `imagerepo upload` against a shell loop of curl.

Each run is whole: from the start of the process to the server's last word on the last file. Every way gets a server and a
folder of its own, and the ways take turns, so that all see the same machine.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from tests.http.server import CHECKOUT, Server, running

NEW_AIM, HELD_AIM = 3.0, 20.0

_CURL_LOOP = 'for file in "$1"/*; do curl --silent --show-error --fail --output /dev/null --form "image=@$file" "$2"; done'


def make_photos(folder: Path, count: int, width: int, height: int) -> int:
    """Different views of one scene with the structure of a photograph: shapes, texture, noise. Returns their bytes."""
    rng = random.Random(7)  # noqa: S311 - pictures, no secrets
    size = (width * 2, height * 2)
    scene = Image.new("RGB", size, (128, 128, 128))
    for scale, weight in ((200, 0.6), (20, 0.4), (4, 0.25), (1, 0.05)):
        small = (max(1, size[0] // scale), max(1, size[1] // scale))
        noise = Image.frombytes("RGB", small, rng.randbytes(small[0] * small[1] * 3))
        scene = Image.blend(scene, noise.resize(size, Image.Resampling.BICUBIC), weight)
    folder.mkdir()
    for number in range(count):
        left, top = rng.randrange(width), rng.randrange(height)
        path = folder / f"IMG_{number:04}.JPG"
        scene.crop((left, top, left + width, top + height)).save(path, "JPEG", quality=85)
    return sum(path.stat().st_size for path in folder.iterdir())


def seconds_of_curl(photos: Path, server: Server) -> float:
    return _seconds("curl", "sh", "-ec", _CURL_LOOP, "sh", str(photos), f"{server.api.public_url}/image/upload")


def seconds_of_imagerepo(photos: Path, server: Server, state: Path) -> float:
    command = (sys.executable, "-m", "imagerepo", "upload", str(photos), "--server", server.api.public_url)
    return _seconds("imagerepo", *command, state=state)


def _seconds(way: str, *command: str, state: Path = CHECKOUT) -> float:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "client" / "src"), "XDG_STATE_HOME": str(state)}
    started = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{way} failed with {done.returncode}: {done.stderr}")
    return seconds


def measure(photos: Path, work: Path, rounds: int) -> dict[str, list[float]]:
    ways = ("curl, new", "imagerepo, new", "imagerepo, held", "imagerepo, held, no journal")
    figures: dict[str, list[float]] = {way: [] for way in ways}
    count = len(list(photos.iterdir()))
    for number in range(rounds):
        with running(work / f"curl-{number}") as server:
            figures["curl, new"].append(seconds_of_curl(photos, server))
            _check(server, count)
        with running(work / f"imagerepo-{number}") as server:
            state = work / f"state-{number}"
            figures["imagerepo, new"].append(seconds_of_imagerepo(photos, server, state))
            _check(server, count)
            figures["imagerepo, held"].append(seconds_of_imagerepo(photos, server, state))
            figures["imagerepo, held, no journal"].append(seconds_of_imagerepo(photos, server, work / f"empty-{number}"))
            _check(server, count)
    return figures


def _check(server: Server, count: int) -> None:
    held = server.api.list({"limit": 1, "include_total": "true"})["total"]
    if held != count:
        raise SystemExit(f"the server holds {held} images of {count}")


def report(figures: dict[str, list[float]], count: int) -> bool:
    """Whether both aims are met."""
    medians = {way: statistics.median(seconds) for way, seconds in figures.items()}
    for way, seconds in medians.items():
        print(f"{way:28} {seconds:7.2f} s   {count / seconds:8.1f} files/s   rounds {_list(figures[way])}")
    new = medians["curl, new"] / medians["imagerepo, new"]
    held = medians["imagerepo, new"] / medians["imagerepo, held"]
    print(f"\nnew files: {new:.1f} times as fast as curl (aim {NEW_AIM:g})")
    print(f"held files: {held:.1f} times as fast as new ones (aim {HELD_AIM:g})")
    return new >= NEW_AIM and held >= HELD_AIM


def _list(seconds: Iterable[float]) -> str:
    return ", ".join(f"{each:.2f}" for each in seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--width", type=int, default=1600)
    parser.add_argument("--height", type=int, default=1200)
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-upload-") as folder:
        photos = Path(folder) / "photos"
        size = make_photos(photos, given.files, given.width, given.height)
        print(f"{given.files} photos of {given.width}x{given.height}, {size / 1e6:.0f} MB")
        met = report(measure(photos, Path(folder), given.rounds), given.files)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
