"""The repository as the functions of AWS Lambda have it: a bucket, a MySQL server, and what another function has decoded."""

import tempfile
from pathlib import Path

from chalicelib.aws import telemetry
from chalicelib.backends import open_bucket, open_database
from chalicelib.errors import RepositoryError
from chalicelib.model.pictures import Limits, Picture, Thumbnails
from chalicelib.repository import Decoder, Repository, assemble, now
from chalicelib.services.findings import Reader
from chalicelib.settings import Settings, SettingsError
from chalicelib.storage.workspace import Workspace


def compose(settings: Settings, decoder: Decoder | None = None) -> Repository:
    """Nothing is connected yet, and no picture library loaded; from now on logs are JSON. Raises `SettingsError`.

    Without a `decoder` nothing is decoded here: what the function Decode has found is read.
    """
    if settings.image_bucket is None or settings.database_url is None:
        raise SettingsError("IMAGE_BUCKET and DATABASE_URL must be set: nothing that a function writes beside it stays.")
    telemetry.configure()
    # A function works on one request at a time.
    database = open_database(settings, settings.database_url, pool_size=1, clock=now)
    store = open_bucket(settings, settings.image_bucket, now)
    return assemble(settings, settings.public_url, database, store, NoDeliveries(), decoder or _reader(settings), workspace())


def workspace() -> Workspace:
    """A function that was killed starts again in the same place, where its files still lie."""
    made = Workspace(Path(tempfile.gettempdir()) / "image-repo")
    made.prepare()
    return made


def limits(settings: Settings) -> Limits:
    return Limits(settings.max_pixels, settings.max_frames, settings.max_total_pixels)


class NoDeliveries:
    """SQS delivers, to other functions."""

    def drain(self) -> None:
        """There is nothing that this process could wait for."""


def _reader(settings: Settings) -> Reader:
    """Loaded with the first finding, which most functions never see."""

    def picture(data: bytes, path: Path, sha256: bytes) -> Picture | RepositoryError | None:
        from chalicelib.decoding import findings

        return findings.picture_in(data, path, sha256, limits(settings))

    def thumbnails(data: bytes, sha256: bytes) -> Thumbnails | RepositoryError | None:
        from chalicelib.decoding import findings

        return findings.thumbnails_in(data, sha256)

    return Reader(picture, thumbnails)
