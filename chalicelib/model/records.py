"""The rows of the catalog as they enter and leave the room: frozen values, no database types.

Times are UTC with their zone, except the camera's wall clock (`Facts.taken_at`), which has none. Digests are raw bytes.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Literal

from chalicelib.model.facts import Carried, Facts

#: The largest number that the catalog keeps, of ids as of sizes; ids are positive.
LARGEST_INTEGER = 2**63 - 1

UploadStatus = Literal["pending", "processing", "stored", "duplicate", "rejected", "expired"]
Match = Literal["file", "pixels"]
#: The statuses of an upload while it is open, with which it has ended, and with which it has led to an image.
OPEN: tuple[UploadStatus, ...] = ("pending", "processing")
ENDED: tuple[UploadStatus, ...] = ("stored", "duplicate", "rejected")
LED_TO_IMAGE: tuple[UploadStatus, ...] = ("stored", "duplicate")


@dataclass(frozen=True, slots=True)
class NewUpload:
    """An upload that is asked for: `size` in bytes and `sha256` are what the client declared."""

    id: str
    owner: str
    name: str
    size: int
    sha256: bytes | None
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload. `attempt` counts the attempts to take it in, `strikes` those that a decoder did not survive.

    `storage_id` is the name under which the attempt that holds the lease puts its objects.
    """

    id: str
    owner: str
    name: str
    size: int
    sha256: bytes | None
    status: UploadStatus
    attempt: int
    leased_at: datetime | None
    strikes: int
    storage_id: str | None
    image_id: int | None
    match: Match | None
    differs: tuple[str, ...]
    error_code: str | None
    error_message: str | None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


class NoLease(Enum):
    """Why an upload could not be leased."""

    UNKNOWN = "no such upload"
    ENDED = "it has ended already"
    BUSY = "another worker holds it"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An owner's file: where its bytes are and what they are."""

    storage_id: str
    byte_size: int
    format: str
    content_type: str
    thumbnail_extension: str


@dataclass(frozen=True, slots=True)
class Original:
    """A live row of `originals`."""

    id: int
    sha256: bytes
    file: StoredFile


@dataclass(frozen=True, slots=True)
class Entry:
    """What an owner's entry for a picture says of it."""

    identity: bytes
    width: int
    height: int
    mode: str
    frames: int
    pixel_sha512: bytes
    facts: Facts
    carries: tuple[Carried, ...] = ()


@dataclass(frozen=True, slots=True)
class Admission:
    """A file on its way into the catalog, at the end of one attempt.

    `entry` is `None` where the owner is known to have sent this very file before. `written` is what this attempt put into
    the store, `None` where it wrote nothing because it counted on the owner's entry.
    """

    upload_id: str
    attempt: int
    owner: str
    name: str
    sha256: bytes
    entry: Entry | None
    written: StoredFile | None


@dataclass(frozen=True, slots=True)
class Admitted:
    """How an admission ended. `adopted` says whether the catalog now refers to what the attempt wrote."""

    image_id: int
    status: Literal["stored", "duplicate"]
    match: Match | None
    differs: tuple[str, ...]
    adopted: bool


class LeaseLost(Exception):
    """Another worker has taken the upload over, or it has ended: this one must undo what it wrote and stop."""


class Overtaken(Exception):
    """The owner's entry that the attempt counted on has gone meanwhile: begin again with the bytes."""


@dataclass(frozen=True, slots=True)
class ListedImage:
    """An image as the list shows it."""

    id: int
    name: str
    uploaded_at: datetime
    taken_at: datetime | None
    width: int
    height: int
    file: StoredFile


@dataclass(frozen=True, slots=True)
class Image:
    """An image with all that is known of it; `sha256` is that of the file held."""

    id: int
    owner: str
    name: str
    uploaded_at: datetime
    sha256: bytes
    file: StoredFile
    entry: Entry


@dataclass(frozen=True, slots=True)
class Sharer:
    """An image whose file the release before stored once for several owners."""

    image_id: int
    owner: str
    original: Original


@dataclass(frozen=True, slots=True)
class Tombstone:
    """An original that no image refers to any more: its objects go first, then its row."""

    original_id: int
    file: StoredFile


@dataclass(frozen=True, slots=True)
class Deletion:
    """What deleting an image left behind: `tombstone` is that of the file, unless others refer to it."""

    tombstone: Tombstone | None


Sort = Literal["-uploaded_at", "uploaded_at", "-taken_at", "taken_at", "name", "-name", "byte_size", "-byte_size"]
#: The value a list is sorted by: a time, the folded name as bytes, or a size.
SortValue = datetime | bytes | int


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends inclusive; `None` leaves an end open."""

    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """Degrees. `west` greater than `east` means that the box crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class Filters:
    """Which images a list holds; what is left at its default does not restrict it.

    `*_after` is inclusive, `*_before` exclusive. The tuples hold alternatives, compared without regard to case. Keys of
    `ranges` are `width`, `height`, `byte_size`, `iso`, `f_number`, `exposure_time` and `focal_length`.
    """

    uploaded_after: datetime | None = None
    uploaded_before: datetime | None = None
    taken_after: datetime | None = None
    taken_before: datetime | None = None
    name: str | None = None
    format: tuple[str, ...] = ()
    camera_make: tuple[str, ...] = ()
    camera_model: tuple[str, ...] = ()
    lens_model: tuple[str, ...] = ()
    ranges: dict[str, Range] = field(default_factory=dict)
    has_location: bool | None = None
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a sorted list a page begins: just behind the image with this sort value and id."""

    value: SortValue
    id: int


@dataclass(frozen=True, slots=True)
class Page:
    """`next` is `None` on the last page."""

    images: tuple[ListedImage, ...]
    next: Position | None


Scope = Literal["read", "write", "admin"]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that lets its bearer act for an owner; `secret_sha256` is all that is kept of the secret."""

    id: str
    owner: str
    secret_sha256: bytes
    scopes: tuple[Scope, ...]
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Quota:
    """What each owner may have, uploads under way included; `None` sets no limit."""

    max_bytes: int | None = None
    max_images: int | None = None
    max_open_uploads: int | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What an owner has: images held and their bytes, and uploads under way with the bytes declared for them."""

    images: int = 0
    image_bytes: int = 0
    open_uploads: int = 0
    open_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a sweep stopped: the step's name and the last id or key it dealt with."""

    step: str
    after: str = ""
