"""What both sides of taking a file in do with the event that it has come: ask which object it names, and read it once."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from typing import IO, Any
from urllib.parse import unquote_plus

from chalicelib.storage.port import Reading


def created_objects(notification: Mapping[str, Any]) -> Iterator[tuple[str, datetime | None]]:
    """The keys of created objects in an S3 notification, and since when; the test event S3 sends on set-up has no records."""
    for record in notification.get("Records", []):
        if record.get("eventName", "").startswith("ObjectCreated:"):
            event_time = record.get("eventTime")
            yield unquote_plus(record["s3"]["object"]["key"]), datetime.fromisoformat(event_time) if event_time else None


def copy_and_hash(reading: Reading, file: IO[bytes]) -> bytes:
    """The SHA-256 of what is read; raises what `Reading.chunks` raises."""
    digest = sha256()
    for chunk in reading.chunks():
        digest.update(chunk)
        file.write(chunk)
    file.flush()
    return digest.digest()
