"""Following many uploads to their end with few questions.

Servers end uploads roughly in the order in which the bytes came. So the oldest are asked about first: as long as all that
were asked about have ended, at once the next, and more of them; where one has not, the pause before the next look grows until
looks find something new.
"""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from imagerepo.client import Client
from imagerepo.crew import Crew
from imagerepo.models import Upload

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 2.0
_WIDEST = 8
#: After so many looks in vain an upload gives way to the next: it may be stuck.
_LOOKS_IN_FRONT = 8

#: Is told what a look has found, and says whether it was the last.
Look = Callable[[Upload | Exception], bool]


@dataclass(slots=True, eq=False)
class _Watch:
    upload_id: str
    look: Look
    looks: int = 0


class Poller:
    """Looks at uploads through `crew`; `wait` is how long, in seconds, it may find nothing new before it gives up."""

    def __init__(self, client: Client, crew: Crew, wait: float) -> None:
        self._client = client
        self._wait = wait
        self.crew = crew
        self._watches: deque[_Watch] = deque()
        self._not_over: list[_Watch] = []
        self._over = 0
        self._window = 1
        self._pause = _FIRST_PAUSE
        self._due = 0.0
        self._last_news = 0.0

    def add(self, upload_id: str, look: Look) -> None:
        if not self._watches:
            self._due = time.monotonic() + _FIRST_PAUSE
        self._watches.append(_Watch(upload_id, look))
        self._last_news = time.monotonic()

    def watches(self) -> bool:
        """Whether any upload has not been seen to end."""
        return bool(self._watches or self._not_over or self.crew.under_way)

    def seconds_to_next(self) -> float | None:
        """`None` when there is nothing to look at, or a look is under way."""
        if self.crew.under_way or not self._watches:
            return None
        return max(0.0, self._due - time.monotonic())

    def look_if_due(self) -> None:
        if self.seconds_to_next() == 0.0:
            self._over = 0
            for watch in [self._watches.popleft() for _ in range(min(self._window, len(self._watches)))]:
                self._look(watch)

    def gives_up(self) -> bool:
        """Whether there is something to look at, but nothing has changed for too long."""
        return self.seconds_to_next() is not None and time.monotonic() - self._last_news >= self._wait

    def _look(self, watch: _Watch) -> None:
        self.crew.do(lambda: self._client.upload_status(watch.upload_id), lambda found: self._looked(watch, found))

    def _looked(self, watch: _Watch, found: Upload | Exception) -> None:
        watch.looks += 1
        if watch.look(found):
            self._over += 1
            self._last_news = time.monotonic()
        elif watch.looks % _LOOKS_IN_FRONT:
            self._not_over.append(watch)
        else:
            self._watches.append(watch)
        if not self.crew.under_way:
            self._end_round()

    def _end_round(self) -> None:
        if self._not_over or not self._over:
            self._window = 1
            if not self._over:
                self._pause = min(self._pause * 1.5, _LONGEST_PAUSE)
            self._due = time.monotonic() + self._pause
        else:
            self._window = min(self._window * 2, _WIDEST)
            self._due = 0.0
        self._watches.extendleft(reversed(self._not_over))
        self._not_over.clear()
