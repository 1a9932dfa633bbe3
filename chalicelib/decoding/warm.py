"""The parent's end of a warm child: starts it, hands it one file at a time, and watches over the worker it forks."""

import logging
import math
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from chalicelib.decoding.child import BEGUN, EXITED, JOB, OUT_OF_MEMORY, READY
from chalicelib.errors import UnavailableError

#: How long a child may take to load what it needs, or to fork; no file has been looked at by then.
_START_SECONDS = 60.0
_END_SECONDS = 5.0
#: The most that a worker may answer, in bytes: three thumbnails and the facts come to some hundred thousand.
MAX_ANSWER = 8_000_000
_PIECE = 1 << 16
#: More threads than this no decoder starts: AVIF's come to two for each processor, once for the picture and once for its alpha.
_MOST_THREADS = max(64, 3 * (os.cpu_count() or 1))
#: The path of the modules, the rest of it, and the name of the module that works.
_PROGRAM = "import sys; sys.path[:] = sys.argv[2:]; from chalicelib.decoding.child import main; main(sys.argv[1])"

log = logging.getLogger(__name__)


class DecoderDied(Exception):
    """The worker did not survive the job, or answered what no decoder answers."""


class OutOfMemory(DecoderDied):
    """It needed more memory than it was given."""


class OutOfTime(DecoderDied):
    """It used up its processor time, or did nothing at all for as long."""


class PoolClosed(Exception):
    """The pool was closed before the job had ended, which says nothing about the job."""


