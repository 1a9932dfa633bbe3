"""Runs a function in child processes: a decoder may hang, abort or burst, and neither server nor other files may notice.

This guards against accidents, not against a child that has been taken over: what it answers is trusted.
"""

import math
import os
import pickle
import queue
import resource
import signal
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Generic, ParamSpec, TypeVar

from chalicelib.errors import UnavailableError

P = ParamSpec("P")
T = TypeVar("T")

#: How long a child may take to import what it needs; no file is involved yet.
_START_SECONDS = 60.0
_OUT_OF_MEMORY = 86
#: How many processors a decoder may keep busy for the whole of its time; more work than that is a loop.
_BUSY_THREADS = 4


class DecoderDied(Exception):
    """The child did not survive the job: it died, took too long, or ran out of memory."""


class PoolClosed(Exception):
    """The pool was closed before the job had ended, which says nothing about the job."""


@dataclass(frozen=True, slots=True, eq=False)
class _Child:
    process: BaseProcess
    connection: "Connection[Any, Any]"


class DecoderPool(Generic[P, T]):
    """Up to `processes` children, started when first needed and used again, that call `function` for many threads at once.

    `function` must be importable by its name. A job may take `seconds` by the wall clock, and a child's address space may
    grow to `memory` bytes (where the system enforces that: not on macOS). The children end with this process, however it
    ends.
    """

    def __init__(self, function: Callable[P, T], processes: int, seconds: float, memory: int) -> None:
        self._function = function
        self._seconds = seconds
        self._memory = memory
        self._closed = False
        #: Held while children come and go, as multiprocessing's account of them is not made for several threads.
        self._lock = threading.Lock()
        self._children: set[_Child] = set()
        #: One place per child there may be; last in, first out, so that no more are started than are needed.
        self._places: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(processes):
            self._places.put(None)

    def run(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function in a child, waiting for a free one, and return or raise what it returns or raises.

        Raises `DecoderDied` when the child does not survive the job, `PoolClosed`, and `UnavailableError` when no child
        can be started.
        """
        child = self._places.get()
        survivor = None
        try:
            child = child or self._start()
            succeeded, answer = self._ask(child, args, kwargs)
            survivor = child
        finally:
            # Whatever went wrong on the way: an answer still to come must not be taken for that of the next job.
            if child is not None and survivor is None:
                self._end(child)
            self._places.put(survivor)
        if not succeeded:
            raise answer
        result: T = answer
        return result

    def close(self) -> None:
        """End the children, those at work too; a second call does no harm."""
        with self._lock:
            self._closed = True
            for child in self._children:
                child.process.kill()
                child.process.join()
            self._children.clear()

    def _start(self) -> _Child:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        arguments = (theirs, self._function, self._memory, self._seconds)
        child = _Child(context.Process(target=_serve, args=arguments, name="decoder", daemon=True), ours)
        try:
            with self._lock:
                if self._closed:
                    raise PoolClosed
                child.process.start()
                self._children.add(child)
        except OSError as error:
            raise UnavailableError(f"No decoder could be started: {error.strerror}.") from error
        finally:
            theirs.close()
        try:
            if ours.poll(_START_SECONDS):
                ours.recv()
                return child
        except (EOFError, OSError):
            pass
        self._end(child)
        self._refuse_if_closed()
        raise UnavailableError("No decoder could be started: it ended before it was ready.")

    def _ask(self, child: _Child, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[bool, Any]:
        try:
            child.connection.send((args, kwargs))
            if not child.connection.poll(self._seconds):
                raise DecoderDied(f"The decoder took longer than {self._seconds:g} seconds.")
            succeeded, answer = child.connection.recv()
        except (EOFError, OSError):
            cause = _cause(self._end(child))
            self._refuse_if_closed()
            raise DecoderDied(f"The decoder {cause}.") from None
        return succeeded, answer

    def _end(self, child: _Child) -> int | None:
        with self._lock:
            child.process.kill()
            child.process.join()
            child.connection.close()
            self._children.discard(child)
            return child.process.exitcode

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise PoolClosed


def _cause(exit_code: int | None) -> str:
    if exit_code == _OUT_OF_MEMORY:
        return "needed more memory than it may have"
    if exit_code is not None and exit_code < 0:
        return f"died of {signal.Signals(-exit_code).name}"
    return f"ended with exit code {exit_code}"


def _serve(connection: "Connection[Any, Any]", function: Callable[..., Any], memory: int, seconds: float) -> None:
    """The life of a child."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to deal with
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, memory)
    try:
        connection.send("ready")
        with suppress(EOFError, BrokenPipeError):
            while True:
                args, kwargs = connection.recv()
                _limit_processor_time(seconds)
                connection.send_bytes(_answer(function, args, kwargs))
    except MemoryError:
        os._exit(_OUT_OF_MEMORY)


def _end_with_parent() -> None:
    """Wait for the parent to be gone, in whatever way, then go too, whatever the job is doing."""
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(0)


def _limit(what: int, most: int) -> None:
    with suppress(ValueError, OSError):  # a stricter limit is in force already, or the system knows no such limit
        resource.setrlimit(what, (most, resource.getrlimit(what)[1]))


def _limit_processor_time(seconds: float) -> None:
    """The backstop for a loop in C that lets no other thread of an orphaned child run, not even the one that would end it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime + seconds * _BUSY_THREADS) + 1)


def _answer(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bytes:
    try:
        return pickle.dumps((True, function(*args, **kwargs)))
    except MemoryError:
        raise
    except Exception as error:
        error.add_note("In the decoder:\n" + traceback.format_exc())
        try:
            answer = pickle.dumps((False, error))
            pickle.loads(answer)  # noqa: S301 - our own bytes: some exceptions can be written but not read back
        except Exception:
            return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
        return answer
