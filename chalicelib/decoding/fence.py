"""The fence around a process that decodes: what it can no longer do once it has entered, whoever has taken it over.

Every layer that the system has is put up; which ones it lacks is the answer of `enter`. It is entered by a process that is
single-threaded and has only just begun, and can never be left.
"""

import ctypes
import math
import os
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress

from chalicelib.decoding.syscalls import seccomp_filter

_SET_PDEATHSIG, _SET_DUMPABLE, _SET_SECCOMP, _SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_FILTER = 2
#: The same numbers on every architecture.
_LANDLOCK_CREATE_RULESET, _LANDLOCK_RESTRICT_SELF = 444, 446
_LANDLOCK_VERSION = 1
#: How many rights over files each version of Landlock knows; those over the network came with 4, the scopes with 6.
_FILE_RIGHTS = (0, 13, 14, 15, 15, 16)
_NETWORK_SINCE, _SCOPES_SINCE = 4, 6


def guard() -> None:
    """Keep this process's memory and environment from other processes of the same user, decoders above all."""
    if sys.platform == "linux":
        _prctl(_SET_DUMPABLE, 0)


def die_with(parent: int) -> None:
    """End when `parent`, which has just forked this process, does."""
    if sys.platform == "linux":
        _prctl(_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def enter(keep: Iterable[int], memory: int, seconds: float) -> list[str]:
    """Keep nothing but the descriptors in `keep`, `memory` more bytes than are taken, and `seconds` of processor time.

    Returns the names of the layers that are missing.
    """
    _close_all_but(keep)
    for what in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_MEMLOCK):
        _limit(what, 0)
    whole_seconds = max(1, math.ceil(seconds))
    _limit(resource.RLIMIT_CPU, whole_seconds, whole_seconds + 1)
    missing = []
    taken = _data_bytes()
    if taken is None or not _limit(resource.RLIMIT_DATA, taken + memory):
        missing.append("a limit of memory")
    if sys.platform == "linux":
        if not _prctl(_SET_NO_NEW_PRIVS, 1):
            missing.append("no_new_privs")
        if not _landlock():
            missing.append("Landlock")
        _limit(resource.RLIMIT_NOFILE, 0)
        if not _seccomp():
            missing.append("seccomp")
    else:
        _limit(resource.RLIMIT_NOFILE, 0)
        missing += ["no_new_privs", "Landlock", "seccomp"]
    return missing


def _close_all_but(keep: Iterable[int]) -> None:
    first = 0
    for kept in sorted(keep):
        os.closerange(first, kept)
        first = kept + 1
    os.closerange(first, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def _limit(what: int, most: int, hard: int | None = None) -> bool:
    try:
        resource.setrlimit(what, (most, most if hard is None else hard))
    except (ValueError, OSError):  # a stricter limit is in force already, or the system knows no such limit
        return False
    return True


def _data_bytes() -> int | None:
    """The memory of this process that counts for its limit; `None` where the system does not tell."""
    with suppress(OSError, StopIteration), open("/proc/self/status", "rb") as status:
        return int(next(line for line in status if line.startswith(b"VmData:")).split()[1]) * 1024
    return None


def _prctl(option: int, *arguments: int) -> bool:
    values = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    done: int = _libc().prctl(option, *values)
    return done == 0


def _landlock() -> bool:
    """Forbid everything that this kernel's Landlock can forbid: there is not one rule that would allow something."""
    libc = _libc()
    version: int = libc.syscall(_LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(_LANDLOCK_VERSION))
    if version < 1:
        return False
    files = (1 << _FILE_RIGHTS[min(version, len(_FILE_RIGHTS) - 1)]) - 1
    attributes = struct.pack(
        f"{1 + (version >= _NETWORK_SINCE) + (version >= _SCOPES_SINCE)}Q",
        *(files, 3, 3)[: 1 + (version >= _NETWORK_SINCE) + (version >= _SCOPES_SINCE)],
    )
    ruleset: int = libc.syscall(_LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0))
    if ruleset < 0:
        return False
    done: int = libc.syscall(_LANDLOCK_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint(0))
    os.close(ruleset)
    return done == 0


class _Program(ctypes.Structure):
    """The kernel's `struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def _seccomp() -> bool:
    instructions = seccomp_filter(os.uname().machine, os.getpid())
    if instructions is None:
        return False
    program = _Program(len(instructions) // 8, instructions)
    return _prctl(_SET_SECCOMP, _SECCOMP_FILTER, ctypes.addressof(program))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
