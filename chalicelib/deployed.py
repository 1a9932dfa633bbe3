"""The repository as it runs on AWS Lambda: a bucket, a MySQL server, and decoding in this very process.

The function is the decoder's isolation: it has its own memory and time limit, and takes one file at a time.
"""

import tempfile
from pathlib import Path

from chalicelib import telemetry
from chalicelib.backends import open_bucket, open_database
from chalicelib.imaging.picture import Limits, Picture, Thumbnails
from chalicelib.runtime import Decoder, Runtime, assemble, now
from chalicelib.settings import Settings, SettingsError
from chalicelib.storage.workspace import Workspace


def compose(settings: Settings, decoder: Decoder | None = None) -> Runtime:
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
    decoder = decoder or direct_decoder(settings)
    return assemble(settings, settings.public_url, database, store, NoDeliveries(), decoder, workspace)


class NoDeliveries:
    """SQS delivers, to other functions."""

    def drain(self) -> None:
        """There is nothing that this process could wait for."""


def direct_decoder(settings: Settings) -> Decoder:
    """Decodes in this process; Pillow is loaded with the first picture, which most functions never see."""
    limits = Limits(settings.max_pixels, settings.max_frames, settings.max_total_pixels)

    def examine_here(path: Path, sha256: bytes) -> Picture:
        from chalicelib.imaging.examine import examine

        return examine(path, sha256, limits)

    def make_thumbnails_here(path: Path) -> Thumbnails:
        from chalicelib.imaging.examine import remake_thumbnails

        return remake_thumbnails(path, limits)

    return Decoder(examine_here, make_thumbnails_here)
