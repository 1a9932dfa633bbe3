"""The first tables: originals, images with their tags, known files, uploads."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from chalicelib.catalog.column_types import Ascii, Id, LongText, Utc, WallClock, digest
from chalicelib.catalog.column_types import folded as key
from chalicelib.catalog.unless_there import create_index, create_table

revision = "0001"
down_revision = None

_OPTIONS: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}

#: Each leads with the owner.
_IMAGE_INDEXES = {
    "uploaded_at": ("uploaded_at", "id", "taken_at", "name_key", "cell", "latitude", "longitude"),
    "sort_time": ("sort_time", "id", "taken_at", "uploaded_at", "name_key", "cell", "latitude", "longitude"),
    "name": ("name_key", "id", "uploaded_at", "taken_at", "cell", "latitude", "longitude"),
    "byte_size": ("byte_size", "id", "uploaded_at", "taken_at", "name_key", "cell", "latitude", "longitude"),
    "taken_at": ("taken_at",),
    "format": ("format_key", "uploaded_at", "id"),
    "camera_make": ("camera_make_key", "uploaded_at", "id"),
    "camera_model": ("camera_model_key", "uploaded_at", "id"),
    "lens_model": ("lens_model_key", "uploaded_at", "id"),
    "width": ("width",),
    "height": ("height",),
    "iso": ("iso",),
    "f_number": ("f_number",),
    "exposure_time": ("exposure_time",),
    "focal_length": ("focal_length",),
    "located": ("located", "uploaded_at", "id"),
    "cell": ("cell", "latitude", "longitude"),
}


def upgrade() -> None:
    _create_originals()
    _create_images()
    _create_tags_and_known_files()
    _create_uploads()


def downgrade() -> None:
    for table in ("uploads", "known_files", "image_tags", "images", "originals"):
        op.drop_table(table)


def _create_originals() -> None:
    create_table(
        "originals",
        sa.Column("id", Id, nullable=False),
        sa.Column("sha256", digest(32), nullable=False),
        sa.Column("storage_id", Ascii(64), nullable=False),
        sa.Column("byte_size", sa.BigInteger, nullable=False),
        sa.Column("format", sa.String(32), nullable=False),
        sa.Column("content_type", sa.String(64), nullable=False),
        sa.Column("thumbnail_extension", sa.String(8), nullable=False),
        sa.Column("live", sa.SmallInteger),
        sa.PrimaryKeyConstraint("id", name="pk_originals"),
        sa.UniqueConstraint("sha256", "live", name="uq_originals_sha256_live"),
        sa.UniqueConstraint("storage_id", name="uq_originals_storage_id"),
        sqlite_autoincrement=True,
        **_OPTIONS,
    )
    create_index("ix_originals_live", "originals", ["live", "id"])


def _create_images() -> None:
    create_table(
        "images",
        sa.Column("id", Id, nullable=False),
        sa.Column("owner", Ascii(64), nullable=False),
        sa.Column("identity", digest(32), nullable=False),
        sa.Column("original_id", Id, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("name_key", key(1020), nullable=False),
        sa.Column("uploaded_at", Utc, nullable=False),
        sa.Column("byte_size", sa.BigInteger, nullable=False),
        sa.Column("format_key", key(32), nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("mode", sa.String(16), nullable=False),
        sa.Column("frames", sa.Integer, nullable=False),
        sa.Column("pixel_sha512", digest(64), nullable=False),
        sa.Column("taken_at", WallClock),
        sa.Column("taken_at_offset", sa.String(6)),
        sa.Column("taken_at_source", sa.String(64)),
        sa.Column("sort_time", WallClock, nullable=False),
        sa.Column("camera_make", sa.String(255)),
        sa.Column("camera_make_key", key(1020)),
        sa.Column("camera_model", sa.String(255)),
        sa.Column("camera_model_key", key(1020)),
        sa.Column("lens_model", sa.String(255)),
        sa.Column("lens_model_key", key(1020)),
        sa.Column("exposure_time", sa.Double),
        sa.Column("f_number", sa.Double),
        sa.Column("iso", sa.BigInteger),
        sa.Column("focal_length", sa.Double),
        sa.Column("latitude", sa.Double),
        sa.Column("longitude", sa.Double),
        sa.Column("altitude", sa.Double),
        sa.Column("located", sa.SmallInteger, nullable=False),
        sa.Column("cell", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_images"),
        sa.UniqueConstraint("owner", "identity", name="uq_images_owner_identity"),
        sa.ForeignKeyConstraint(["original_id"], ["originals.id"], name="fk_images_original_id"),
        sqlite_autoincrement=True,
        **_OPTIONS,
    )
    create_index("ix_images_original_id", "images", ["original_id"])
    for name, columns in _IMAGE_INDEXES.items():
        create_index(f"ix_images_owner_{name}", "images", ["owner", *columns])


def _create_tags_and_known_files() -> None:
    create_table(
        "image_tags",
        sa.Column("image_id", Id, autoincrement=False, nullable=False),
        sa.Column("exif", LongText, nullable=False),
        sa.PrimaryKeyConstraint("image_id", name="pk_image_tags"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_image_tags_image_id"),
        **_OPTIONS,
    )
    create_table(
        "known_files",
        sa.Column("owner", Ascii(64), nullable=False),
        sa.Column("sha256", digest(32), nullable=False),
        sa.Column("image_id", Id, nullable=False),
        sa.PrimaryKeyConstraint("owner", "sha256", name="pk_known_files"),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name="fk_known_files_image_id"),
        **_OPTIONS,
    )
    create_index("ix_known_files_image_id", "known_files", ["image_id"])


def _create_uploads() -> None:
    create_table(
        "uploads",
        sa.Column("id", Ascii(36), nullable=False),
        sa.Column("owner", Ascii(64), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", digest(32)),
        sa.Column("status", Ascii(16), nullable=False),
        sa.Column("claim", sa.Integer, nullable=False),
        sa.Column("claimed_at", Utc),
        sa.Column("strikes", sa.Integer, nullable=False),
        sa.Column("image_id", Id),
        sa.Column("match", sa.String(16)),
        sa.Column("differs", sa.String(255), nullable=False),
        sa.Column("error_code", sa.String(64)),
        sa.Column("error_message", LongText),
        sa.Column("created_at", Utc, nullable=False),
        sa.Column("expires_at", Utc, nullable=False),
        sa.Column("ended_at", Utc),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
        **_OPTIONS,
    )
    create_index("ix_uploads_status", "uploads", ["status", "id"])
    create_index("ix_uploads_ended_at", "uploads", ["ended_at"])
