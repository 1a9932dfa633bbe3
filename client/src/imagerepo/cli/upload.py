"""`imagerepo upload`."""

import argparse
import threading
from collections import Counter
from collections.abc import Sequence

from imagerepo.cli.config import Target
from imagerepo.cli.exits import DONE, SOME_FAILED
from imagerepo.cli.output import json_line, printable, say, size, tell
from imagerepo.cli.progress import Bars
from imagerepo.client import Client
from imagerepo.journal import Journal, file_name
from imagerepo.outcomes import KINDS, Kind, Outcome
from imagerepo.uploading import UploadRun
from imagerepo.walking import Found, Unreadable, walk

_CHECK, _SEND = "checking", "sending"
_WORDS: dict[Kind, str] = {
    "stored": "new",
    "duplicate": "the same picture as one held",
    "held": "held already",
    "unfinished": "sent, but not finished by the server",
    "refused": "refused",
    "failed": "failed",
}


def run(given: argparse.Namespace, client: Client, to: Target, stop: threading.Event) -> int:
    """`SOME_FAILED` where a file was refused or could not be sent."""
    files = list(walk(given.paths, every_file=given.all))
    if given.dry_run:
        return _tell_files(files, as_json=given.json)
    with Journal(to.state / file_name(client.server)) as journal, Bars(_CHECK, _SEND) as bars:
        if not journal.kept:
            say(f"imagerepo: No journal can be kept in {printable(to.state)}: a broken-off run will be hashed anew.")
        report = Report(bars, as_json=given.json)
        upload = UploadRun(client, journal, report, stop, jobs=given.jobs, wait=given.wait, retry_refused=given.retry_refused)
        try:
            upload.run(files)
        finally:
            bars.stop()
            report.sum_up(len(files))
    return SOME_FAILED if report.counts["refused"] + report.counts["failed"] else DONE


class Report:
    """Shows the bars, prints what went wrong as it happens, or every file's outcome as JSON, and counts."""

    def __init__(self, bars: Bars, *, as_json: bool) -> None:
        self._bars = bars
        self._as_json = as_json
        self.counts: Counter[Kind] = Counter()
        self._files = 0

    def found(self, files: int, size: int) -> None:
        self._files = files
        self._bars.add_total(_CHECK, size)

    def hashed(self, size: int) -> None:
        self._bars.advance(_CHECK, size)

    def to_send(self, size: int) -> None:
        self._bars.add_total(_SEND, size)

    def sent(self, size: int) -> None:
        self._bars.advance(_SEND, size)

    def ended(self, outcome: Outcome) -> None:
        self.counts[outcome.kind] += 1
        self._bars.note(_SEND, f"{self.counts.total()}/{self._files} files done")
        if self._as_json:
            print(json_line(outcome), flush=True)
        elif outcome.error:
            say(f"{outcome.kind}: {printable(outcome.path)}: {outcome.error.Message} ({outcome.error.Code})")

    def sum_up(self, files: int) -> None:
        """One line about all of them."""
        parts = [f"{self.counts[kind]} {_WORDS[kind]}" for kind in KINDS if self.counts[kind]]
        if left := files - self.counts.total():
            parts.append(f"{left} left for the next run")
        say(f"{files} {'file' if files == 1 else 'files'}: {', '.join(parts)}." if files else "There is nothing to upload.")


def _tell_files(files: Sequence[Found | Unreadable], *, as_json: bool) -> int:
    total = 0
    for file in files:
        if isinstance(file, Unreadable):
            say(f"failed: {printable(file.path)}: Not read: {file.reason}. (UnreadableFileError)")
            continue
        total += file.snapshot.size
        tell(json_line({"path": file.path, "size": file.snapshot.size}) if as_json else printable(file.path))
    found = sum(isinstance(file, Found) for file in files)
    say(f"{found} {'file' if found == 1 else 'files'} of {size(total)} would be hashed, and sent as far as they are not held.")
    return SOME_FAILED if found < len(files) else DONE
