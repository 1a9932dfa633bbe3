"""What a decoder can do to the process it runs in, and a program that runs such decoders; for `test_isolation`."""

import itertools
import os
import signal
import threading
import time
from collections.abc import Callable

from chalicelib.errors import BadImageError
from chalicelib.imaging.isolation import DecoderPool

MEMORY = 2 * 1024**3
#: Seconds; far longer than anything here takes that ends by itself.
PATIENCE = 120.0


class Unreadable(Exception):
    """Can be pickled, and not read back."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


def _sleep() -> None:
    time.sleep(2 * PATIENCE)


def _spin() -> None:
    while True:
        pass


def _spin_in_c() -> None:
    """As a decoder does that never lets another thread run."""
    sum(itertools.repeat(0))


def _interrupt() -> str:
    os.kill(os.getpid(), signal.SIGINT)
    return "unimpressed"


def _raise(error: BaseException) -> None:
    raise error


_TASKS: dict[str, Callable[[], object]] = {
    "say who you are": os.getpid,
    "sleep": _sleep,
    "spin": _spin,
    "spin in C": _spin_in_c,
    "abort": os.abort,
    "exit": lambda: os._exit(3),
    "eat memory": lambda: len(bytearray(2 * MEMORY)),
    "be interrupted": _interrupt,
    "refuse": lambda: _raise(BadImageError("The file is damaged.")),
    "fail": lambda: _raise(KeyError("what")),
    "fail unreadably": lambda: _raise(Unreadable("not ", "to be read")),
    "leave": lambda: _raise(SystemExit(5)),
    "answer unreadably": threading.Lock,
}


def work(task: str) -> object:
    return _TASKS[task]()


def announced(task: str, fifo: str) -> object:
    """Tell the reader of the FIFO who works, then do it: whoever has read it knows that the task is under way."""
    with open(fifo, "w") as out:
        out.write(str(os.getpid()))
    return work(task)


def echo(content: bytes) -> bytes:
    return content


def orphaned(task: str) -> object:
    os.kill(os.getppid(), signal.SIGKILL)
    return work(task)


def main(task: str, how: str = "") -> None:
    """A program with one child that does the task. Nothing waits for an orphan, so its time is kept short."""
    function, seconds = (orphaned, 0.2) if how == "orphaned" else (work, PATIENCE)
    pool = DecoderPool(function, processes=1, seconds=seconds, memory=MEMORY)
    print(pool.run(task))
    pool.close()
