"""What a laptop does when the server starts: interrupted uploads go on, a sweep runs now and then, a bucket is watched."""

import fcntl
import logging
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

from chalicelib import runtime, settings
from chalicelib.decoding import warm
from chalicelib.errors import RepositoryError, UnavailableError
from chalicelib.local import composition
from chalicelib.repository import Repository
from chalicelib.settings import SettingsError
from chalicelib.storage import keys

SWEEP_EVERY_SECONDS = 6 * 3600.0
_RECOVER_EVERY_SECONDS = 5.0

log = logging.getLogger(__name__)


def start(url: str) -> Repository:
    """Put together the repository that is served at `url` (unless PUBLIC_URL says otherwise) and set it going."""
    wanted = settings.from_env()
    warm.try_fence()
    composition.wait_for_database(wanted)
    started = runtime.build(replace(wanted, public_url=wanted.public_url or url))
    runtime.use(started)
    _tell_who_can_read(wanted.storage)
    lock = _lock_of(wanted.storage)
    if _is_free(lock):
        _take_over(started, lock)
    else:
        log.warning("another server uses this folder: recovery, sweep and watching a bucket are left to it until it ends")
        threading.Thread(target=_wait_and_take_over, args=(started, lock), name="second", daemon=True).start()
    return started


def _wait_and_take_over(started: Repository, lock: int) -> None:
    fcntl.flock(lock, fcntl.LOCK_EX)
    log.warning("the other server has ended: recovery, sweep and watching a bucket are this one's now")
    pause, failing = threading.Event(), False
    while True:
        try:
            _take_over(started, lock)
        except UnavailableError as problem:
            if not failing:
                log.warning("recovery is tried again until it succeeds: %s", problem)
            failing = True
            pause.wait(_RECOVER_EVERY_SECONDS)
        else:
            return


def _take_over(started: Repository, lock: int) -> None:
    """Be the one server that keeps this folder in order; the lock goes with the process, however it ends."""
    recover(started)
    _held.append(lock)
    threading.Thread(target=_sweep_now_and_then, args=(started,), name="sweep", daemon=True).start()
    for name, chore in started.chores.items():
        threading.Thread(target=chore, name=name, daemon=True).start()


def recover(started: Repository) -> None:
    """Take up what a killed server left: every object that lies in `incoming/` is an upload that has not ended.

    The server of this folder has ended, so a lease on one of them has no worker, and a strike that is still marked was left
    by the server's death, not by the decoder's. Where another that waited for that is at work meanwhile, its workers find
    their leases lost, as any that is overtaken, and the uploads are taken in by the events raised here.
    """
    waiting = [item.key for item in started.store.list(keys.INCOMING)]
    uploads = [upload_id for key in waiting if (upload_id := keys.upload_of(key))]
    started.catalog.uploads.recover_interrupted(uploads)
    for key in waiting:
        started.store.raise_event(key)
    if waiting:
        log.info("%d interrupted uploads go on", len(waiting))


_held: list[int] = []


def _lock_of(folder: Path) -> int:
    """The open file that is locked by the one server which keeps the folder in order."""
    return os.open(folder / "server.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _is_free(lock: int) -> bool:
    """Whether this process has the lock now."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise SettingsError(f"FILE_STORAGE_LOCATION must be on a file system with locks: {error.strerror}.") from error
    return True


def _tell_who_can_read(folder: Path) -> None:
    """A new folder is made private. One that was there may be shared on purpose: its mode is its owner's choice."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        log.warning("other users of this machine can look into the folder (mode %o): chmod 700 %s", mode, folder)


def _sweep_now_and_then(started: Repository) -> None:
    pause = threading.Event()
    while not pause.wait(SWEEP_EVERY_SECONDS):
        try:
            started.belonging.settle()  # the folder may have got another catalog since the start
            started.workspace.prepare()
            report = started.sweep.run()
        except RepositoryError as error:
            log.error("the sweep did not begin: %s", error)  # noqa: TRY400 - the sentence is all there is to know
        except Exception:
            log.exception("the sweep broke off")
        else:
            log.info("sweep: %s", dict(report.done))
            for problem in report.problems:
                log.error("sweep: %s", problem)
            if report.fault:
                log.error("the sweep broke off: %s", report.fault)
