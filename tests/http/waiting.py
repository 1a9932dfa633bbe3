"""Waiting for a state of affairs, with a bound; never for a while."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

BOUND_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.01


def wait_until(look: Callable[[], T]) -> T:
    """Look again and again until what is seen counts as true, and return it."""
    deadline = time.monotonic() + BOUND_SECONDS
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited {BOUND_SECONDS:g} seconds in vain: {look}"
        time.sleep(_LOOK_EVERY_SECONDS)
    return seen


def is_running(pid: int) -> bool:
    """Whether the process is there and no zombie: what is left of an orphan goes when the machine's first process asks."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Gate:
    """Holds whoever comes until it is opened, and lets others wait until someone has come."""

    def __init__(self) -> None:
        self._someone = threading.Event()
        self._opened = threading.Event()

    def pass_through(self) -> None:
        self._someone.set()
        assert self._opened.wait(BOUND_SECONDS)

    def wait_for_someone(self) -> None:
        assert self._someone.wait(BOUND_SECONDS)

    def open(self) -> None:
        self._opened.set()