class WarmChild:
    """A child that loads `module` and forks a worker for each job. Raises `UnavailableError` where it cannot be started.

    Any thread may use it, one at a time. It ends with this process, however that ends.
    """

    def __init__(self, module: str) -> None:
        self._socket, theirs = socket.socketpair()
        #: Whether it has said of every worker how it ended: no other is of any more use.
        self.is_idle = True
        bytecode = ["-B"] if sys.dont_write_bytecode else []
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this very program
                [sys.executable, "-I", *bytecode, "-c", _PROGRAM, module, *sys.path],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env=_environment(),
                process_group=0,
            )
        except OSError as error:
            self._socket.close()
            raise UnavailableError(f"No decoder could be started: {error.strerror}.") from error
        finally:
            theirs.close()
        self._socket.settimeout(_START_SECONDS)
        try:
            _say_what_is_missing(self._received(READY.unpack(self._received(READY.size))[0]).decode())
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        pid: int = self._process.pid
        return pid

    def run(self, file: int, task: bytes, memory: int, seconds: float) -> bytes:
        """What a worker answers to `task`, given the open `file`.

        It may take `memory` bytes beyond what the child has and `seconds` of processor time. The time that it waits for a
        processor is no fault of the file's and does not count; the time in which it waits for anything else does, apart. Once
        it has begun to answer, it has as many seconds by the clock, for there is nothing more to decode.
        Raises `DecoderDied`, or `UnavailableError` where the child itself is gone.
        """
        reading, writing = os.pipe()
        self.is_idle = False
        try:
            try:
                socket.send_fds(self._socket, [JOB.pack(len(task), memory, seconds)], [file, writing])
                self._socket.sendall(task)
            except OSError as error:
                raise _gone() from error
            finally:
                os.close(writing)
            (worker,) = BEGUN.unpack(self._received(BEGUN.size))
            answer = b"".join(self._answer(worker, reading, seconds))
        finally:
            os.close(reading)
        code, used = EXITED.unpack(self._received(EXITED.size))
        self.is_idle = True
        _raise_for(code, used, seconds)
        return answer

    def close(self) -> None:
        """End the child, and the worker that may be at work; a second call does no harm."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._socket.close()

    def _answer(self, worker: int, reading: int, seconds: float) -> Iterator[bytes]:
        """The pieces of the answer, until the worker has ended."""
        watch, left, until = _Watch(worker), MAX_ANSWER, math.inf
        watched = select.poll()
        for descriptor in (reading, self._socket.fileno()):
            watched.register(descriptor, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in watched.poll(1000 * min(1.0, seconds / 4))}
            ended = bool(ready) and reading not in ready
            if not ended:  # asked whether it has written something or not: a byte now and then keeps nothing away
                watch.ask(seconds)
            if time.monotonic() > until:
                raise OutOfTime(f"The decoder took more than {seconds:g} seconds to answer.")
            if ready:
                until = min(until, time.monotonic() + seconds)
                # Where it has ended, that may have been since the pipe was looked at: what it has written is still in there.
                if not (piece := os.read(reading, _PIECE)):
                    if ended:
                        return
                    watched.unregister(reading)
                left -= len(piece)
                if left < 0:
                    raise DecoderDied("The decoder answered more than any picture needs.")
                yield piece

    def _received(self, count: int) -> bytes:
        try:
            data = self._socket.recv(count, socket.MSG_WAITALL) if count else b""
        except OSError as error:
            raise _gone() from error
        if len(data) < count:
            raise _gone()
        return data


def try_fence() -> None:
    """Have a child try the fence, so that what it lacks on this system is in the log before any file is decoded."""
    with suppress(UnavailableError):
        WarmChild("chalicelib.decoding.probe").close()


def _environment() -> dict[str, str]:
    """Nothing of ours. Memory of several threads is kept together, and a Python that brings its own library finds it."""
    return {"MALLOC_ARENA_MAX": "2", "LD_LIBRARY_PATH": str(Path(sys.base_prefix) / "lib")}


def _gone() -> UnavailableError:
    return UnavailableError("The decoders' process could not be started, or has ended by itself; it will be started again.")


def _raise_for(code: int, used: float, seconds: float) -> None:
    if code == OUT_OF_MEMORY:
        raise OutOfMemory("The decoder needed more memory than it may have.")
    if code == -signal.SIGXCPU or (code == -signal.SIGKILL and used >= seconds):
        raise OutOfTime(f"The decoder used more than {seconds:g} seconds of processor time.")
    if code < 0:
        raise DecoderDied(f"The decoder died of {signal.Signals(-code).name}.")
    if code:
        raise DecoderDied(f"The decoder ended with exit code {code}.")


class _Watch:
    """What a process does: how many threads it has, and for how long it has neither used a processor nor waited for one.

    That is all the time where nobody tells, as on macOS.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._idle, self._at, self._busy = 0.0, time.monotonic(), 0.0

    def ask(self, seconds: float) -> None:
        """Raises `DecoderDied` where it has too many threads, `OutOfTime` where it was idle for so many seconds in all."""
        with suppress(OSError):
            if len(os.listdir(f"/proc/{self._pid}/task")) > _MOST_THREADS:
                raise DecoderDied("The decoder started more threads than any picture needs.")
        if self._idle_seconds() > seconds:
            raise OutOfTime(f"The decoder did nothing for {seconds:g} seconds.")

    def _idle_seconds(self) -> float:
        now, busy = time.monotonic(), self._busy_seconds()
        # What a thread has waited is forgotten with the thread: that is no idleness.
        self._idle += max(0.0, now - self._at - max(0.0, busy - self._busy))
        self._at, self._busy = now, busy
        return self._idle

    def _busy_seconds(self) -> float:
        """What all its threads have used of processors, and have waited for them."""
        try:
            used = time.clock_gettime((~self._pid << 3) | 2)  # the kernel's name for the clock of a process
            accounts = [account.read_text().split() for account in Path(f"/proc/{self._pid}/task").glob("*/schedstat")]
            return used + sum(int(waited) for _, waited, *_ in accounts) / 1e9
        except (OSError, ValueError):  # it, or a thread of its, has just ended; or the kernel keeps no such account
            return self._busy


_said: set[str] = set()
_saying = threading.Lock()


def _say_what_is_missing(missing: str) -> None:
    with _saying:
        if missing and missing not in _said:
            log.warning("the fence around the decoders lacks what this system does not grant: %s", missing)
        _said.add(missing)
