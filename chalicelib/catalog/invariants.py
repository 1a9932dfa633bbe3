"""What must always be true of the rows, as far as SQL can see it."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal_column, or_, select, union_all

from chalicelib.catalog.tables import image_tags, images, known_files, originals, owners, uploads
from chalicelib.model.records import ENDED, LED_TO_IMAGE, OPEN


def violations(connection: Connection) -> list[str]:
    """A sentence for each invariant that does not hold, with how often and one example; empty when all do."""
    found = []
    for sentence, offenders in _offenders():
        ids = offenders.subquery()
        count, example = connection.execute(select(func.count(), func.min(ids.c[0])).select_from(ids)).one()
        if count:
            found.append(f"{sentence}: {count}, the first is {example}.")
    return found


def miscounted(after_owner: str) -> Select[Any]:
    """Owners behind this one, in order, whose counters are not what their rows say.

    One statement, and so one moment: each counter is changed in the transaction that changes what it counts.
    """
    none: ColumnElement[int] = literal_column("0")
    held = select(images.c.owner, *_four(func.count(), func.sum(images.c.byte_size), none, none)).group_by(images.c.owner)
    under_way = select(uploads.c.owner, *_four(none, none, func.count(), func.sum(uploads.c.size)))
    under_way = under_way.where(uploads.c.status.in_(OPEN)).group_by(uploads.c.owner)
    counters = (owners.c.images, owners.c.image_bytes, owners.c.open_uploads, owners.c.open_bytes)
    counted = select(owners.c.owner, *_four(*(-counter for counter in counters)))
    owner, *differences = union_all(held, under_way, counted).subquery("counts").c
    wrong = or_(*(func.sum(difference) != 0 for difference in differences))
    return select(owner).where(owner > after_owner).group_by(owner).having(wrong).order_by(owner)


def _four(*counts: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    """Named, for the columns of a union must be."""
    return [each.label(f"count_{number}") for number, each in enumerate(counts)]


def _offenders() -> list[tuple[str, Select[Any]]]:
    counters = ("Owners whose counters are not what their rows say", miscounted(""))
    return [*_offenders_among_images(), *_offenders_among_uploads(), counters]


def _offenders_among_images() -> list[tuple[str, Select[Any]]]:
    return [
        (
            "Images without a live original",
            select(images.c.id)
            .outerjoin(originals, (originals.c.id == images.c.original_id) & (originals.c.live == 1))
            .where(originals.c.id.is_(None)),
        ),
        (
            "Live originals without an image",
            select(originals.c.id)
            .outerjoin(images, images.c.original_id == originals.c.id)
            .where(originals.c.live == 1, images.c.id.is_(None)),
        ),
        (
            "Images whose own file is not among their owner's known files",
            select(images.c.id)
            .join(originals, originals.c.id == images.c.original_id)
            .outerjoin(
                known_files,
                (known_files.c.owner == images.c.owner)
                & (known_files.c.sha256 == originals.c.sha256)
                & (known_files.c.image_id == images.c.id),
            )
            .where(known_files.c.image_id.is_(None)),
        ),
        (
            "Known files that lead to no image of their owner",
            select(known_files.c.image_id)
            .outerjoin(images, (images.c.id == known_files.c.image_id) & (images.c.owner == known_files.c.owner))
            .where(images.c.id.is_(None)),
        ),
        (
            "Images whose file is not their owner's",
            select(images.c.id)
            .join(originals, originals.c.id == images.c.original_id)
            .where(originals.c.owner != images.c.owner),
        ),
        (
            "Files with several images",
            select(images.c.original_id).group_by(images.c.original_id).having(func.count() > 1),
        ),
        (
            "Images without a row for their tags",
            select(images.c.id)
            .outerjoin(image_tags, image_tags.c.image_id == images.c.id)
            .where(image_tags.c.image_id.is_(None)),
        ),
    ]


def _offenders_among_uploads() -> list[tuple[str, Select[Any]]]:
    return [
        (
            "Ended uploads without an end time, or open ones with one",
            select(uploads.c.id).where(uploads.c.status.in_((*ENDED, "expired")) != uploads.c.ended_at.is_not(None)),
        ),
        (
            "Uploads stored or duplicate without an image, or others with one",
            select(uploads.c.id).where(uploads.c.status.in_(LED_TO_IMAGE) != uploads.c.image_id.is_not(None)),
        ),
        (
            "Uploads in processing without a lease",
            select(uploads.c.id).where(
                uploads.c.status == "processing", or_(uploads.c.leased_at.is_(None), uploads.c.attempt < 1)
            ),
        ),
        (
            "Rejected uploads without a reason",
            select(uploads.c.id).where(
                uploads.c.status == "rejected", or_(uploads.c.error_code.is_(None), uploads.c.error_message.is_(None))
            ),
        ),
    ]
