"""The middle leg of an upload: asking the server which contents it wants, many at a time, and no more than it lets be open."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from imagerepo.client import MOST_OFFERS, Client
from imagerepo.crew import Crew
from imagerepo.errors import ApiError
from imagerepo.localfile import Snapshot, sendable_name
from imagerepo.models import Answer, Offer
from imagerepo.outcomes import Outcome


@dataclass(slots=True, eq=False)
class Item:
    """One distinct content on its way; `followers` are further files of the same content."""

    path: Path
    snapshot: Snapshot
    sha256: bytes
    tries: int = 0
    followers: list[Path] = field(default_factory=list)
    outcome: Outcome | None = None


#: What the server says to some items, in their order, or why it does not.
Answers = list[Answer] | Exception


class Asking:
    """Asks about items, one question at a time, through `crew`, and calls `answered` with what comes back.

    Where the owner's quota does not take a whole batch, smaller ones are tried; a single item is held back for as long as other
    uploads are under way, whose end may make room.
    """

    def __init__(self, client: Client, crew: Crew, answered: Callable[[list[Item], Answers], None]) -> None:
        self._client = client
        self._crew = crew
        self._answered = answered
        self._ready: deque[Item] = deque()
        self._most = MOST_OFFERS
        self._held_back = False

    def __len__(self) -> int:
        """Items that have not been asked about."""
        return len(self._ready)

    def add(self, item: Item) -> None:
        self._ready.append(item)

    def room_was_made(self) -> None:
        """An upload has ended."""
        self._held_back = False

    def ask_if_due(self, *, hurry: bool, others_under_way: bool) -> None:
        """Without `hurry` only as much as makes a full batch."""
        if not self._ready or self._crew.under_way or (self._held_back and others_under_way):
            return
        if hurry or len(self._ready) >= self._most:
            batch = [self._ready.popleft() for _ in range(min(self._most, len(self._ready)))]
            offers = [Offer(sendable_name(item.path), item.snapshot.size, item.sha256.hex()) for item in batch]
            self._crew.do(lambda: self._client.ask(offers), lambda answers: self._heard(batch, answers, others_under_way))

    def _heard(self, batch: list[Item], answers: Answers, others_under_way: bool) -> None:
        full = isinstance(answers, ApiError) and answers.code == "QuotaExceededError"
        if full and (len(batch) > 1 or others_under_way):
            self._most = max(1, len(batch) // 2)
            self._held_back = len(batch) == 1
            self._ready.extendleft(reversed(batch))
        else:
            self._most = min(MOST_OFFERS, self._most * 2)
            self._answered(batch, answers)
