"""The repository as it runs on AWS Lambda: a bucket, a MySQL server, and decoding one file at a time."""

import functools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from chalicelib.aws import telemetry
from chalicelib.backends import open_bucket, open_database
from chalicelib.model.pictures import Limits, Picture, Thumbnails
from chalicelib.repository import Decoder, Repository, assemble, now
from chalicelib.settings import Settings, SettingsError
from chalicelib.storage.workspace import Workspace

if TYPE_CHECKING:
    from chalicelib.decoding.decoders import Decoders


def compose(settings: Settings, decoder: Decoder | None = None) -> Repository:
    """Nothing is connected yet, and no picture library loaded; from now on logs are JSON. Raises `SettingsError`."""
    if settings.image_bucket is None or settings.database_url is None:
        raise SettingsError("IMAGE_BUCKET and DATABASE_URL must be set: nothing that a function writes beside it stays.")
    telemetry.configure()
    # A function works on one request at a time.
    database = open_database(settings, settings.database_url, pool_size=1, clock=now)
    store = open_bucket(settings, settings.image_bucket, now)
    # A function that was killed starts again in the same place, where its files still lie.
    workspace = Workspace(Path(tempfile.gettempdir()) / "image-repo")
    workspace.prepare()
    decoder = decoder or lone_decoder(settings)
    return assemble(settings, settings.public_url, database, store, NoDeliveries(), decoder, workspace)


class NoDeliveries:
    """SQS delivers, to other functions."""

    def drain(self) -> None:
        """There is nothing that this process could wait for."""


def lone_decoder(settings: Settings) -> Decoder:
    """Decodes in a child process, as on a laptop, behind as much of the fence as Lambda grants.

    Nothing of it is loaded before the first picture, which most functions never see.
    """
    limits = Limits(settings.max_pixels, settings.max_frames, settings.max_total_pixels)

    @functools.cache
    def decoders() -> "Decoders":
        from chalicelib.decoding.decoders import Decoders, Room

        return Decoders(limits, Room(settings.decode_memory, 1, settings.decode_seconds, lane=False))

    def examine(path: Path, sha256: bytes, owner: str) -> Picture:
        return decoders().examine(path, sha256, owner)

    def make_thumbnails(path: Path) -> Thumbnails:
        return decoders().make_thumbnails(path)

    return Decoder(examine, make_thumbnails)
