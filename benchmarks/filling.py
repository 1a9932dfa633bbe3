"""Fills a catalog with many images as people's lists hold them: few cameras, clustered places, names that count up."""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pymysql
from sqlalchemy import URL, Table

from chalicelib.catalog.folding import key
from chalicelib.catalog.image_rows import json_of, values_of_facts
from chalicelib.catalog.tables import image_tags, images, known_files, originals
from chalicelib.facts import Facts

#: Four of five images belong to one owner.
OWNERS = ("alice", "alice", "alice", "alice", "bob", "alice", "alice", "carol", "alice", "alice")
BEGIN = datetime(2016, 1, 1, tzinfo=UTC)

_BATCH = 500
_CAMERAS = [
    (make, f"{make} {series}{number}")
    for make in ("Apple", "Canon", "NIKON CORPORATION", "SONY", "FUJIFILM", "Google", "samsung", "OLYMPUS")
    for series in ("X", "Mark ", "é")
    for number in range(1, 6)
]
_ISO = (50, 64, 80, 100, 100, 125, 160, 200, 200, 400, 800, 1600, 3200, 6400)
_F_NUMBERS = (1.4, 1.8, 1.8, 2.2, 2.8, 4.0, 5.6, 7.1, 8.0, 11.0)
_LENGTHS = (3.99, 4.25, 4.25, 5.7, 18.0, 24.0, 35.0, 50.0, 85.0, 200.0)
_SIZES = ((4032, 3024), (3024, 4032), (4000, 3000), (6000, 4000), (4608, 3456), (1920, 1080), (640, 480))


@dataclass(frozen=True, slots=True)
class Made:
    """The rows of one image, by table."""

    original: dict[str, Any]
    image: dict[str, Any]
    tags: dict[str, Any]
    known: dict[str, Any]


class Maker:
    """Makes images one after another; the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 (test data)
        self._places = [(self._random.uniform(-55, 70), self._random.uniform(-180, 180)) for _ in range(300)]

    def make(self, number: int, owner: str) -> Made:
        draw = self._random
        digest = hashlib.sha256(f"{number} {draw.random()}".encode()).digest()
        uploaded_at = BEGIN + timedelta(minutes=number * 5, microseconds=draw.randrange(1_000_000))
        width, height = draw.choice(_SIZES)
        name = draw.choice((f"IMG_{number % 10000:04}.JPG", f"DSC{number % 100000:05}.jpg", f"Ferien {number} Größe.jpeg"))
        byte_size = int(draw.lognormvariate(14.7, 0.7))
        format_name = draw.choices(("JPEG", "HEIF", "PNG", "WEBP"), (80, 14, 5, 1))[0]
        original = {
            "id": number,
            "sha256": digest,
            "storage_id": f"{digest.hex()[:36]}-1",
            "byte_size": byte_size,
            "format": format_name,
            "content_type": "image/jpeg",
            "thumbnail_extension": "jpg",
            "live": 1,
        }
        facts = self._facts(uploaded_at)
        image = {
            "id": number,
            "owner": owner,
            "identity": hashlib.sha256(digest).digest(),
            "original_id": number,
            "name": name,
            "name_key": key(name),
            "uploaded_at": uploaded_at,
            "byte_size": byte_size,
            "format_key": key(format_name),
            "width": width,
            "height": height,
            "mode": "RGB",
            "frames": 1,
            "pixel_sha512": hashlib.sha512(digest).digest(),
            **values_of_facts(facts, uploaded_at),
        }
        tags = {"image_id": number, "exif": json_of(facts.exif)}
        return Made(original, image, tags, {"owner": owner, "sha256": digest, "image_id": number})

    def _facts(self, uploaded_at: datetime) -> Facts:
        draw = self._random
        if draw.random() < 0.1:
            return Facts()
        make, model = _CAMERAS[min(int(draw.expovariate(0.08)), len(_CAMERAS) - 1)]
        taken_at = (uploaded_at - timedelta(hours=draw.expovariate(1 / 400))).replace(tzinfo=None, microsecond=0)
        place: dict[str, Any] = {}
        if draw.random() < 0.6:
            latitude, longitude = self._places[min(int(draw.expovariate(0.03)), len(self._places) - 1)]
            place = {
                "latitude": min(max(draw.gauss(latitude, 0.05), -90.0), 90.0),
                "longitude": min(max(draw.gauss(longitude, 0.05), -180.0), 180.0),
                "altitude": draw.uniform(0, 900),
            }
        return Facts(
            taken_at=taken_at,
            taken_at_offset=draw.choice(("+01:00", "+02:00", None)),
            taken_at_source="DateTimeOriginal",
            camera_make=make,
            camera_model=model,
            lens_model=f"{model} {draw.choice(_LENGTHS)} mm" if draw.random() < 0.7 else None,
            exposure_time=1 / draw.choice((15, 30, 60, 125, 250, 500, 1000, 2000, 4000)),
            f_number=draw.choice(_F_NUMBERS),
            iso=draw.choice(_ISO),
            focal_length=draw.choice(_LENGTHS),
            exif={"Make": make, "Model": model, "Software": "17.4", "ExifVersion": "0232", "UserComment": "x" * 400},
            **place,
        )


def fill(url: URL, first: int, count: int) -> None:
    """Insert images number `first` and on into a database that is at the newest tables."""
    maker = Maker(first)
    tables = (originals, images, image_tags, known_files)
    with pymysql.connect(**connection_arguments(url)) as connection, connection.cursor() as cursor:
        # The rows are ours, and checking each reference takes a third of the time.
        cursor.execute("SET SESSION foreign_key_checks=0, unique_checks=0")
        for start in range(first, first + count, _BATCH):
            batch = [maker.make(number, OWNERS[number % len(OWNERS)]) for number in _slice(start, first + count)]
            for table, rows in zip(tables, _columns(batch), strict=True):
                cursor.executemany(_insert(table), [tuple(row[column.name] for column in table.columns) for row in rows])
            connection.commit()


def connection_arguments(url: URL) -> dict[str, Any]:
    """The same server and database, for PyMySQL alone."""
    return {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password or "",
        "database": url.database,
        "charset": "utf8mb4",
        "ssl_disabled": True,
        "init_command": "SET SESSION time_zone='+00:00'",
    }


def _slice(start: int, end: int) -> Iterator[int]:
    return iter(range(start, min(start + _BATCH, end)))


def _columns(batch: list[Made]) -> tuple[list[dict[str, Any]], ...]:
    return (
        [made.original for made in batch],
        [made.image for made in batch],
        [made.tags for made in batch],
        [made.known for made in batch],
    )


def _insert(table: Table) -> str:
    names = ", ".join(column.name for column in table.columns)
    return f"INSERT INTO {table.name} ({names}) VALUES ({', '.join(['%s'] * len(table.columns))})"  # noqa: S608 (our own names)
