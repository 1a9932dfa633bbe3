"""The laptop's stand-in for the event queue: delivers each notification to a handler until the handler returns.

Nothing is kept on disk. What a stopped process has not delivered is found again by the objects that lie in `incoming/`.

Our own, because what it holds is of this process and is found again without it: a broker would be a second server to run,
a queue on disk a second truth.
"""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.errors import RepositoryError

#: Seconds until the next delivery, by how many have failed before; the last stands for all further ones.
_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)

#: Those that are aside included.
_MOST_THREADS = 256

Notification = Mapping[str, Any]

log = logging.getLogger(__name__)


@dataclass(order=True, frozen=True, slots=True)
class _Message:
    due: float
    number: int
    receives: int = field(compare=False)
    notification: Notification = field(compare=False)


class EventQueue:
    """At-least-once delivery by `workers` threads at once, in no particular order. A handler that raises gets it again, later,
    as often as it takes. Whoever waits for the end of it waits `patience` seconds at most.
    """

    def __init__(self, handler: Callable[[Notification], None], workers: int, patience: float) -> None:
        self.patience = patience
        self._handler = handler
        self._workers = workers
        self._started = 0
        self._in_hand = 0
        self._aside = 0
        self._numbers = itertools.count()
        self._waiting: list[_Message] = []
        self._changed = threading.Condition()

    def send(self, notification: Notification) -> None:
        self._push(_Message(time.monotonic(), next(self._numbers), 0, notification))

    @contextmanager
    def aside(self) -> Iterator[None]:
        """For a handler while it only waits its turn: others are handled meanwhile, so that nothing cheap waits behind it."""
        with self._changed:
            self._aside += 1
            self._changed.notify_all()
            if self._waiting:
                self._start_worker()
        try:
            yield
        finally:
            with self._changed:
                self._aside -= 1

    def drain(self) -> None:
        """Return when nothing waits and nothing is in hand, or patience is at its end."""
        with self._changed:
            done = self._changed.wait_for(lambda: not self._waiting and not self._in_hand, self.patience)
        if not done:
            log.warning("some uploads have not been taken in yet; their bytes stay in incoming/")

    def _push(self, message: _Message) -> None:
        with self._changed:
            heapq.heappush(self._waiting, message)
            self._start_worker()
            self._changed.notify_all()

    def _start_worker(self) -> None:
        if self._started - self._aside < self._workers and self._started < _MOST_THREADS:
            self._started += 1
            threading.Thread(target=self._work, name=f"ingest-{self._started}", daemon=True).start()

    def _work(self) -> None:
        while True:
            message = self._take()
            try:
                self._deliver(message)
            finally:
                with self._changed:
                    self._in_hand -= 1
                    self._changed.notify_all()

    def _take(self) -> _Message:
        with self._changed:
            while True:
                if self._in_hand - self._aside >= self._workers:
                    self._changed.wait()
                elif self._waiting:
                    wait = self._waiting[0].due - time.monotonic()
                    if wait <= 0:
                        self._in_hand += 1
                        return heapq.heappop(self._waiting)
                    self._changed.wait(wait)
                else:
                    self._changed.wait()

    def _deliver(self, message: _Message) -> None:
        receives = message.receives + 1
        try:
            self._handler(message.notification)
        except Exception as problem:  # whatever it was, the message must not be lost
            if receives == 1:
                fault = not isinstance(problem, RepositoryError | OSError)  # a defect, then, that somebody must find
                cause = type(problem).__name__, problem
                log.warning("an event will be delivered again until it succeeds (%s: %s)", *cause, exc_info=fault)
            delay = _DELAYS[min(message.receives, len(_DELAYS) - 1)]
            due = time.monotonic() + delay
            self._push(replace(message, due=due, number=next(self._numbers), receives=receives))
        else:
            if receives > 1:
                log.warning("an event succeeded at its delivery number %d", receives)
