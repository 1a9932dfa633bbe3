"""Bars on a terminal: how far, how fast, how long yet. Where nobody watches there are none."""

import sys
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bars:
    """One bar for each of `names`, counting bytes. Its methods may be called from any thread."""

    def __init__(self, *names: str) -> None:
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._totals = dict.fromkeys(names, 0)
        self._lock = threading.Lock()
        if sys.stderr.isatty():
            self._progress = _progress()
            self._tasks = {name: self._progress.add_task(name, total=0, note="") for name in names}

    def __enter__(self) -> Self:
        if self._progress:
            self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def stop(self) -> None:
        if self._progress:
            self._progress.stop()

    def add_total(self, name: str, count: int) -> None:
        """So many bytes more to go."""
        if self._progress:
            with self._lock:
                self._totals[name] += count
                self._progress.update(self._tasks[name], total=self._totals[name])

    def note(self, name: str, text: str) -> None:
        """A word at the end of the bar's line."""
        if self._progress:
            self._progress.update(self._tasks[name], note=text)

    def advance(self, name: str, count: int) -> None:
        if self._progress:
            self._progress.advance(self._tasks[name], count)


def _progress() -> "Progress":
    # Imported only here: loading it takes longer than a second upload of a folder.
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    return Progress(
        TextColumn("{task.description:>8}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        # What is printed goes above the bars, but answers that go elsewhere than the terminal stay out of them.
        redirect_stdout=sys.stdout.isatty(),
    )
