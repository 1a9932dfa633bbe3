"""What S3's notifications are on AWS: a laptop that keeps its pictures in a bucket looks for itself what has arrived there."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from urllib.parse import quote_plus

from chalicelib.local.queue import Notification
from chalicelib.storage import keys
from chalicelib.storage.port import ObjectStore, StoredObject

LOOK_EVERY_SECONDS = 1.0

log = logging.getLogger(__name__)


class Watch:
    """Hands a notification to `send` for each object that it finds in `incoming/`: one for each time it was written."""

    def __init__(self, store: ObjectStore, send: Callable[[Notification], None]) -> None:
        self._store = store
        self._send = send
        #: What lay there at the last look, and since when.
        self._announced: dict[str, datetime] = {}

    def look(self) -> None:
        """Announce what is new since the last look. Raises `UnavailableError` where the store does not answer."""
        lying = set()
        for item in self._store.list(keys.INCOMING):
            lying.add(item.key)
            # An object that was copied onto itself is new: that is how its event is raised anew.
            if self._announced.get(item.key) != item.modified:
                self._announced[item.key] = item.modified
                self._send(_notification(item))
        for gone in self._announced.keys() - lying:
            del self._announced[gone]

    def go_on_looking(self) -> None:
        """Look every second, whatever happens; of a fault that lasts the log tells once."""
        pause, failing = threading.Event(), False
        while True:
            try:
                self.look()
                failing = False
            except Exception:
                if not failing:
                    log.exception("the bucket cannot be watched; uploads wait until it can be")
                failing = True
            pause.wait(LOOK_EVERY_SECONDS)


def _notification(item: StoredObject) -> Notification:
    record = {"eventName": "ObjectCreated:Put", "eventTime": item.modified.isoformat()}
    return {"Records": [{**record, "s3": {"object": {"key": quote_plus(item.key)}}}]}
