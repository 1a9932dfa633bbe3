"""The tables of the catalog. `migrations/` must lead to exactly these; a test holds the two together.

Every index that serves the list is led by the owner and ends in the id wherever an order is promised. `images` repeats a
few facts of its original that never change, because an index cannot reach across a join; the tags are in a table of their
own, so that a page of the list reads fifty short rows.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Named,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    TypedColumns,
    UniqueConstraint,
    text,
)

from chalicelib.catalog.column_types import Ascii, Id, LongText, Utc, WallClock, digest, folded
from chalicelib.catalog.folding import FOLDED_BYTES

metadata = MetaData()

_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
    "sqlite_autoincrement": True,
}

_OWNER = Ascii(64)
_UPLOAD_ID = Ascii(36)
_STORAGE_ID = Ascii(64)
_FOLDED = folded(FOLDED_BYTES)
_PLACE = ("cell", "latitude", "longitude")


class _Originals(TypedColumns):
    id: Named[int] = Column(Id)
    #: Whose file it is; empty where the release before stored it once for several, until each of them has a copy.
    owner: Named[str] = Column(_OWNER, server_default=text("''"))
    sha256: Named[bytes] = Column(digest(32))
    storage_id: Named[str] = Column(_STORAGE_ID)
    byte_size: Named[int] = Column(BigInteger)
    format: Named[str] = Column(String(32))
    content_type: Named[str] = Column(String(64))
    thumbnail_extension: Named[str] = Column(String(8))
    #: 1, or NULL once no image refers to the file: a unique key does not count NULLs.
    live: Named[int | None] = Column(SmallInteger)


originals = Table(
    "originals",
    metadata,
    _Originals,
    PrimaryKeyConstraint("id", name="pk_originals"),
    # Led by the digest, by which the release before looks for a file.
    UniqueConstraint("sha256", "owner", "live", name="uq_originals_sha256_owner_live"),
    UniqueConstraint("storage_id", name="uq_originals_storage_id"),
    Index("ix_originals_live", "live", "id"),
    **_OPTIONS,
)


class _Images(TypedColumns):
    id: Named[int] = Column(Id)
    owner: Named[str] = Column(_OWNER)
    identity: Named[bytes] = Column(digest(32))
    original_id: Named[int] = Column(Id)
    name: Named[str] = Column(String(255))
    name_key: Named[bytes] = Column(_FOLDED)
    uploaded_at: Named[datetime] = Column(Utc)
    byte_size: Named[int] = Column(BigInteger)
    format_key: Named[bytes] = Column(folded(32))
    width: Named[int] = Column(Integer)
    height: Named[int] = Column(Integer)
    mode: Named[str] = Column(String(16))
    frames: Named[int] = Column(Integer)
    pixel_sha512: Named[bytes] = Column(digest(64))
    taken_at: Named[datetime | None] = Column(WallClock)
    taken_at_offset: Named[str | None] = Column(String(6))
    taken_at_source: Named[str | None] = Column(String(64))
    #: `taken_at`, or `uploaded_at` where the camera's time is not known.
    sort_time: Named[datetime] = Column(WallClock)
    camera_make: Named[str | None] = Column(String(255))
    camera_make_key: Named[bytes | None] = Column(_FOLDED)
    camera_model: Named[str | None] = Column(String(255))
    camera_model_key: Named[bytes | None] = Column(_FOLDED)
    lens_model: Named[str | None] = Column(String(255))
    lens_model_key: Named[bytes | None] = Column(_FOLDED)
    exposure_time: Named[float | None] = Column(Double)
    f_number: Named[float | None] = Column(Double)
    iso: Named[int | None] = Column(BigInteger)
    focal_length: Named[float | None] = Column(Double)
    latitude: Named[float | None] = Column(Double)
    longitude: Named[float | None] = Column(Double)
    altitude: Named[float | None] = Column(Double)
    located: Named[int] = Column(SmallInteger)
    #: The place as a number (see `cells`); NULL without one.
    cell: Named[int | None] = Column(Integer)


images = Table(
    "images",
    metadata,
    _Images,
    PrimaryKeyConstraint("id", name="pk_images"),
    UniqueConstraint("owner", "identity", name="uq_images_owner_identity"),
    ForeignKeyConstraint(["original_id"], ["originals.id"], name="fk_images_original_id"),
    Index("ix_images_original_id", "original_id"),
    # The four sorts. What follows the id lets filters by date, name and place be judged in the index alone, where none of
    # their own is narrow enough or the order wanted is another one.
    Index("ix_images_owner_uploaded_at", "owner", "uploaded_at", "id", "taken_at", "name_key", *_PLACE),
    Index("ix_images_owner_sort_time", "owner", "sort_time", "id", "taken_at", "uploaded_at", "name_key", *_PLACE),
    Index("ix_images_owner_name", "owner", "name_key", "id", "uploaded_at", "taken_at", *_PLACE),
    Index("ix_images_owner_byte_size", "owner", "byte_size", "id", "uploaded_at", "taken_at", "name_key", *_PLACE),
    # The filters; those that are equal to something leave the newest first.
    Index("ix_images_owner_taken_at", "owner", "taken_at"),
    Index("ix_images_owner_format", "owner", "format_key", "uploaded_at", "id"),
    Index("ix_images_owner_camera_make", "owner", "camera_make_key", "uploaded_at", "id"),
    Index("ix_images_owner_camera_model", "owner", "camera_model_key", "uploaded_at", "id"),
    Index("ix_images_owner_lens_model", "owner", "lens_model_key", "uploaded_at", "id"),
    Index("ix_images_owner_width", "owner", "width"),
    Index("ix_images_owner_height", "owner", "height"),
    Index("ix_images_owner_iso", "owner", "iso"),
    Index("ix_images_owner_f_number", "owner", "f_number"),
    Index("ix_images_owner_exposure_time", "owner", "exposure_time"),
    Index("ix_images_owner_focal_length", "owner", "focal_length"),
    Index("ix_images_owner_located", "owner", "located", "uploaded_at", "id"),
    Index("ix_images_owner_cell", "owner", *_PLACE),
    **_OPTIONS,
)


class _ImageTags(TypedColumns):
    image_id: Named[int] = Column(Id, autoincrement=False)
    exif: Named[str] = Column(LongText)
    #: What the file holds besides, as JSON; NULL where it holds nothing, or was stored before this was looked at.
    carries: Named[str | None] = Column(LongText)


image_tags = Table(
    "image_tags",
    metadata,
    _ImageTags,
    PrimaryKeyConstraint("image_id", name="pk_image_tags"),
    ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_image_tags_image_id"),
    **_OPTIONS | {"sqlite_autoincrement": False},
)


class _KnownFiles(TypedColumns):
    owner: Named[str] = Column(_OWNER)
    sha256: Named[bytes] = Column(digest(32))
    image_id: Named[int] = Column(Id)


known_files = Table(
    "known_files",
    metadata,
    _KnownFiles,
    PrimaryKeyConstraint("owner", "sha256", name="pk_known_files"),
    ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_known_files_image_id"),
    Index("ix_known_files_image_id", "image_id"),
    **_OPTIONS | {"sqlite_autoincrement": False},
)


class _Uploads(TypedColumns):
    id: Named[str] = Column(_UPLOAD_ID)
    owner: Named[str] = Column(_OWNER)
    name: Named[str] = Column(String(255))
    size: Named[int] = Column(BigInteger)
    sha256: Named[bytes | None] = Column(digest(32))
    status: Named[str] = Column(Ascii(16))
    #: The release before knows these two by the names that they have in the table.
    attempt: Named[int] = Column("claim", Integer)
    leased_at: Named[datetime | None] = Column("claimed_at", Utc)
    strikes: Named[int] = Column(Integer)
    #: Under which the attempt that holds the lease puts its objects, if it puts any.
    storage_id: Named[str | None] = Column(_STORAGE_ID)
    #: No foreign key: the image may have been deleted since.
    image_id: Named[int | None] = Column(Id)
    match: Named[str | None] = Column(String(16))
    differs: Named[str] = Column(String(255))
    error_code: Named[str | None] = Column(String(64))
    error_message: Named[str | None] = Column(LongText)
    created_at: Named[datetime] = Column(Utc)
    expires_at: Named[datetime] = Column(Utc)
    ended_at: Named[datetime | None] = Column(Utc)


uploads = Table(
    "uploads",
    metadata,
    _Uploads,
    PrimaryKeyConstraint("id", name="pk_uploads"),
    Index("ix_uploads_status", "status", "id"),
    Index("ix_uploads_owner_status", "owner", "status"),
    Index("ix_uploads_ended_at", "ended_at"),
    Index("ix_uploads_storage_id", "storage_id"),
    **_OPTIONS | {"sqlite_autoincrement": False},
)


class _Owners(TypedColumns):
    owner: Named[str] = Column(_OWNER)
    images: Named[int] = Column(BigInteger)
    image_bytes: Named[int] = Column(BigInteger)
    open_uploads: Named[int] = Column(BigInteger)
    open_bytes: Named[int] = Column(BigInteger)


#: What each owner has: counters, changed last in every transaction that changes what they count.
owners = Table(
    "owners",
    metadata,
    _Owners,
    PrimaryKeyConstraint("owner", name="pk_owners"),
    **_OPTIONS | {"sqlite_autoincrement": False},
)


class _ApiKeys(TypedColumns):
    id: Named[str] = Column(Ascii(32))
    owner: Named[str] = Column(_OWNER)
    #: A SHA-256: the secret itself is nowhere.
    secret_sha256: Named[bytes] = Column(digest(32))
    scopes: Named[str] = Column(Ascii(64))
    created_at: Named[datetime] = Column(Utc)
    revoked_at: Named[datetime | None] = Column(Utc)


api_keys = Table(
    "api_keys",
    metadata,
    _ApiKeys,
    PrimaryKeyConstraint("id", name="pk_api_keys"),
    **_OPTIONS | {"sqlite_autoincrement": False},
)


class _SweepCheckpoint(TypedColumns):
    step: Named[str] = Column(Ascii(32))
    after: Named[str] = Column(Ascii(255))


#: Holds one row while a sweep is cut off, otherwise none.
sweep_checkpoint = Table(
    "sweep_place",
    metadata,
    _SweepCheckpoint,
    PrimaryKeyConstraint("step", name="pk_sweep_place"),
    **_OPTIONS | {"sqlite_autoincrement": False},
)


class _Repository(TypedColumns):
    #: Always 1: there is one repository.
    row: Named[int] = Column(SmallInteger, autoincrement=False)
    id: Named[str] = Column(Ascii(32))
    #: 1 once the store was seen with this id; 0 while it is only what the store is to be given.
    agreed: Named[int] = Column(SmallInteger)


#: Holds one row, or none before the first start.
repository = Table(
    "repository",
    metadata,
    _Repository,
    PrimaryKeyConstraint("row", name="pk_repository"),
    **_OPTIONS | {"sqlite_autoincrement": False},
)
