"""What decodes on AWS: from the event that bytes have come to an object that says what they show.

It has a function of its own, whose role reads `incoming/`, writes `decoded/` and may do nothing else: a file that takes a
decoder over gets no further. Which upload the bytes belong to, and whether anybody still wants to know, `Ingest` says.
"""

import logging
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chalicelib.errors import BadImageError, MisconfiguredError, RepositoryError, UnavailableError
from chalicelib.model.pictures import Picture
from chalicelib.services.arriving import copy_and_hash, created_objects
from chalicelib.storage import keys
from chalicelib.storage.port import ObjectChanged, ObjectMissing, ObjectStore

#: How many decoders a file may take down before that is what was found in it.
TRIES = 3
_CONTENT_TYPE = "application/octet-stream"

#: Decodes a local file, given its SHA-256. Raises `UnsupportedImageError` or `BadImageError` for one that is refused.
Examine = Callable[[Path, bytes], Picture]
#: Makes a finding of what was found in the file with this SHA-256, or of why it could not be read at all.
Pack = Callable[[bytes, Picture | RepositoryError], bytes]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Decode:
    """What runs behind the queue of what has come. `scratch` names the folder of files that are being worked on."""

    store: ObjectStore
    examine: Examine
    pack: Pack
    scratch: Callable[[], Path]

    def handle(self, notification: Mapping[str, Any]) -> None:
        """Decode every object that an S3 notification names. Raises on a fault, so that the queue delivers it again."""
        for key, created in created_objects(notification):
            subject = keys.subject_of(key)
            if subject is None or key != keys.incoming(subject):
                log.warning("an event names an object that is no upload")
            else:
                waited = {"queue_delay_ms": _since(created)} if created else {}
                began = datetime.now(UTC)
                self.decode(subject)
                fields = {"upload_id": subject, "decode_ms": _since(began), **waited}
                log.info("decoded %s", subject, extra={"fields": fields})

    def decode(self, subject: str) -> None:
        """Leave in `decoded/` what was found in the bytes that lie there now; the same again for an event that comes twice."""
        with tempfile.NamedTemporaryFile(prefix="image-repo-", dir=self.scratch()) as file:
            try:
                with self.store.open(keys.incoming(subject)) as reading:
                    sha256 = copy_and_hash(reading, file)
            except (ObjectMissing, ObjectChanged):  # taken in already, or sent again, which is an event of its own
                return
            except MisconfiguredError as problem:
                # What has been taken in already looks forbidden to a role that may not list. `Ingest` may, and knows better.
                finding = self.pack(b"", problem)
            else:
                finding = self._finding(subject, Path(file.name), sha256)
        self.store.put(keys.decoded(subject), finding, _CONTENT_TYPE)

    def _finding(self, subject: str, path: Path, sha256: bytes) -> bytes:
        for _ in range(TRIES):
            try:
                return self.pack(sha256, self.examine(path, sha256))
            except (UnavailableError, OSError):  # no fault of the file's
                raise
            except RepositoryError as refusal:
                return self.pack(sha256, refusal)
            except Exception as death:
                log.warning("a decoder did not survive %s: %s", subject, death)
        return self.pack(
            sha256, BadImageError(f"The file brought the decoder down {TRIES} times: it cannot be read as an image.")
        )


def _since(moment: datetime) -> int:
    """Milliseconds."""
    return round((datetime.now(UTC) - moment).total_seconds() * 1000)
