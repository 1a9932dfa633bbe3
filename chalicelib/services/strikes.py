"""Decoding where a decoder that dies may take the attempt with it: whoever comes next must know that there was one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from chalicelib.catalog.catalog import Catalog
from chalicelib.errors import RepositoryError
from chalicelib.model.pictures import Picture
from chalicelib.model.records import Upload

#: Decodes a local file, given its SHA-256 and its owner. Raises `UnsupportedImageError` or `BadImageError` for one that is
#: refused.
Decoding = Callable[[Path, bytes, str], Picture]


@dataclass(frozen=True, slots=True)
class UnderStrike:
    catalog: Catalog
    decode: Decoding

    def examine(self, path: Path, sha256: bytes, upload: Upload) -> Picture:
        """Only a decoder that dies, hangs, bursts or forges leaves the strike standing: then nothing runs to take it back."""
        self.catalog.uploads.mark_strike(upload.id, upload.attempt)
        try:
            picture = self.decode(path, sha256, upload.owner)
        except (RepositoryError, OSError):  # refused, or no fault of the file's
            self.catalog.uploads.clear_strike(upload.id, upload.attempt)
            raise
        self.catalog.uploads.clear_strike(upload.id, upload.attempt)
        return picture
