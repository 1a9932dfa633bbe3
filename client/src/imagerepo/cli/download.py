"""`imagerepo download`."""

import argparse
import threading
from collections import Counter
from collections.abc import Iterable

from imagerepo.cli.arguments import filters
from imagerepo.cli.config import Target
from imagerepo.cli.exits import DONE, SOME_FAILED, USAGE
from imagerepo.cli.output import json_line, say
from imagerepo.cli.progress import Bars
from imagerepo.client import Client
from imagerepo.downloading import DownloadRun, Fetched
from imagerepo.filters import Filters
from imagerepo.models import Image

_FETCH = "fetching"


def run(given: argparse.Namespace, client: Client, _: Target, stop: threading.Event) -> int:
    """`SOME_FAILED` where an image is not there afterwards, `USAGE` where nothing says which are wanted."""
    wanted = filters(given)
    narrowed = wanted != Filters()
    if bool(given.ids) + narrowed + given.all != 1:
        say("imagerepo: Say which images: by their ids, by filters, or by --all.")
        return USAGE
    images: Iterable[Image | int] = given.ids or client.images(wanted, sort="uploaded_at")
    with Bars(_FETCH) as bars:
        report = Report(bars, as_json=given.json)
        try:
            DownloadRun(client, report, stop, given.to, flat=given.flat, jobs=given.jobs).run(images)
        finally:
            bars.stop()
            report.sum_up()
    return SOME_FAILED if report.counts["failed"] else DONE


class Report:
    """Shows the bar, prints what went wrong as it happens, or every image's outcome as JSON, and counts."""

    def __init__(self, bars: Bars, *, as_json: bool) -> None:
        self._bars = bars
        self._as_json = as_json
        self.counts: Counter[str] = Counter()

    def to_fetch(self, size: int) -> None:
        self._bars.add_total(_FETCH, size)

    def fetched(self, size: int) -> None:
        self._bars.advance(_FETCH, size)

    def ended(self, result: Fetched) -> None:
        self.counts[result.kind] += 1
        self._bars.note(_FETCH, f"{self.counts.total()} images done")
        if self._as_json:
            print(json_line(result), flush=True)
        elif result.problem:
            say(f"failed: image {result.image_id}: {result.problem}")

    def sum_up(self) -> None:
        words = {"downloaded": "downloaded", "present": "there already", "failed": "failed"}
        parts = [f"{self.counts[kind]} {word}" for kind, word in words.items() if self.counts[kind]]
        say(f"{', '.join(parts)}." if parts else "There is nothing to download.")
