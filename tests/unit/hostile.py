"""What a decoder can do to the process it runs in, and a program that runs such decoders; for `test_decoding_children`."""

import itertools
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import BinaryIO, NoReturn

from chalicelib.decoding.pool import Pool

MODULE = "tests.unit.hostile"
MEMORY = 1 << 28
#: Seconds; far longer than anything here takes that ends by itself.
PATIENCE = 120.0


def _wait() -> NoReturn:
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()
    raise AssertionError


def _spin() -> NoReturn:
    while True:
        pass


def _spin_in_c() -> bytes:
    """As a decoder does that never lets another thread run."""
    return bytes(sum(itertools.repeat(0)))


def _spin_in_threads() -> NoReturn:
    for _ in range(8):
        threading.Thread(target=_spin).start()
    _wait()


def _raise(error: BaseException) -> NoReturn:
    raise error


def _answer_nothing_and_wait() -> NoReturn:
    for descriptor in range(64):
        try:
            os.close(descriptor)
        except OSError:
            continue
    _wait()


def _dribble() -> NoReturn:
    """Answer a byte now and then; whichever descriptor can be written to is that of the answer."""
    never = threading.Lock()
    never.acquire()
    while True:
        for descriptor in range(3, 64):
            try:
                os.write(descriptor, b"x")
            except OSError:
                continue
        never.acquire(timeout=0.02)


def _start_many_threads() -> NoReturn:
    never = threading.Lock()
    never.acquire()
    threading.stack_size(1 << 16)
    for _ in range(1000):
        threading.Thread(target=never.acquire).start()
    _wait()


_TASKS: dict[str, Callable[[], bytes]] = {
    "say who you are": lambda: str(os.getpid()).encode(),
    "wait": _wait,
    "spin": _spin,
    "spin in C": _spin_in_c,
    "spin in threads": _spin_in_threads,
    "close everything and wait": _answer_nothing_and_wait,
    "dribble": _dribble,
    "start many threads": _start_many_threads,
    "abort": os.abort,
    "exit": lambda: os._exit(3),
    "leave": lambda: _raise(SystemExit(5)),
    "fail": lambda: _raise(KeyError("what")),
    "eat memory": lambda: bytes(2 * MEMORY),
    "eat memory bit by bit": lambda: b"".join(bytes(100_000) for _ in itertools.count()),
    "answer much": lambda: bytes(8_000_000),
    "answer too much": lambda: bytes(8_000_001),
}


def prepare() -> None:
    """Nothing to load."""


def work(file: BinaryIO, task: bytes) -> bytes:
    name = task.decode()
    file.seek(0)
    return _TASKS[name]() if name in _TASKS else file.read()


def main(task: str) -> None:
    """A program with one child that does the task."""
    pool = Pool(MODULE)
    with tempfile.TemporaryFile() as file:
        print(pool.run(file.fileno(), task.encode(), MEMORY, PATIENCE).decode())
    pool.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
