"""`imagerepo list`, `show`, `delete` and `status`."""

import argparse
import itertools
import sys
import threading
from datetime import datetime

from imagerepo.cli.arguments import filters
from imagerepo.cli.config import Target
from imagerepo.cli.exits import ACCESS, DONE, SOME_FAILED, USAGE
from imagerepo.cli.output import json_line, say, size, tell
from imagerepo.client import Client
from imagerepo.errors import AccessError, ApiError, NotFoundError
from imagerepo.journal import Journal, file_name
from imagerepo.models import Details, Image, Readiness

_COLUMNS = "{:>8}  {:<19}  {:<6}  {:>11}  {:>7}  {}"


def list_images(given: argparse.Namespace, client: Client, _: Target, __: threading.Event) -> int:
    """A line for each image, as the pages come: the first is there before the last is asked for."""
    images = client.images(filters(given), sort=given.sort)
    printed = 0
    for image in itertools.islice(images, given.limit):
        if not (printed or given.json):
            tell(_COLUMNS.format("ID", "TAKEN", "FORMAT", "PIXELS", "SIZE", "NAME"))
        tell(json_line(image) if given.json else _row(image))
        printed += 1
    if not printed:
        say("No image matches.")
    return DONE


def _row(image: Image) -> str:
    taken = f"{image.taken_at:%Y-%m-%d %H:%M:%S}" if image.taken_at else "-"
    pixels = f"{image.width}x{image.height}"
    return _COLUMNS.format(image.id, taken, image.format, pixels, size(image.byte_size), image.name)


def show(given: argparse.Namespace, client: Client, _: Target, __: threading.Event) -> int:
    """`SOME_FAILED` where one of the images is not there."""
    missing = 0
    for number, image_id in enumerate(given.ids):
        try:
            details = client.details(image_id)
        except NotFoundError as problem:
            missing += 1
            say(f"imagerepo: image {image_id}: {problem}")
            continue
        if given.json:
            tell(json_line(details))
        else:
            tell(*([""] if number else []), *_sheet(details))
    return SOME_FAILED if missing else DONE


def _sheet(image: Details) -> list[str]:
    """What is known, a fact a line; what is not known is left out."""
    camera, exposure, location = image.camera, image.exposure, image.location
    facts: dict[str, object] = {
        "id": image.id,
        "name": image.name,
        "uploaded": _time(image.uploaded_at),
        "taken": f"{_time(image.taken_at)} {image.taken_at_offset or ''}".strip() if image.taken_at else None,
        "format": f"{image.format}, {image.mode}" + (f", {image.frames} frames" if image.frames > 1 else ""),
        "pixels": f"{image.width}x{image.height}",
        "size": f"{image.byte_size} bytes",
        "make": camera and camera.make,
        "model": camera and camera.model,
        "lens": camera and camera.lens,
        "exposure": exposure and exposure.exposure_time and f"{exposure.exposure_time:g} s",
        "aperture": exposure and exposure.f_number and f"f/{exposure.f_number:g}",
        "iso": exposure and exposure.iso,
        "focal length": exposure and exposure.focal_length and f"{exposure.focal_length:g} mm",
        "location": location and location.latitude is not None and f"{location.latitude:.6f}, {location.longitude:.6f}",
        "altitude": location and location.altitude is not None and f"{location.altitude:g} m",
        "sha256": image.sha256,
        "sha512": f"{image.sha512} (pixels)",
    }
    return [f"{name + ':':<13} {value}" for name, value in facts.items() if value]


def _time(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S}" + (" UTC" if when and when.tzinfo else "")


def delete(given: argparse.Namespace, client: Client, _: Target, __: threading.Event) -> int:
    """`SOME_FAILED` where an image could not be deleted or the answer is no, `USAGE` where nobody can be asked."""
    if not given.yes:
        if not sys.stdin.isatty():
            say("imagerepo: Nobody can be asked here: say --yes to delete.")
            return USAGE
        if not _agreed(given.ids, client):
            say("Nothing was deleted.")
            return SOME_FAILED
    failed = 0
    for image_id in dict.fromkeys(given.ids):
        try:
            client.delete(image_id)
        except ApiError as problem:
            failed += 1
            say(f"imagerepo: image {image_id}: {problem}")
        else:
            tell(f"deleted {image_id}")
    return SOME_FAILED if failed else DONE


def _agreed(ids: list[int], client: Client) -> bool:
    for image_id in ids:
        say(_row(client.details(image_id)))
    sys.stderr.write(f"Delete {'this image' if len(ids) == 1 else f'these {len(ids)} images'} for good? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _health(ready: Readiness | None) -> str:
    if ready is None:
        return "unknown"
    parts = {"catalog": ready.catalog, "store": ready.store}
    return ", ".join(f"{name} {part.status}" + (f" ({part.cause})" if part.cause else "") for name, part in parts.items())


def status(given: argparse.Namespace, client: Client, to: Target, _: threading.Event) -> int:
    """`ACCESS` where the key may not list; all else is told all the same."""
    health, code = client.health(), DONE
    held: int | None = None
    ready: Readiness | None = None
    try:
        ready = client.ready()
        held = client.list_page(limit=1, include_total=True).total
    except AccessError as problem:
        code = ACCESS
        say(f"imagerepo: {problem}")
    with Journal(to.state / file_name(client.server)) as journal:
        unfinished = journal.open_count()
    if given.json:
        tell(json_line({"server": client.server, "images": held, "unfinished": unfinished, "health": health, "ready": ready}))
        return code
    tell(
        f"server:       {client.server}, version {health.version}",
        f"health:       {_health(ready)}",
        f"images:       {'unknown' if held is None else held}",
        f"takes:        {', '.join(health.limits.formats)}, up to {size(health.limits.max_bytes)}",
        f"unfinished:   {unfinished} uploads of this computer" + (": upload the same again to go on" if unfinished else ""),
    )
    return code
