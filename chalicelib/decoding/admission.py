"""Lets threads that want to decode wait for their turn."""

import threading

from chalicelib.decoding.lanes import Job, Lanes, State
from chalicelib.decoding.warm import PoolClosed


class TooLarge(Exception):
    """The job needs more memory than there is."""


class Admission:
    """The lanes, for many threads at once."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._closed = False
        self._changed = threading.Condition()

    def wait(self, job: Job) -> None:
        """Return when it is the job's turn, which lasts until `end`.

        Where this raises (`TooLarge`, `PoolClosed`), there is no turn.
        """
        with self._changed:
            self._lanes.add(job)
            self._changed.notify_all()
            try:
                self._changed.wait_for(lambda: self._closed or job.state is not State.WAITING)
            finally:
                refused = job.state is State.REFUSED
                if self._closed or job.state is not State.RUNNING:
                    self.end(job)
            if self._closed:
                raise PoolClosed
            if refused:
                raise TooLarge

    def end(self, job: Job) -> None:
        """The job's turn is over."""
        with self._changed:
            self._lanes.end(job)
            self._changed.notify_all()

    def close(self) -> None:
        """Nobody gets a turn any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
