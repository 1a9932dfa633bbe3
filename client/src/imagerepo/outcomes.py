"""What became of the files of one run, and who is told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from imagerepo.models import Refusal

#: `stored`: a new image; `duplicate`: the picture was held already; `held`: the file was, nothing was sent; `refused`: the
#: server does not take it; `failed`: it could not be read or sent; `unfinished`: sent, and the server still works on it.
Kind = Literal["stored", "duplicate", "held", "refused", "failed", "unfinished"]
KINDS: tuple[Kind, ...] = ("stored", "duplicate", "held", "unfinished", "refused", "failed")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file. `error` is there for `refused` and `failed`."""

    path: Path
    kind: Kind
    image_id: int | None = None
    match: str | None = None
    error: Refusal | None = None


class Watcher(Protocol):
    """Is told how a run goes. Bytes are told of by several threads at once, and are negative where they are taken back."""

    def found(self, files: int, size: int) -> None:
        """How much there is to hash or to know already."""

    def hashed(self, size: int) -> None: ...

    def to_send(self, size: int) -> None:
        """One more file is wanted by the server."""

    def sent(self, size: int) -> None: ...

    def ended(self, outcome: Outcome) -> None: ...
