"""What has to be done in the end, though the catalog or the store did not answer when it was due."""

import logging
import threading
from collections import deque
from collections.abc import Callable

from chalicelib.errors import UnavailableError

Deed = Callable[[], object]

log = logging.getLogger(__name__)


class Later:
    """Deeds that this process still owes; each may be done twice, and none is forgotten while the process lives.

    They are made good before the next piece of work begins, so no more of them come together than there is work at once.
    What a process that ends still owed is left to the recovery at the next start and to the sweep.
    """

    def __init__(self) -> None:
        self._owed: deque[Deed] = deque()
        self._lock = threading.Lock()

    def do(self, deed: Deed) -> None:
        """Do it now, or else owe it."""
        try:
            deed()
        except UnavailableError:
            self.owe(deed)

    def owe(self, deed: Deed) -> None:
        with self._lock:
            self._owed.append(deed)

    def catch_up(self) -> None:
        """Do all that is owed. Raises `UnavailableError` where that is not possible yet: what follows would fail as well."""
        while (deed := self._next()) is not None:
            try:
                deed()
            except UnavailableError:
                self.owe(deed)
                raise
            except Exception:
                log.exception("what was owed cannot be done; it is left to the sweep")

    def _next(self) -> Deed | None:
        with self._lock:
            return self._owed.popleft() if self._owed else None
