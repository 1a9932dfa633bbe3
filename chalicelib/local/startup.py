"""What a laptop does when the server starts: interrupted uploads go on, a sweep runs now and then, a bucket is watched."""

import fcntl
import logging
import threading
from dataclasses import replace
from pathlib import Path
from typing import IO

from chalicelib import runtime, settings
from chalicelib.decoding import warm
from chalicelib.errors import RepositoryError
from chalicelib.local.queue import EventQueue
from chalicelib.local.watch import Watch
from chalicelib.runtime import Runtime
from chalicelib.storage import keys

SWEEP_EVERY_SECONDS = 6 * 3600.0

log = logging.getLogger(__name__)


def start(url: str) -> Runtime:
    """Put together the repository that is served at `url` (unless PUBLIC_URL says otherwise) and set it going."""
    wanted = settings.from_env()
    warm.try_fence()
    started = runtime.build(replace(wanted, public_url=wanted.public_url or url))
    runtime.use(started)
    if _claim_folder(wanted.storage / "server.lock"):
        recover(started)
        threading.Thread(target=_sweep_now_and_then, args=(started,), name="sweep", daemon=True).start()
        if wanted.image_bucket is not None and isinstance(started.queue, EventQueue):  # a laptop's always is
            watch = Watch(started.store, started.queue.send)
            threading.Thread(target=watch.go_on_looking, name="watch", daemon=True).start()
    else:
        log.warning("another server uses this folder: recovery, sweep and watching a bucket are left to it")
    return started


def recover(started: Runtime) -> None:
    """Take up what a killed server left: every object that lies in `incoming/` is an upload that has not ended.

    No server runs on this folder, so a claim on one of them has no worker, and a strike that is still marked was left by
    the server's death, not by the decoder's.
    """
    waiting = [item.key for item in started.store.list(keys.INCOMING)]
    uploads = [upload_id for key in waiting if (upload_id := keys.upload_of(key))]
    started.catalog.uploads.recover_interrupted(uploads)
    for key in waiting:
        started.store.raise_event(key)
    if waiting:
        log.info("%d interrupted uploads go on", len(waiting))


_held: list[IO[str]] = []


def _claim_folder(path: Path) -> bool:
    """Whether this process is now the one server of the folder; the lock goes with the process, however it ends."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        return False
    _held.append(file)
    return True


def _sweep_now_and_then(started: Runtime) -> None:
    pause = threading.Event()
    while not pause.wait(SWEEP_EVERY_SECONDS):
        try:
            started.belonging.settle()  # the folder may have got another catalog since the start
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
