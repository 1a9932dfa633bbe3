"""Keys that were refused, so that a client which goes on sending one does not keep a paused cluster awake."""

import hashlib
import threading
from datetime import datetime, timedelta

#: A key that was refused is not made good, because nobody chooses a key's text; only a catalog that was restored knows more.
_KEPT = timedelta(hours=1)
_MOST = 4096


class RefusedKeys:
    """Of one process, the latest of them, and by their digests alone. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._since: dict[bytes, datetime] = {}

    def add(self, key: str, now: datetime) -> None:
        with self._lock:
            self._since.pop(_digest(key), None)
            self._since[_digest(key)] = now
            if len(self._since) > _MOST:
                del self._since[next(iter(self._since))]

    def holds(self, key: str, now: datetime) -> bool:
        """Whether the key was refused within the last hour."""
        with self._lock:
            since = self._since.get(_digest(key))
        return since is not None and now - since < _KEPT


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
