"""Uploading many files: hashed, asked about by the hundred, sent where they are wanted, and followed to their end.

All state belongs to the thread that calls `run`. Crews of threads hash, ask, send and look; each result comes back as an
event. What the server has given a ticket for is in the journal before its first byte is sent, so that a run that ends in any
way is continued by the next.
"""

import os
import queue
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from imagerepo.asking import Answers, Asking, Item
from imagerepo.client import MOST_OFFERS, Client
from imagerepo.crew import Crew, Event
from imagerepo.errors import AccessError, ApiError, FileChangedError, ImageRepoError, NotFoundError, StoreError
from imagerepo.hashing import Hashing
from imagerepo.journal import Journal, OpenUpload
from imagerepo.localfile import Snapshot, open_unchanged, until_stopped
from imagerepo.models import ExistsAnswer, Refusal, Upload, UploadAnswer
from imagerepo.outcomes import Kind, Outcome, Watcher
from imagerepo.polling import Poller
from imagerepo.walking import Found, Unreadable, reason

#: How often one content is asked about: its ticket may run out, its upload be lost.
_MOST_TRIES = 3
_FAREWELL_SECONDS = 1.0
#: Refusals that speak about the content: the same bytes would meet them again.
_LASTING = frozenset({"UnsupportedImageError", "BadImageError"})


