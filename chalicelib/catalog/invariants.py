"""What must always be true of the rows, as far as SQL can see it."""

from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from chalicelib.catalog.tables import image_tags, images, known_files, originals, uploads

_ENDED = ("stored", "duplicate", "rejected", "expired")


def violations(connection: Connection) -> list[str]:
    """A sentence for each invariant that does not hold, with how often and one example; empty when all do."""
    found = []
    for sentence, offenders in _offenders():
        ids = offenders.subquery()
        count, example = connection.execute(select(func.count(), func.min(ids.c[0])).select_from(ids)).one()
        if count:
            found.append(f"{sentence}: {count}, the first is {example}.")
    return found


def _offenders() -> list[tuple[str, Select[Any]]]:
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
            "Images without a row for their tags",
            select(images.c.id)
            .outerjoin(image_tags, image_tags.c.image_id == images.c.id)
            .where(image_tags.c.image_id.is_(None)),
        ),
        (
            "Ended uploads without an end time, or open ones with one",
            select(uploads.c.id).where(uploads.c.status.in_(_ENDED) != uploads.c.ended_at.is_not(None)),
        ),
        (
            "Uploads stored or duplicate without an image, or others with one",
            select(uploads.c.id).where(uploads.c.status.in_(("stored", "duplicate")) != uploads.c.image_id.is_not(None)),
        ),
        (
            "Uploads in processing without a claim",
            select(uploads.c.id).where(
                uploads.c.status == "processing", or_(uploads.c.claimed_at.is_(None), uploads.c.claim < 1)
            ),
        ),
        (
            "Rejected uploads without a reason",
            select(uploads.c.id).where(
                uploads.c.status == "rejected", or_(uploads.c.error_code.is_(None), uploads.c.error_message.is_(None))
            ),
        ),
    ]
