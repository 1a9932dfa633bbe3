"""Fills a catalog with many images as people's lists hold them: few cameras, clustered places, names that count up."""

import hashlib
import random
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pymysql
from sqlalchemy import URL, Table

from chalicelib.catalog.conversion import tags_of, values_of_facts
from chalicelib.catalog.folding import folded
from chalicelib.catalog.tables import image_tags, images, known_files, originals
from chalicelib.model.facts import Facts
from chalicelib.model.records import Entry, StoredFile

#: Four of five images belong to one owner.
OWNERS = ("alice", "alice", "alice", "alice", "bob", "alice", "alice", "carol", "alice", "alice")
BEGIN = datetime(2016, 1, 1, tzinfo=UTC)

_BATCH = 500
_TABLES = (originals, images, image_tags, known_files)
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
    """One image as it would be admitted."""

    owner: str
    name: str
    uploaded_at: datetime
    sha256: bytes
    entry: Entry
    file: StoredFile

    def rows(self, number: int) -> tuple[dict[str, Any], ...]:
        """The rows of `_TABLES` that hold it; its image and its original both get this number as their id."""
        original = {"id": number, "owner": self.owner, "sha256": self.sha256, "live": 1, **asdict(self.file)}
        image = {
            "id": number,
            "owner": self.owner,
            "identity": self.entry.identity,
            "original_id": number,
            "name": self.name,
            "name_key": folded(self.name),
            "uploaded_at": self.uploaded_at,
            "byte_size": self.file.byte_size,
            "format_key": folded(self.file.format),
            "width": self.entry.width,
            "height": self.entry.height,
            "mode": self.entry.mode,
            "frames": self.entry.frames,
            "pixel_sha512": self.entry.pixel_sha512,
            **values_of_facts(self.entry.facts, self.uploaded_at),
        }
        tags = {"image_id": number, **tags_of(self.entry)}
        return original, image, tags, {"owner": self.owner, "sha256": self.sha256, "image_id": number}


class Maker:
    """Makes images one after another; the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 (test data)
        self._places = [(self._random.uniform(-55, 70), self._random.uniform(-180, 180)) for _ in range(300)]

    def make(self, number: int, owner: str) -> Made:
        draw = self._random
        sha256 = hashlib.sha256(f"{number} {draw.random()}".encode()).digest()
        uploaded_at = BEGIN + timedelta(minutes=number * 5, microseconds=draw.randrange(1_000_000))
        width, height = draw.choice(_SIZES)
        return Made(
            owner=owner,
            name=draw.choice((f"IMG_{number % 10000:04}.JPG", f"DSC{number % 100000:05}.jpg", f"Ferien {number} Größe.jpeg")),
            uploaded_at=uploaded_at,
            sha256=sha256,
            entry=Entry(
                identity=hashlib.sha256(sha256).digest(),
                width=width,
                height=height,
                mode="RGB",
                frames=1,
                pixel_sha512=hashlib.sha512(sha256).digest(),
                facts=self._facts(uploaded_at),
            ),
            file=StoredFile(
                storage_id=f"{sha256.hex()[:36]}-1",
                byte_size=int(draw.lognormvariate(14.7, 0.7)),
                format=draw.choices(("JPEG", "HEIF", "PNG", "WEBP"), (80, 14, 5, 1))[0],
                content_type="image/jpeg",
                thumbnail_extension="jpg",
            ),
        )

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
    with pymysql.connect(**connection_arguments(url)) as connection, connection.cursor() as cursor:
        # The rows are ours, and checking each reference takes a third of the time.
        cursor.execute("SET SESSION foreign_key_checks=0, unique_checks=0")
        for start in range(first, first + count, _BATCH):
            numbers = range(start, min(start + _BATCH, first + count))
            made = [maker.make(number, OWNERS[number % len(OWNERS)]).rows(number) for number in numbers]
            for table, rows in zip(_TABLES, zip(*made, strict=True), strict=True):
                cursor.executemany(_insert(table), [tuple(row[column.name] for column in table.columns) for row in rows])
            connection.commit()
        cursor.execute("REPLACE INTO owners SELECT owner, COUNT(*), SUM(byte_size), 0, 0 FROM images GROUP BY owner")
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


def _insert(table: Table) -> str:
    names = ", ".join(column.name for column in table.columns)
    return f"INSERT INTO {table.name} ({names}) VALUES ({', '.join(['%s'] * len(table.columns))})"  # noqa: S608 (our own names)
