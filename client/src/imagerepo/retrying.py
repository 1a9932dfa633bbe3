"""Trying again what may pass: with growing pauses, no longer than the caller's patience, and at once to be called off."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx

from imagerepo.errors import StoppedError, UnavailableError

T = TypeVar("T")

_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 20.0


class PassingFault(Exception):
    """A fault that may pass. `wait` is how many seconds the other side asked for; `progressed` says that it got further."""

    def __init__(self, reason: str, wait: float = 0.0, *, progressed: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.wait = wait
        self.progressed = progressed


@dataclass(frozen=True, slots=True)
class Retrying:
    """`patience` is in seconds, from the first fault on; 0 means one attempt. Setting `stop` ends every wait."""

    patience: float
    stop: threading.Event

    def run(self, action: Callable[[], T]) -> T:
        """What `action` returns. Raises `UnavailableError` when its `PassingFault` did not pass, or `StoppedError`."""
        faults, give_up_at = 0, 0.0
        while True:
            if self.stop.is_set():
                raise StoppedError("The work was called off.")
            try:
                return action()
            except PassingFault as fault:
                faults = 1 if fault.progressed else faults + 1
                now = time.monotonic()
                if faults == 1:
                    give_up_at = now + self.patience
                pause = max(fault.wait, _pause(faults))
                if now + pause > give_up_at:
                    raise UnavailableError(fault.reason) from None
            self.stop.wait(pause)


def check(response: httpx.Response) -> httpx.Response:
    """The response, unless its status says that a later try may succeed. Its body must have been read."""
    if response.status_code == 429 or response.status_code >= 500:
        raise PassingFault(_reason(response), retry_after(response.headers.get("retry-after", "")))
    return response


def retry_after(text: str) -> float:
    """The seconds that a Retry-After header asks for, by number or by date; 0 where it says nothing usable."""
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def transport_fault(problem: httpx.RequestError, host: str) -> PassingFault:
    """What went wrong on the way, without the request, which may hold a key or a signature."""
    if isinstance(problem, httpx.ConnectError | httpx.ConnectTimeout):
        return PassingFault(f"No connection to {host}: check the address, and that the server runs.")
    if isinstance(problem, httpx.TimeoutException):
        return PassingFault(f"{host} takes too long to answer.")
    return PassingFault(f"The connection to {host} broke off before the answer was complete.")


def _pause(faults: int) -> float:
    """Doubling, with jitter, so that many clients do not come back at the same moment."""
    longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** min(faults - 1, 16))
    return random.uniform(longest / 2, longest)  # noqa: S311 - no secret


def _reason(response: httpx.Response) -> str:
    try:
        body = response.json()
        return f"{body['Message']} ({body['Code']})"
    except (ValueError, KeyError, TypeError):
        return f"{response.request.url.host} answers with status {response.status_code}."
