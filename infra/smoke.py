"""`make smoke`: what a client, a browser and a stranger meet at an address, a real stack's above all.

A picture goes in, is looked at, and goes out again, by the product's own client. What that does not see is asked in plain HTTP
(`infra/door.py`). A catalog that sleeps answers 503 until it is awake: it is asked again.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from imagerepo import Client, ImageRepoError, NotFoundError
from PIL import Image

from infra.door import PATIENCE, Door, Skipped, SmokeError, check

#: How long an upload may take to be taken in, in seconds.
_TAKING_IN_SECONDS = 180.0
_ANSWER_SECONDS = 60.0
_SIZE = (64, 48)


def run(door: Door, client: Client, wait_minutes: float) -> None:
    """Raises `SmokeError`, `ImageRepoError` or `httpx.HTTPError`; leaves nothing behind, whether it succeeds or not."""
    _say(f"the API answers, version {client.health().version}")
    for look in (door.wakes, door.has_one_stage, door.refuses_strangers, door.refuses_what_is_not_there):
        _look(look)
    for look in (door.is_closed_to_pages_from_elsewhere, door.compresses):
        _look(look)
    ready = client.ready()
    check(ready.status == "ok", f"catalog: {ready.catalog}; store: {ready.store}")
    _say("the catalog and the store answer and can be written")
    content = _new_picture()
    ticket = door.ticket(content)
    with _removed(door, client, ticket["upload_id"]):
        _say(door.takes_from_its_own_page(ticket, content))
        image_id = _taken_in(client, ticket["upload_id"])
        _say("a picture was taken in")
        _look_at(door, client, image_id, content, wait_minutes)
    check(_is_gone(client, image_id), "The picture is still there after its delete.")
    _say("it is deleted")


def _taken_in(client: Client, upload_id: str) -> int:
    upload = client.wait(upload_id, _TAKING_IN_SECONDS)
    if upload.image_id is None or upload.status != "stored":
        raise SmokeError(f"The upload ended as {upload}.")
    return upload.image_id


@contextmanager
def _removed(door: Door, client: Client, upload_id: str) -> Iterator[None]:
    """Whatever has come of the upload by the end of the block is deleted; what went wrong within is told all the same."""
    try:
        yield
    except BaseException:
        try:
            _remove(door, client, upload_id)
        except ImageRepoError as problem:
            print(f"What the upload {upload_id} brought may have been left behind: {problem}", file=sys.stderr)
        raise
    _remove(door, client, upload_id)


def _remove(door: Door, client: Client, upload_id: str) -> None:
    """An upload that is pending may have its bytes: the news of them takes a while."""
    if not door.may_have_sent:
        return
    image_id = client.wait(upload_id, _TAKING_IN_SECONDS).image_id
    if image_id is not None:
        client.delete(image_id)


def _look_at(door: Door, client: Client, image_id: int, content: bytes, wait_minutes: float) -> None:
    details = client.details(image_id)
    check((details.width, details.height) == _SIZE, f"The picture is said to be {details.width}x{details.height}.")
    for size in details.thumbnails:
        check(len(client.thumbnail(image_id, int(size))) > 0, "A thumbnail is missing.")
    newest = [image.id for image in client.list_page(limit=1).images]
    check(newest == [image_id], "The newest picture is not first in the list.")
    _say("it is listed, with its details and thumbnails")
    served, url = door.serves(image_id, content)
    _say(served)
    _look(lambda: door.promises(url, wait_minutes))


def _look(look: Callable[[], str]) -> None:
    try:
        _say(look())
    except Skipped as reason:
        print(f"skipped: {reason}", flush=True)


def _is_gone(client: Client, image_id: int) -> bool:
    try:
        client.details(image_id)
    except NotFoundError:
        return True
    return False


def _new_picture() -> bytes:
    """One that nobody has sent before."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "smoke.png"
        Image.frombytes("RGB", _SIZE, os.urandom(_SIZE[0] * _SIZE[1] * 3)).save(path)
        return path.read_bytes()


def _say(sentence: str) -> None:
    print(f"ok: {sentence}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.smoke")
    parser.add_argument("--wait", type=float, default=0, metavar="MINUTES", help="fetch by the same signed URL after so long")
    parser.add_argument("url")
    parser.add_argument("key")
    chosen = parser.parse_args(arguments)
    try:
        with (
            httpx.Client(timeout=_ANSWER_SECONDS) as http,
            Client(chosen.url, chosen.key or None, patience=PATIENCE) as client,
        ):
            run(Door(http, chosen.url, chosen.key), client, chosen.wait)
    except (SmokeError, ImageRepoError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
    except httpx.HTTPError as problem:  # which may name a signed URL
        print(f"An answer did not come: {type(problem).__name__}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
