"""How images and their originals turn into rows, and rows into records."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import CursorResult, Row

from chalicelib.catalog.cells import cell
from chalicelib.catalog.folding import folded
from chalicelib.catalog.tables import images, originals
from chalicelib.model.facts import Carried, Facts
from chalicelib.model.records import Entry, Image, ListedImage, Original, StoredFile

#: What `file_of` reads.
FILE_COLUMNS = (
    originals.c.storage_id,
    originals.c.byte_size,
    originals.c.format,
    originals.c.content_type,
    originals.c.thumbnail_extension,
)

#: What `listed_of` reads: the fields of `ListedImage` and then of its file, in their order.
LISTED_COLUMNS = (
    images.c.id,
    images.c.name,
    images.c.uploaded_at,
    images.c.taken_at,
    images.c.width,
    images.c.height,
    *FILE_COLUMNS,
)

_PLAIN_FACTS = (
    "taken_at",
    "taken_at_offset",
    "taken_at_source",
    "camera_make",
    "camera_model",
    "lens_model",
    "exposure_time",
    "f_number",
    "iso",
    "focal_length",
    "latitude",
    "longitude",
    "altitude",
)


def values_of_facts(facts: Facts, uploaded_at: datetime) -> dict[str, Any]:
    """The columns of `images` that hold facts or follow from them."""
    values = {name: getattr(facts, name) for name in _PLAIN_FACTS}
    for name in ("camera_make", "camera_model", "lens_model"):
        values[f"{name}_key"] = folded(values[name]) if values[name] is not None else None
    values["sort_time"] = facts.taken_at or uploaded_at.astimezone(UTC).replace(tzinfo=None)
    place = None
    if facts.latitude is not None and facts.longitude is not None:
        place = cell(facts.latitude, facts.longitude)
    return values | {"cell": place, "located": int(place is not None)}


def new_id(inserted: CursorResult[Any]) -> int:
    """The id that the database gave the row just inserted."""
    new = inserted.lastrowid
    return int(new)


def json_of(exif: Mapping[str, Any]) -> str:
    return json.dumps(dict(exif), separators=(",", ":"), allow_nan=False)


def tags_of(entry: Entry) -> dict[str, str | None]:
    """The columns of `image_tags` but for the id."""
    carries = json.dumps([asdict(part) for part in entry.carries], separators=(",", ":")) if entry.carries else None
    return {"exif": json_of(entry.facts.exif), "carries": carries}


def _carries_of(text: str | None) -> tuple[Carried, ...]:
    return tuple(Carried(**part) for part in json.loads(text)) if text else ()


def facts_of(row: Row[*tuple[Any, ...]]) -> Facts:
    """From a row with the columns of `images`, and `exif`."""
    return Facts(**{name: getattr(row, name) for name in _PLAIN_FACTS}, exif=json.loads(row.exif))


def file_of(row: Row[*tuple[Any, ...]]) -> StoredFile:
    return StoredFile(row.storage_id, row.byte_size, row.format, row.content_type, row.thumbnail_extension)


def original_of(row: Row[*tuple[Any, ...]]) -> Original:
    return Original(id=row.id, sha256=row.sha256, file=file_of(row))


def listed_of(row: Row[*tuple[Any, ...]]) -> ListedImage:
    """From a row that begins with `LISTED_COLUMNS`; taken apart by place, because there are many."""
    image_id, name, uploaded_at, taken_at, width, height, *file = row[: len(LISTED_COLUMNS)]
    return ListedImage(image_id, name, uploaded_at, taken_at, width, height, StoredFile(*file))


def image_of(row: Row[*tuple[Any, ...]]) -> Image:
    """From a row with the columns of `images`, its original's file and `sha256`, `exif` and `carries`."""
    entry = Entry(
        identity=row.identity,
        width=row.width,
        height=row.height,
        mode=row.mode,
        frames=row.frames,
        pixel_sha512=row.pixel_sha512,
        facts=facts_of(row),
        carries=_carries_of(row.carries),
    )
    return Image(
        id=row.id,
        owner=row.owner,
        name=row.name,
        uploaded_at=row.uploaded_at,
        sha256=row.sha256,
        file=file_of(row),
        entry=entry,
    )
