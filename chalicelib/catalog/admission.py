"""The transaction that takes a file into the catalog: the end of an upload's life.

Locks are taken in one order everywhere, image, original, upload, owner, so that admissions, deletions and the sweep cannot
wait for each other in a circle. Rows to come are looked for first; where another worker inserts one between the look and our
own insert, the unique key says so, and the transaction begins anew and finds it.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from chalicelib.catalog.conversion import facts_of, json_of, new_id, tags_of, values_of_facts
from chalicelib.catalog.database import Database
from chalicelib.catalog.folding import folded
from chalicelib.catalog.owners import count
from chalicelib.catalog.tables import image_tags, images, known_files, originals
from chalicelib.catalog.uploads import end, has_lease
from chalicelib.errors import UnavailableError
from chalicelib.model.facts import combine
from chalicelib.model.records import Admission, Admitted, Entry, LeaseLost, Overtaken, StoredFile

#: Each lost race leaves the winner's row to be found, so more than two in one admission take a delete in between.
_ATTEMPTS = 10


class _Vanished(Exception):
    """A row that was there a moment ago has been deleted: look again."""


def admit(database: Database, admission: Admission, now: datetime) -> Admitted:
    """End the upload as stored or duplicate. Raises `LeaseLost`, `Overtaken` or `UnavailableError`; then nothing is changed."""
    failure: Exception | None = None
    for _ in range(_ATTEMPTS):
        try:
            return database.write(lambda connection: _admit(connection, admission, now))
        except (IntegrityError, _Vanished) as error:
            failure = error
            if not database.read(lambda connection: has_lease(connection, admission.upload_id, admission.attempt)):
                raise LeaseLost(admission.upload_id) from error
    raise UnavailableError("Too many work on the same image at the moment; nothing was lost, try again.") from failure


def _admit(connection: Connection, admission: Admission, now: datetime) -> Admitted:
    admitted = _known(connection, admission)
    if admitted is None:
        if admission.entry is None:
            raise Overtaken(admission.upload_id)
        admitted = _held(connection, admission, admission.entry) or _new(connection, admission, admission.entry, now)
    owner, change = end(
        connection,
        admission.upload_id,
        admission.attempt,
        status=admitted.status,
        image_id=admitted.image_id,
        match=admitted.match,
        differs=" ".join(admitted.differs),
        ended_at=now,
    )
    if admitted.adopted and admission.written:
        change = replace(change, images=1, image_bytes=admission.written.byte_size)
    count(connection, owner, change)
    return admitted


def _known(connection: Connection, admission: Admission) -> Admitted | None:
    """The owner's entry, where this very file has led to one before."""
    image_id = connection.scalar(
        select(known_files.c.image_id).where(known_files.c.owner == admission.owner, known_files.c.sha256 == admission.sha256)
    )
    if image_id is None:
        return None
    if connection.scalar(select(images.c.id).where(images.c.id == image_id).with_for_update()) is None:
        raise _Vanished
    return Admitted(image_id, "duplicate", "file", (), adopted=False)


def _held(connection: Connection, admission: Admission, entry: Entry) -> Admitted | None:
    """The owner's entry for this picture, where another file has led to it; what it lacks is filled in."""
    image_id = connection.scalar(
        select(images.c.id).where(images.c.owner == admission.owner, images.c.identity == entry.identity)
    )
    if image_id is None:
        return None
    row = connection.execute(
        select(images, image_tags.c.exif)
        .join_from(images, image_tags, image_tags.c.image_id == images.c.id)
        .where(images.c.id == image_id)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise _Vanished
    before = facts_of(row)
    facts, differs = combine(before, entry.facts)
    if facts != before:
        values = values_of_facts(facts, row.uploaded_at)
        connection.execute(update(images).where(images.c.id == image_id).values(**values))
        connection.execute(update(image_tags).where(image_tags.c.image_id == image_id).values(exif=json_of(facts.exif)))
    _remember(connection, admission, image_id)
    return Admitted(image_id, "duplicate", "pixels", differs, adopted=False)


def _new(connection: Connection, admission: Admission, entry: Entry, now: datetime) -> Admitted:
    written = admission.written
    if written is None:
        raise Overtaken(admission.upload_id)
    original_id = insert_original(connection, admission.owner, admission.sha256, written)
    inserted = connection.execute(
        insert(images).values(
            owner=admission.owner,
            identity=entry.identity,
            original_id=original_id,
            name=admission.name,
            name_key=folded(admission.name),
            uploaded_at=now,
            byte_size=written.byte_size,
            format_key=folded(written.format),
            width=entry.width,
            height=entry.height,
            mode=entry.mode,
            frames=entry.frames,
            pixel_sha512=entry.pixel_sha512,
            **values_of_facts(entry.facts, now),
        )
    )
    image_id = new_id(inserted)
    connection.execute(insert(image_tags).values(image_id=image_id, **tags_of(entry)))
    _remember(connection, admission, image_id)
    return Admitted(image_id, "stored", None, (), adopted=True)


def insert_original(connection: Connection, owner: str, sha256: bytes, file: StoredFile) -> int:
    """A live original of this owner's; returns its id."""
    inserted = connection.execute(
        insert(originals).values(
            owner=owner,
            sha256=sha256,
            storage_id=file.storage_id,
            byte_size=file.byte_size,
            format=file.format,
            content_type=file.content_type,
            thumbnail_extension=file.thumbnail_extension,
            live=1,
        )
    )
    return new_id(inserted)


def _remember(connection: Connection, admission: Admission, image_id: int) -> None:
    connection.execute(insert(known_files).values(owner=admission.owner, sha256=admission.sha256, image_id=image_id))
