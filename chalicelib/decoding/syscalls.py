"""The system calls that a decoder may make, as a filter for Linux's seccomp: a list of what is allowed, and nothing else.

A call that is not on the list fails with EPERM, which libraries take for "not here" and go on.
"""

import errno
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

#: With what the C libraries make a thread: everything shared, nothing of its own but its stack, and no namespace. One of
#: them also sets a bit that the kernel has long ignored.
_A_THREAD, _IGNORED = 0x003D_0F00, 0x0040_0000
_PROT_EXEC = 4
_MAP_SHARED, _MAP_GROWSDOWN = 0x1, 0x100
_AT_EMPTY_PATH = 0x1000

#: Allowed where an argument, by its place, is as it should be: (place, bits looked at, what they must be).
_ALLOWED_IF: Mapping[str, tuple[tuple[int, int, int], ...]] = {
    "clone": ((0, 0xFFFF_FFFF & ~_IGNORED, _A_THREAD),),
    # Shared memory and growing stacks would not be counted by RLIMIT_DATA.
    "mmap": ((2, _PROT_EXEC, 0), (3, _MAP_SHARED | _MAP_GROWSDOWN, 0)),
    "mprotect": ((2, _PROT_EXEC, 0),),
    # How the C library asks for the size of an open file.
    "newfstatat": ((3, 0xFFFF_FFFF, _AT_EMPTY_PATH),),
}
#: Allowed to itself alone, so that one that aborts is seen to have aborted.
_TO_ITSELF = "tgkill"
#: The C library takes its absence for an old kernel and makes its threads with `clone`, whose flags can be looked at.
_ABSENT = "clone3"


@dataclass(frozen=True, slots=True)
class _Machine:
    """`numbers` are those of all calls on the list: what reading, computing, threads and memory need, and those above."""

    audit: int
    numbers: Mapping[str, int]
    most: int


def _numbers(text: str) -> dict[str, int]:
    words = text.split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


#: By what `os.uname` calls the machine. On x86-64 numbers from `most` on are those of another interface, x32.
_MACHINES = {
    "x86_64": _Machine(
        0xC000_003E,
        _numbers(
            "read 0 write 1 writev 20 pread64 17 lseek 8 close 3 fstat 5 brk 12 munmap 11 mremap 25 madvise 28 futex 202 "
            "sched_yield 24 sched_getaffinity 204 gettid 186 getpid 39 set_robust_list 273 rseq 334 rt_sigaction 13 "
            "rt_sigprocmask 14 rt_sigreturn 15 sigaltstack 131 getrandom 318 clock_gettime 228 exit 60 exit_group 231 "
            "clone 56 mmap 9 mprotect 10 newfstatat 262 clone3 435 tgkill 234"
        ),
        0x4000_0000,
    ),
    "aarch64": _Machine(
        0xC000_00B7,
        _numbers(
            "read 63 write 64 writev 66 pread64 67 lseek 62 close 57 fstat 80 brk 214 munmap 215 mremap 216 madvise 233 "
            "futex 98 sched_yield 124 sched_getaffinity 123 gettid 178 getpid 172 set_robust_list 99 rseq 293 "
            "rt_sigaction 134 rt_sigprocmask 135 rt_sigreturn 139 sigaltstack 132 getrandom 278 clock_gettime 113 exit 93 "
            "exit_group 94 clone 220 mmap 222 mprotect 226 newfstatat 79 clone3 435 tgkill 131"
        ),
        0xFFFF_FFFF,
    ),
}

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_KILL, _ALLOW, _FAIL = 0x8000_0000, 0x7FFF_0000, 0x0005_0000
#: Offsets in the kernel's `struct seccomp_data`; of an argument only the lower half is looked at.
_NUMBER_AT, _MACHINE_AT, _ARGUMENTS_AT = 0, 4, 16


def seccomp_filter(machine: str, pid: int) -> bytes | None:
    """The filter's instructions for process `pid`; `None` for a machine whose numbers are not known here."""
    known = _MACHINES.get(machine)
    if known is None:
        return None
    return b"".join(struct.pack("HBBI", *instruction) for instruction in _instructions(known, pid))


def _instructions(machine: _Machine, pid: int) -> Iterator[tuple[int, int, int, int]]:
    yield _LOAD, 0, 0, _MACHINE_AT
    yield _JUMP_EQUAL, 1, 0, machine.audit
    yield _RETURN, 0, 0, _KILL
    yield _LOAD, 0, 0, _NUMBER_AT
    yield _JUMP_AT_LEAST, 0, 1, machine.most
    yield _RETURN, 0, 0, _KILL
    conditional = {**_ALLOWED_IF, _TO_ITSELF: ((0, 0xFFFF_FFFF, pid),)}
    for name in machine.numbers.keys() - conditional.keys():
        yield _JUMP_EQUAL, 0, 1, machine.numbers[name]
        yield _RETURN, 0, 0, _FAIL | errno.ENOSYS if name == _ABSENT else _ALLOW
    for name, conditions in conditional.items():
        checks = [
            step
            for place, bits, value in conditions
            for step in (
                (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * place),
                (_AND, 0, 0, bits),
                (_JUMP_EQUAL, 1, 0, value),
                (_RETURN, 0, 0, _FAIL | errno.EPERM),
            )
        ]
        yield _JUMP_EQUAL, 0, len(checks) + 1, machine.numbers[name]
        yield from checks
        yield _RETURN, 0, 0, _ALLOW
    yield _RETURN, 0, 0, _FAIL | errno.EPERM
