"""`make smoke`: the client's path against any stack, a real one too: a picture in, looked at, and out again.

It is the product's own client that takes it. A catalog that sleeps answers 503 until it is awake: the client comes again.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from imagerepo import Client, ImageRepoError, NotFoundError, Upload
from PIL import Image

#: How long a cluster may take to wake, and an upload to be taken in.
_PATIENCE_SECONDS, _TAKING_IN_SECONDS = 120.0, 180.0
_SIZE = (64, 48)


class SmokeError(Exception):
    """What was not as it should be, as a sentence."""


def run(client: Client) -> None:
    """Raises `SmokeError` or `ImageRepoError`; leaves nothing behind where it succeeds."""
    _say(f"the API answers, version {client.health().version}")
    client.list_page(limit=1)  # by which a catalog that sleeps has been waited for
    ready = client.ready()
    _check(ready.status == "ok", f"catalog: {ready.catalog}; store: {ready.store}")
    _say("the catalog and the store answer and can be written")
    with tempfile.TemporaryDirectory() as folder:
        path = _new_picture(Path(folder))
        upload = client.upload(path, timeout=_TAKING_IN_SECONDS)
        if not isinstance(upload, Upload) or upload.image_id is None or upload.status != "stored":
            raise SmokeError(f"The upload ended as {upload}.")
        image_id = upload.image_id
        _say("a picture was taken in")
        details = client.details(image_id)
        _check((details.width, details.height) == _SIZE, f"The picture is said to be {details.width}x{details.height}.")
        _check(client.original(image_id) == path.read_bytes(), "The store serves other bytes than were sent.")
    for size in details.thumbnails:
        _check(len(client.thumbnail(image_id, int(size))) > 0, "A thumbnail is missing.")
    newest = [image.id for image in client.list_page(limit=1).images]
    _check(newest == [image_id], "The newest picture is not first in the list.")
    _say("it is listed and served, bit for bit")
    client.delete(image_id)
    _check(_is_gone(client, image_id), "The picture is still there after its delete.")
    _say("it is deleted")


def _is_gone(client: Client, image_id: int) -> bool:
    try:
        client.details(image_id)
    except NotFoundError:
        return True
    return False


def _new_picture(folder: Path) -> Path:
    """One that nobody has sent before."""
    path = folder / "smoke.png"
    Image.frombytes("RGB", _SIZE, os.urandom(_SIZE[0] * _SIZE[1] * 3)).save(path)
    return path


def _check(good: bool, sentence: str) -> None:
    if not good:
        raise SmokeError(sentence)


def _say(sentence: str) -> None:
    print(f"ok: {sentence}", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.smoke")
    parser.add_argument("url")
    parser.add_argument("key")
    chosen = parser.parse_args(arguments)
    try:
        with Client(chosen.url, chosen.key or None, patience=_PATIENCE_SECONDS) as client:
            run(client)
    except (SmokeError, ImageRepoError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
