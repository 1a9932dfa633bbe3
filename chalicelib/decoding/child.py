"""The warm child: a process that has loaded the decoders, reads no file itself, and forks a worker behind the fence for each.

It talks to the parent over its standard input, a socket. It has seen none of the bytes that workers see, so what it says of
them can be relied on: which process a worker is, how it ended, and how much processor time it took.
"""

import array
import gc
import importlib
import os
import select
import signal
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from chalicelib.decoding import fence

#: How a worker ends whose memory did not suffice.
OUT_OF_MEMORY = 86
#: Parent to child, with two descriptors: the length of the task that follows, memory, seconds.
JOB = struct.Struct("!IQd")
#: Child to parent: the length of what is said once it is ready; a worker's process id; how it ended, and its processor time.
READY, BEGUN, EXITED = struct.Struct("!I"), struct.Struct("!q"), struct.Struct("!qd")

#: What a worker does: given the open file and the task, it returns the answer.
Work = Callable[[BinaryIO, bytes], bytes]


@dataclass(frozen=True, slots=True)
class _Job:
    file: int
    answer: int
    task: bytes
    memory: int
    seconds: float


def main(name: str) -> None:
    """Serve jobs until the parent is gone: with the function `work` of the module `name`, once its `prepare` has run."""
    fence.guard()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to deal with
    module = importlib.import_module(name)
    module.prepare()
    gc.freeze()
    parent = socket.socket(fileno=os.dup(0))
    wakeup, ours = socket.socketpair()
    wakeup.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakeup.fileno())
    missing = _probe().encode()
    parent.sendall(READY.pack(len(missing)) + missing)
    here = os.getpid()
    while (job := _receive(parent)) is not None:
        worker = os.fork()
        if not worker:
            signal.set_wakeup_fd(-1)
            _do(module.work, job, here)
        os.close(job.file)
        os.close(job.answer)
        parent.sendall(BEGUN.pack(worker))
        _wait(worker, parent, ours)


def _probe() -> str:
    """What the fence lacks on this system, as found by a process that enters it."""
    reading, writing = os.pipe()
    asking = os.getpid()
    if not os.fork():
        fence.die_with(asking)
        os.write(writing, ", ".join(fence.enter([writing], 1 << 28, 1)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        missing = answer.read()
    os.wait()
    return missing.decode()


def _receive(parent: socket.socket) -> _Job | None:
    """The next job; `None` when there is no more parent to send one."""
    size = array.array("i").itemsize
    head, ancillary, *_ = parent.recvmsg(JOB.size, socket.CMSG_SPACE(2 * size))
    if not head:
        return None
    descriptors = array.array("i", b"".join(data for *_, data in ancillary))
    length, memory, seconds = JOB.unpack(head)
    file, answer = descriptors
    return _Job(file, answer, parent.recv(length, socket.MSG_WAITALL), memory, seconds)


def _do(work: Work, job: _Job, forked_by: int) -> NoReturn:
    """The life of a worker."""
    try:
        fence.die_with(forked_by)
        file = os.fdopen(job.file, "rb")
        fence.enter([job.file, job.answer], job.memory, job.seconds)
        left = memoryview(work(file, job.task))
        while left:
            left = left[os.write(job.answer, left) :]
        os._exit(0)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 1)
    finally:
        os._exit(1)


def _wait(worker: int, parent: socket.socket, woken: socket.socket) -> None:
    """Say how the worker ended, or see to it that it does where the parent is gone first, or has no more use for it."""
    while True:
        ended, status, usage = os.wait4(worker, os.WNOHANG)
        if ended:
            parent.sendall(EXITED.pack(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime))
            return
        ready, *_ = select.select([parent, woken], [], [])
        if parent in ready:  # nothing is sent while a job is under way: this is the end
            os.kill(worker, signal.SIGKILL)
            sys.exit(0)
        woken.recv(4096)
