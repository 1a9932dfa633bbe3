"""What the function Decode consists of: a bucket and a decoder, and no database."""

from pathlib import Path

from chalicelib.aws import telemetry
from chalicelib.aws.composition import limits, workspace
from chalicelib.backends import open_bucket
from chalicelib.decoding import fence, findings
from chalicelib.decoding.decoders import Decoders, Room
from chalicelib.model.pictures import Picture
from chalicelib.repository import now
from chalicelib.services.decode import Decode
from chalicelib.settings import Settings, SettingsError

#: Here nobody waits for a turn.
_NO_OWNER = ""


def compose(settings: Settings) -> Decode:
    """It decodes one file at a time in a child process, as on a laptop, behind as much of the fence as Lambda grants; what it
    does not grant is logged with the first file. From now on logs are JSON. Raises `SettingsError`.
    """
    if settings.image_bucket is None:
        raise SettingsError("IMAGE_BUCKET must be set: there is nothing to decode elsewhere.")
    telemetry.configure()
    fence.guard()
    decoders = Decoders(limits(settings), Room(settings.decode_memory, 1, settings.decode_seconds, lane=False))
    place = workspace()

    def examine(path: Path, sha256: bytes) -> Picture:
        return decoders.examine(path, sha256, _NO_OWNER)

    return Decode(open_bucket(settings, settings.image_bucket, now), examine, findings.packed, lambda: place.folder)
