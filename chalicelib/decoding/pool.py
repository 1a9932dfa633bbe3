"""The warm children of this process: as many as there are jobs at once, started when first needed and used again."""

import threading
import weakref
from contextlib import suppress

from chalicelib.decoding.warm import PoolClosed, WarmChild
from chalicelib.errors import UnavailableError


class Pool:
    """Runs jobs for many threads at once; `module` is what the children run. How many at once is for the callers to limit.

    The children end with the pool.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._closed = False
        self._lock = threading.Lock()
        #: Last in, first out, so that no more are started than are needed.
        self._idle: list[WarmChild] = []
        self._all: set[WarmChild] = set()
        weakref.finalize(self, _end, self._all)

    def run(self, file: int, task: bytes, memory: int, seconds: float) -> bytes:
        """As `WarmChild.run`. Raises `PoolClosed` as well."""
        child = self._take()
        try:
            answer = child.run(file, task, memory, seconds)
        except UnavailableError:
            self._refuse_if_closed()
            raise
        finally:
            self._put(child)
        return answer

    def close(self) -> None:
        """End the children, those at work too; a second call does no harm."""
        with self._lock:
            self._closed = True
            self._idle.clear()
        _end(self._all)

    def _take(self) -> WarmChild:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        self._refuse_if_closed()
        child = WarmChild(self._module)
        with self._lock:
            self._all.add(child)
            closed = self._closed
        if closed:
            child.close()
            raise PoolClosed
        return child

    def _put(self, child: WarmChild) -> None:
        with self._lock:
            if child.is_idle and not self._closed:
                self._idle.append(child)
                return
            self._all.discard(child)
        child.close()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise PoolClosed


def _end(children: set[WarmChild]) -> None:
    with suppress(KeyError):  # there are no more
        while True:
            children.pop().close()
