"""What files are thought to cost, and that dear ones keep no cheap one waiting."""

import hashlib
import io
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from chalicelib.decoding.costs import ANIMATIONS, MB, STILLS, estimate
from chalicelib.decoding.decoders import Decoders, Room
from chalicelib.imaging import headers
from chalicelib.imaging.headers.header import Header
from chalicelib.model.pictures import FORMATS
from tests.http.waiting import wait_until
from tests.unit.examining import LIMITS, encoded, noise

#: A bomb's size: enough to be no small picture in any format, and little enough to explode thirty times in a test.
SIDE = 2300


def header(name: str, pixels: int = 12_000_000, coding: str = "", frames: int = 1, scans: int = 1) -> Header:
    return Header(name, pixels // 1000, 1000, 0, frames=frames, coding=coding, scans=scans)


def tiny_webp(width: int, height: int) -> bytes:
    """A whole lossless WebP whose pixels, all the same, take no bits: five codes of one symbol each."""
    bits, at = 0, 0
    for value, count in ((width - 1, 14), (height - 1, 14), (0, 4), (0, 3), *[(1, 4)] * 5):
        bits |= value << at
        at += count
    data = b"\x2f" + bits.to_bytes((at + 7) // 8 + 1, "little")
    data += b"\0" * (len(data) % 2)
    chunk = b"VP8L" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def bombs() -> list[bytes]:
    flat = Image.new("RGB", (SIDE, SIDE), (90, 120, 30))
    other = Image.new("RGB", (SIDE, SIDE), (30, 120, 90))
    film = encoded(flat, "WEBP", save_all=True, append_images=[other], lossless=True, method=0, quality=0)
    return [tiny_webp(SIDE, SIDE), encoded(flat, "AVIF", speed=10), film]


def test_every_format_has_its_costs() -> None:
    assert STILLS.keys() == set(FORMATS)
    assert ANIMATIONS.keys() <= set(FORMATS)


@given(st.sampled_from(FORMATS), st.integers(1, 200), st.integers(1, 20))
def test_what_is_not_known_is_the_dearest(name: str, megapixels: int, frames: int) -> None:
    unknown = estimate(header(name, megapixels * 1_000_000, frames=frames), 1000)
    for coding in STILLS[name]:
        known = estimate(header(name, megapixels * 1_000_000, coding, frames), 1000)
        assert (known.memory, known.cpu) <= (unknown.memory, unknown.cpu)
        assert known.memory <= unknown.memory
        assert known.cpu <= unknown.cpu
    assert estimate(header(name, coding="of a later release"), 0) == estimate(header(name), 0)


def test_a_photo_of_a_phone_is_small_and_ten_bytes_of_webp_are_not() -> None:
    assert estimate(header("JPEG", 12_000_000, "baseline"), 4_000_000).small
    bomb = headers.read(io.BytesIO(tiny_webp(12_000, 12_000)), LIMITS)
    assert not estimate(bomb, 34).small
    assert estimate(bomb, 34).memory > 2_400 * MB


def test_each_pass_of_a_progressive_jpeg_counts() -> None:
    usual, many = (estimate(header("JPEG", coding="progressive", scans=scans), 0).cpu for scans in (10, 190))
    assert many > 5 * usual


def test_the_file_counts_where_it_is_in_memory() -> None:
    assert estimate(header("TIFF", coding="plain"), 100 * MB).memory > estimate(header("TIFF", coding="plain"), 0).memory
    assert estimate(header("PNG", coding="rgb"), 100 * MB) == estimate(header("PNG", coding="rgb"), 0)


@pytest.mark.parametrize("name", FORMATS)
def test_the_largest_picture_taken_of_every_kind_is_thought_to_fit_an_ordinary_machine(name: str) -> None:
    assert estimate(header(name, 200_000_000), 100 * MB).memory < 6_000 * MB


@pytest.mark.parametrize(
    ("name", "coding"), [("PNG", "grey 16"), ("TIFF", "grey 16"), ("AVIF", "444 or alpha"), ("PNG", "rgba")]
)
def test_the_largest_photograph_there_is_fits_into_a_function(name: str, coding: str) -> None:
    pixels = 16_320 * 12_240
    file_bytes = 2 * pixels if name == "TIFF" else 100 * MB
    assert estimate(header(name, pixels, coding), file_bytes).memory <= 2_885 * MB


def test_ten_bombs_of_each_kind_do_not_keep_a_small_photo_waiting_for_all_of_them(tmp_path: Path) -> None:
    """Not even one of the same owner's."""
    waiting, lock, ended = [0], threading.Lock(), list[str]()

    @contextmanager
    def aside() -> Iterator[None]:
        with lock:
            waiting[0] += 1
        yield

    decoders = Decoders(LIMITS, Room(1_500 * MB, 2, 60), aside=aside)

    def send(path: Path, who: str) -> None:
        decoders.examine(path, hashlib.sha256(path.read_bytes()).digest(), who)
        ended.append(path.name)

    paths = []
    for number, content in enumerate(bombs() * 10):
        paths.append(tmp_path / f"bomb {number}")
        paths[-1].write_bytes(content)
    photo = tmp_path / "photo"
    photo.write_bytes(encoded(noise("RGB", (100, 80)), "JPEG"))
    with ThreadPoolExecutor(31) as threads:
        sent = [threads.submit(send, path, "eve") for path in paths]
        wait_until(lambda: waiting[0] == len(paths))
        sent.append(threads.submit(send, photo, "eve"))
        for job in sent:
            job.result()
    decoders.close()
    assert len(ended) == len(paths) + 1
    assert ended.index("photo") < len(paths) - 1
