"""Putting right what faults have left behind, and saying where an invariant does not hold.

Works in slices, so that a run that is cut off, or that has only minutes, is taken up where it stopped.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path

from chalicelib.catalog.catalog import Catalog
from chalicelib.errors import UnavailableError
from chalicelib.model.records import Checkpoint
from chalicelib.services.completion import Completion, MakeThumbnails
from chalicelib.services.orphans import Orphans
from chalicelib.services.sweep_report import Report
from chalicelib.services.sweep_steps import Steps
from chalicelib.storage import keys
from chalicelib.storage.port import ObjectStore

#: As many objects as a store is asked for to know whether it is a small one.
_GLANCE = 1000


@dataclass(frozen=True, slots=True)
class Sweep:
    """One pass over catalog and store, which must be known to belong together."""

    catalog: Catalog
    store: ObjectStore
    make_thumbnails: MakeThumbnails
    stale_after: timedelta
    clock: Callable[[], datetime]
    scratch: Callable[[], Path]

    def run(
        self,
        *,
        dry_run: bool = False,
        start: Checkpoint | None = None,
        time_is_up: Callable[[], bool] | None = None,
        remove_all: bool = False,
    ) -> Report:
        """Do every step from `start` on; stops between two slices when `time_is_up`, and says where.

        What is an orphan is decided over the whole store, or, where time may be up before it is listed, slice by slice;
        `remove_all` sets it aside even if it is most of the store. A step or an item that fails costs a line in the report;
        only where catalog or store do not answer does the run break off.
        """
        report = Report()
        orphans = Orphans(time_is_up is not None, remove_all, cache(self._glance))
        steps = self._steps(report, orphans, dry_run)
        begin = start or Checkpoint(steps.names[0])
        try:
            for name in steps.names[steps.names.index(begin.step) :]:
                after: str | None = begin.after if name == begin.step else ""
                while after is not None:
                    if time_is_up is not None and time_is_up():
                        report.stopped_at = Checkpoint(name, after)
                        return report
                    after = steps.do(name, after)
        except UnavailableError as error:
            report.fault = error.message
        finally:
            if problem := orphans.problem():
                report.problems.append(problem)
        return report

    def go_on(self, time_is_up: Callable[[], bool]) -> Report:
        """Run from where the last such run had no more time, else from the beginning.

        After a run that broke off the next one begins anew.
        """
        start = self.catalog.inventory.take_checkpoint()
        if start and start.step not in Steps.names:
            start = None  # another release kept it
        report = self.run(start=start, time_is_up=time_is_up)
        if report.stopped_at:
            self.catalog.inventory.keep_checkpoint(report.stopped_at)
        return report

    def _steps(self, report: Report, orphans: Orphans, dry_run: bool) -> Steps:
        completion = Completion(self.catalog, self.store, self.make_thumbnails, self.scratch, report, dry_run)
        return Steps(self.catalog, self.store, completion, self.stale_after, self.clock, report, orphans, dry_run)

    def _glance(self) -> int:
        """How many objects are stored, at least."""
        sections = (self.store.list(prefix) for prefix in (keys.ORIGINALS, keys.THUMBNAILS))
        return sum(1 for section in sections for _ in islice(section, _GLANCE))
