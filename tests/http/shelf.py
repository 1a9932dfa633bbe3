"""Images put straight into the catalog, for tests that need many of them or facts of their choosing."""

import hashlib
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.model.facts import Carried, Facts
from chalicelib.model.records import Admission, Entry, NewUpload, NoLease, StoredFile
from chalicelib.repository import Repository

#: When the first image on a shelf was uploaded; each further one came a minute later.
OPENED = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


@dataclass
class Shelf:
    """One repository's images, each with bytes of its own that nobody ever sees."""

    repository: Repository
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def put(
        self,
        name: str = "photo.jpg",
        *,
        owner: str = "local",
        uploaded_at: datetime | None = None,
        width: int = 640,
        height: int = 480,
        byte_size: int = 1000,
        file_format: str = "JPEG",
        carries: tuple[Carried, ...] = (),
        **facts: Any,
    ) -> int:
        """Returns the image's id; `facts` are those of `Facts`."""
        number = next(self._numbers)
        now = uploaded_at or OPENED + timedelta(minutes=number)
        digest = hashlib.sha256(b"%d" % number).digest()
        upload_id = f"{number:036d}"
        uploads = self.repository.catalog.uploads
        uploads.add([NewUpload(upload_id, owner, name, byte_size, None, now, now)])
        upload = uploads.lease(upload_id, now, now)
        assert not isinstance(upload, NoLease)
        entry = Entry(digest, width, height, "RGB", 1, digest + digest, Facts(**facts), carries)
        file = StoredFile(f"{upload_id}-1", byte_size, file_format, f"image/{file_format.lower()}", "jpg")
        admission = Admission(upload_id, upload.attempt, owner, name, digest, entry, file)
        return self.repository.catalog.images.admit(admission, now).image_id
