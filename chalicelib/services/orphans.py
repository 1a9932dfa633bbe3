"""Which orphans a sweep may touch: where they are more than a tenth of a store, the catalog is a wrong one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

#: A store of no more objects than these may consist of orphans.
FEW = 100
#: Beyond that at most one in so many.
SHARE = 10


@dataclass(slots=True)
class Orphans:
    """What no row names. Decided over a whole listing before anything is touched, or `sliced`, over each slice of one.

    A slice counts by itself and together with those before it; `store_size` is then how many objects the store has at least,
    so that a small slice of a large store is no small store. `allow_all` lifts the rule.
    """

    sliced: bool
    allow_all: bool
    store_size: Callable[[], int]
    withheld: int = 0
    _listed: int = 0
    _found: int = 0
    _waiting: list[str] = field(default_factory=list)

    def add(self, listed: int, found: Sequence[str]) -> list[str]:
        """Note what a slice of the listing held; returns what of it may be dealt with at once."""
        self._listed += listed
        self._found += len(found)
        if not self.sliced:
            self._waiting += found
            return []
        return self._allowed(found, found and self._too_many_in_slice(listed, len(found)))

    def decide(self) -> list[str]:
        """At the end of the listing: what may be dealt with of all that was noted and is not dealt with yet."""
        waiting, self._waiting = self._waiting, []
        return self._allowed(waiting, _too_many(self._listed, self._found))

    def problem(self) -> str | None:
        """The sentence for an operator, where something was left alone."""
        if not self.withheld:
            return None
        return (
            f"{self.withheld} objects that no row names were left alone, being more than a tenth of what was listed: see that "
            "this is the right catalog; a sweep that is told --all sets them aside."
        )

    def _too_many_in_slice(self, listed: int, found: int) -> bool:
        return _too_many(listed, found) or _too_many(max(self._listed, self.store_size()), self._found)

    def _allowed(self, found: Sequence[str], too_many: object) -> list[str]:
        if too_many and not self.allow_all:
            self.withheld += len(found)
            return []
        return list(found)


def _too_many(listed: int, found: int) -> bool:
    return listed > FEW and found * SHARE > listed