class UploadRun:
    """One run over many files. `jobs` files are sent at once; `wait` is how long, in seconds, the server may go without
    ending an upload before the rest is left `unfinished`. Files refused before are not sent again unless `retry_refused`.
    """

    def __init__(
        self,
        client: Client,
        journal: Journal,
        watcher: Watcher,
        stop: threading.Event,
        *,
        jobs: int,
        wait: float,
        retry_refused: bool,
    ) -> None:
        self._client = client
        self._journal = journal
        self._watcher = watcher
        self._stop = stop
        self._jobs = jobs
        self._retry_refused = retry_refused
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._hashers = Crew(min(4, os.cpu_count() or 1), self._events)
        on_bytes = until_stopped(stop, watcher.hashed)
        self._hashing = Hashing(journal, watcher, self._hashers, on_bytes, self._identified, self._unreadable)
        self._askers = Crew(1, self._events)
        self._asking = Asking(client, self._askers, self._answered)
        self._senders = Crew(jobs, self._events)
        self._poller = Poller(client, Crew(jobs, self._events), wait)
        self._by_content: dict[bytes, Item] = {}
        #: Files whose outcome the watcher has not been told.
        self._open = 0
        self._fatal: ImageRepoError | None = None

    def run(self, files: Iterable[Found | Unreadable]) -> None:
        """Bring the files to their end, telling the watcher of each.

        Raises what all files would meet: `UnavailableError`, `AccessError`, a quota's `ApiError`. Whatever is raised, the
        next run continues.
        """
        crews = (self._hashers, self._askers, self._senders, self._poller.crew)
        try:
            self._take_up(list(files))
            while self._open and not self._fatal:
                self._ask_if_due()
                self._poller.look_if_due()
                if self._poller.gives_up() and not (self._asking or any(crew.under_way for crew in crews)):
                    self._leave_unfinished()
                else:
                    self._step()
        finally:
            self._stop.set()
            for crew in crews:
                crew.dismiss(_FAREWELL_SECONDS)
        if self._fatal:
            raise self._fatal

    def _step(self) -> None:
        try:
            event = self._events.get(timeout=self._poller.seconds_to_next())
        except queue.Empty:
            return
        event()

    # From a path to its content.

    def _take_up(self, files: Sequence[Found | Unreadable]) -> None:
        found = [file for file in files if isinstance(file, Found)]
        self._open = len(files)
        self._watcher.found(len(files), sum(file.snapshot.size for file in found))
        for file in files:
            if isinstance(file, Unreadable):
                self._tell(Outcome(file.path, "failed", error=Refusal("UnreadableFileError", f"Not read: {file.reason}.")))
            else:
                self._hashing.begin(file)

    def _unreadable(self, path: Path, problem: Exception) -> None:
        self._tell(Outcome(path, "failed", error=self._failure(problem)))

    def _identified(self, path: Path, snapshot: Snapshot, sha256: bytes) -> None:
        leader = self._by_content.get(sha256)
        if leader is None:
            item = self._by_content[sha256] = Item(path, snapshot, sha256)
            self._begin(item)
        elif leader.outcome is None:
            leader.followers.append(path)
        else:
            self._tell(_following(path, leader.outcome))

    # From its content to a ticket.

    def _begin(self, item: Item) -> None:
        """Take the content up where a run before this one has left it."""
        refusal = None if self._retry_refused else self._journal.refusal(item.sha256)
        if refusal:
            self._end(item, "refused", error=refusal)
        elif upload := self._journal.open_upload(item.sha256):
            self._poller.add(upload.id, lambda found: self._found_again(item, upload, found))
        else:
            self._asking.add(item)

    def _found_again(self, item: Item, upload: OpenUpload, found: Upload | Exception) -> bool:
        """The upload of a run before this one. Where its bytes were not all sent, it is of no use any more."""
        if isinstance(found, Upload) and (found.status == "expired" or (found.status == "pending" and not upload.sent)):
            self._journal.close_upload(item.sha256)
            self._asking.add(item)
            return True
        return self._looked_at(item, found)

    def _ask_if_due(self) -> None:
        """In time for the senders to have work, but with no more tickets than will be used soon."""
        sending = self._senders.under_way
        if sending < MOST_OFFERS:
            hurry = not self._hashers.under_way or sending < self._jobs
            self._asking.ask_if_due(hurry=hurry, others_under_way=bool(sending) or self._poller.watches())

    def _answered(self, batch: list[Item], answers: Answers) -> None:
        if isinstance(answers, Exception):
            error = self._failure(answers)
            for item in batch:
                self._end(item, "failed", error=error)
            return
        with self._journal.together():
            for item, answer in zip(batch, answers, strict=True):
                if isinstance(answer, UploadAnswer):
                    self._journal.add_open_upload(item.sha256, answer.upload_id)
        for item, answer in zip(batch, answers, strict=True):
            if isinstance(answer, UploadAnswer):
                self._send(item, answer)
            elif isinstance(answer, ExistsAnswer):
                self._end(item, "held", answer.image_id)
            else:
                self._end(item, "refused", error=answer.error)

    # From the ticket to the end.

    def _send(self, item: Item, ticket: UploadAnswer) -> None:
        self._watcher.to_send(item.snapshot.size)
        self._senders.do(lambda: self._post(item, ticket), lambda result: self._posted(item, ticket, result))

    def _post(self, item: Item, ticket: UploadAnswer) -> None:
        told = 0

        def tell(count: int) -> None:
            nonlocal told
            told += count
            self._watcher.sent(count)

        try:
            with open_unchanged(item.path, item.snapshot) as file:
                self._client.post(ticket, file, item.snapshot.size, until_stopped(self._stop, tell))
        except BaseException:
            self._watcher.sent(-told)
            self._watcher.to_send(-item.snapshot.size)
            raise

    def _posted(self, item: Item, ticket: UploadAnswer, result: Exception | None) -> None:
        if result is None:
            self._journal.mark_sent(item.sha256)
            self._poller.add(ticket.upload_id, lambda found: self._looked_at(item, found))
        elif isinstance(result, FileChangedError):
            self._hash_again(item)
        elif isinstance(result, StoreError) and result.status == 403:
            self._ask_again(item, result)
        else:
            self._end(item, "failed", error=self._failure(result))

    def _looked_at(self, item: Item, found: Upload | Exception) -> bool:
        """Whether the upload needs no further look."""
        if isinstance(found, NotFoundError):
            self._ask_again(item, found)
        elif isinstance(found, Exception):
            self._end(item, "failed", error=self._failure(found))
        elif found.ended:
            self._journal.close_upload(item.sha256)
            self._settle(item, found)
        else:
            return False
        return True

    def _settle(self, item: Item, upload: Upload) -> None:
        if upload.status == "stored":
            self._end(item, "stored", upload.image_id)
        elif upload.status == "duplicate":
            self._end(item, "duplicate", upload.image_id, upload.match)
        elif upload.error and upload.error.Code == "BadDigestError":
            self._hash_again(item)
        else:
            error = upload.error or Refusal("UnknownError", "The server names no reason.")
            if error.Code in _LASTING:
                self._journal.add_refusal(item.sha256, error)
            self._end(item, "refused", error=error)

    def _hash_again(self, item: Item) -> None:
        """What was hashed is no longer there: every file of that content begins anew."""
        self._journal.close_upload(item.sha256)
        del self._by_content[item.sha256]
        for path in (item.path, *item.followers):
            self._hashing.again(path, item.snapshot)

    def _ask_again(self, item: Item, error: ImageRepoError) -> None:
        item.tries += 1
        self._journal.close_upload(item.sha256)
        if item.tries < _MOST_TRIES:
            self._asking.add(item)
        else:
            self._end(item, "failed", error=self._failure(error))

    def _leave_unfinished(self) -> None:
        for item in self._by_content.values():
            if item.outcome is None:
                self._end(item, "unfinished")

    def _end(
        self, item: Item, kind: Kind, image_id: int | None = None, match: str | None = None, error: Refusal | None = None
    ) -> None:
        """Nothing more is told once the run is broken off: those files are neither refused nor failed."""
        if self._fatal:
            return
        if image_id is not None:
            self._journal.forget_refusal(item.sha256)
        self._asking.room_was_made()
        item.outcome = Outcome(item.path, kind, image_id, match, error)
        self._tell(item.outcome)
        for path in item.followers:
            self._tell(_following(path, item.outcome))

    def _tell(self, outcome: Outcome) -> None:
        self._open -= 1
        self._watcher.ended(outcome)

    def _failure(self, problem: Exception) -> Refusal:
        """What is told of one file's failure. One that all files would meet breaks the run off."""
        if isinstance(problem, OSError):
            return Refusal("UnreadableFileError", f"Not read: {reason(problem)}.")
        if not isinstance(problem, ImageRepoError):
            raise problem
        if isinstance(problem, FileChangedError | StoreError):
            return Refusal(type(problem).__name__, str(problem))
        if isinstance(problem, ApiError) and not isinstance(problem, AccessError) and problem.code != "QuotaExceededError":
            return Refusal(problem.code, problem.message)
        self._fatal = problem
        return Refusal(type(problem).__name__, str(problem))


def _following(path: Path, outcome: Outcome) -> Outcome:
    """A file of the same content meets the same end, but nothing was sent for it."""
    if outcome.kind == "stored":
        return Outcome(path, "duplicate", outcome.image_id, "file")
    return Outcome(path, outcome.kind, outcome.image_id, outcome.match, outcome.error)
