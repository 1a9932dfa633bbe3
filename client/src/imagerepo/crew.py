"""Threads that work for one other, the one that owns the state: what they bring back is called there, one at a time."""

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

Event = Callable[[], None]


class Crew:
    """`size` threads that run tasks. The outcome of each becomes an event in `events`, for the owner's thread to call.

    The threads are daemons: a process that must end does not wait for them.
    """

    def __init__(self, size: int, events: "queue.SimpleQueue[Event]") -> None:
        self._tasks: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._events = events
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(size)]
        #: Tasks whose event has not been called yet.
        self.under_way = 0
        for thread in self._threads:
            thread.start()

    def do(self, task: Callable[[], T], done: Callable[[T | Exception], None]) -> None:
        """Run `task` in a thread, then, as an event, `done` with what it returned or raised. For the owner's thread."""

        def run() -> None:
            try:
                result: T | Exception = task()
            except Exception as error:
                result = error
            self._events.put(lambda: finish(result))

        def finish(result: T | Exception) -> None:
            self.under_way -= 1
            done(result)

        self.under_way += 1
        self._tasks.put(run)

    def dismiss(self, seconds: float) -> None:
        """Start nothing more, and wait for what is under way, each thread at most `seconds`."""
        while not self._tasks.empty():
            self._tasks.get()
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join(seconds)

    def _work(self) -> None:
        while task := self._tasks.get():
            task()
