"""Whether catalog and store answer and can be written: asked by those who watch a repository, and told with the cause."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.catalog.catalog import Catalog
from chalicelib.errors import UnavailableError
from chalicelib.storage.port import ObjectStore

#: How long either is waited for, in seconds: within the patience of those who watch, and well within API Gateway's 29.
PATIENCE = 8.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Look:
    """Why the catalog and the store cannot be used; `None` for one that can."""

    catalog: UnavailableError | None
    store: UnavailableError | None

    @property
    def problem(self) -> UnavailableError | None:
        """One of them, if there is one."""
        return self.catalog or self.store


class Readiness:
    """Looks at both at once."""

    def __init__(self, catalog: Catalog, store: ObjectStore, patience: float = PATIENCE) -> None:
        self._catalog = catalog
        self._store = store
        self._patience = patience

    def look(self) -> Look:
        """What is found out within the patience; a fault is an answer too, and never raised."""
        asked = [_Asking("catalog", self._catalog.check_writing), _Asking("store", self._store.check_writing)]
        return Look(*(asking.problem(self._patience) for asking in asked))


class _Asking:
    """One question on its way, in a thread that is left alone where the answer takes too long."""

    def __init__(self, name: str, ask: Callable[[], None]) -> None:
        self._name = name
        self._ask = ask
        self._problem: UnavailableError | None = None
        self._thread = threading.Thread(target=self._run, name=f"is the {name} ready", daemon=True)
        self._thread.start()

    def problem(self, patience: float) -> UnavailableError | None:
        self._thread.join(patience)
        if self._thread.is_alive():
            return UnavailableError(f"The {self._name} does not answer.", f"it has not answered within {patience:g} seconds")
        return self._problem

    def _run(self) -> None:
        try:
            self._ask()
        except UnavailableError as problem:
            self._problem = problem
            log.warning("the %s is not ready: %s", self._name, problem)
        except Exception as problem:
            cause = f"a fault that the log tells of: {type(problem).__name__}"
            self._problem = UnavailableError(f"The {self._name} cannot be used.", cause)
            log.exception("the %s is not ready", self._name)
