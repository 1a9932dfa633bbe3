"""Downloading many images into folders, never over a file that is there."""

import os
import queue
import threading
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from imagerepo.client import Client
from imagerepo.crew import Crew, Event
from imagerepo.errors import AccessError, DigestError, ImageRepoError, StoppedError, UnavailableError
from imagerepo.localfile import sha256_of, until_stopped
from imagerepo.models import Details, Image
from imagerepo.walking import reason

_FAREWELL_SECONDS = 1.0
#: File systems take names of 255 bytes; the rest is for the marks that are put behind.
_LONGEST_NAME = 200
#: Images that are looked up ahead of those under way.
_AHEAD = 4


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one image; `path` is where it lies, for `downloaded` and `present`, and `problem` why it does not."""

    image_id: int
    kind: Literal["downloaded", "present", "failed"]
    path: Path | None = None
    problem: str | None = None


class DownloadWatcher(Protocol):
    """Is told how a run goes; bytes by several threads at once."""

    def to_fetch(self, size: int) -> None: ...

    def fetched(self, size: int) -> None: ...

    def ended(self, result: Fetched) -> None: ...


class DownloadRun:
    """Fetches originals into `folder`, by day (`YYYY/MM/DD`, of the capture, else of the upload in UTC) or `flat`."""

    def __init__(
        self, client: Client, watcher: DownloadWatcher, stop: threading.Event, folder: Path, *, flat: bool, jobs: int
    ) -> None:
        self._client = client
        self._watcher = watcher
        self._stop = stop
        self._folder = folder
        self._flat = flat
        self._jobs = jobs
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._crew = Crew(jobs, self._events)
        self._on_bytes = until_stopped(stop, watcher.fetched)
        self._fatal: ImageRepoError | None = None

    def run(self, images: Iterable[Image | int]) -> None:
        """Raises `UnavailableError` or `AccessError`, and whatever `images` raises; what is complete stays, and a second
        run goes on where a file broke off."""
        try:
            for image in images:
                self._crew.do(lambda image=image: self._fetch(image), self._fetched)  # type: ignore[misc] # bound per turn
                while self._crew.under_way >= self._jobs * _AHEAD and not self._fatal:
                    self._events.get()()
                if self._fatal:
                    break
            while self._crew.under_way and not self._fatal:
                self._events.get()()
        finally:
            self._stop.set()
            self._crew.dismiss(_FAREWELL_SECONDS)
        if self._fatal:
            raise self._fatal

    def _fetched(self, result: Fetched | Exception) -> None:
        if isinstance(result, UnavailableError | AccessError | StoppedError):
            self._fatal = result
        elif isinstance(result, Exception):
            raise result
        else:
            self._watcher.ended(result)

    def _fetch(self, image: Image | int) -> Fetched:
        image_id = image if isinstance(image, int) else image.id
        try:
            details = self._client.details(image_id)
            places = self._places(details)
            for place in places:
                if _holds(place, details):
                    return Fetched(image_id, "present", place)
            places[0].parent.mkdir(parents=True, exist_ok=True)
            return self._download(details, places)
        except (UnavailableError, AccessError, StoppedError):
            raise
        except ImageRepoError as problem:
            return Fetched(image_id, "failed", problem=str(problem))
        except OSError as problem:
            return Fetched(image_id, "failed", problem=f"Not written: {reason(problem)}.")

    def _download(self, details: Details, places: list[Path]) -> Fetched:
        partial = places[0].with_name(f"{places[0].name}.{details.id}.part")
        self._watcher.to_fetch(details.byte_size - (partial.stat().st_size if partial.exists() else 0))
        try:
            self._client.download(details, partial, self._on_bytes)
        except DigestError:  # what an earlier run left may have been of another file
            self._watcher.to_fetch(details.byte_size)
            self._client.download(details.id, partial, self._on_bytes)
        for place in places:
            if _put(partial, place):
                return Fetched(details.id, "downloaded", place)
            if _holds(place, details):
                partial.unlink()
                return Fetched(details.id, "present", place)
        partial.unlink()
        return Fetched(details.id, "failed", problem=f"Other files are in its place: {places[-1]}.")

    def _places(self, image: Image) -> list[Path]:
        """Where the image may lie: under its name, or, where another file has that, with its id behind."""
        name = Path(file_name(image.name))
        when = image.taken_at or image.uploaded_at
        folder = self._folder if self._flat else self._folder / f"{when.year:04}" / f"{when:%m}" / f"{when:%d}"
        return [folder / name, folder / f"{name.stem}-{image.id}{name.suffix}"]


def file_name(name: str) -> str:
    """A name that a server gives, as the name of a visible file in one folder."""
    usable = "".join("_" if _unusable(sign) else sign for sign in name)
    usable = f"_{usable}" if usable.startswith(".") or not usable else usable
    path = Path(usable)
    suffix = path.suffix if len(path.suffix) <= 20 else ""
    stem = usable[: len(usable) - len(suffix)] if suffix else usable
    room = _LONGEST_NAME - len(suffix.encode("utf-8", "replace"))
    return stem.encode("utf-8", "replace")[:room].decode("utf-8", "ignore") + suffix


def _unusable(sign: str) -> bool:
    """What parts folders, what a terminal that lists the folder would obey, and what Windows does not take."""
    return sign in "/\\" or unicodedata.category(sign) in ("Cc", "Cf", "Zl", "Zp") or (os.name == "nt" and sign in '<>:"|?*')


def _holds(path: Path, details: Details) -> bool:
    """Whether the file there is this image's original."""
    return path.is_file() and path.stat().st_size == details.byte_size and sha256_of(path)[1].hex() == details.sha256


def _put(partial: Path, place: Path) -> bool:
    """Give the complete file its name, unless that is taken."""
    try:
        os.link(partial, place)
    except FileExistsError:
        return False
    except OSError:  # a file system without links
        try:
            place.open("xb").close()
        except FileExistsError:
            return False
        partial.replace(place)
    else:
        partial.unlink()
    return True
