"""What somebody does who has taken a decoder over; for `test_fence`. An attack returns its prey, or raises OSError."""

import ctypes
import errno
import json
import mmap
import os
import resource
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

_AT_FDCWD, _PTRACE_ATTACH, _CLONE_NEWUSER, _MAP_GROWSDOWN = -100, 16, 0x1000_0000, 0x100
#: System calls that the C library has no function for; the same numbers on every architecture.
_PIDFD_OPEN, _IO_URING_SETUP, _CLONE3, _OPENAT2 = 434, 425, 435, 437
#: What makes a thread, at the least, and with everything that the C library shares with a thread of its own.
_A_THREAD, _SHARED = 0x1_0900, 0x5_0F00
_CLONE_NEWNET = 0x4000_0000
NOBODY = 65534
_libc = ctypes.CDLL(None, use_errno=True)
#: Of threads that were made without the C library's knowing.
_stacks: list[object] = []


@dataclass(frozen=True)
class Targets:
    """What there is to attack, set up by the test."""

    victim: int
    secret: str
    folder: str
    tcp: int
    udp: int
    path: str
    abstract: str


def _call(name: str, *arguments: object) -> int:
    ctypes.set_errno(0)
    result: int = getattr(_libc, name)(*arguments)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _open(targets: Targets) -> object:
    return os.read(os.open(targets.secret, os.O_RDONLY), 100)


def _open2(targets: Targets) -> object:
    return _call("syscall", _OPENAT2, _AT_FDCWD, targets.secret.encode(), (ctypes.c_ulonglong * 3)(), 24)


def _write(targets: Targets) -> object:
    return os.open(targets.folder + "/mine", os.O_WRONLY | os.O_CREAT, 0o600)


def _execute(_: Targets) -> object:
    os.posix_spawn("/bin/true", ["true"], {})
    return "another program runs"


def _replace_itself(_: Targets) -> object:
    return _call("execve", b"/bin/true", (ctypes.c_char_p * 2)(b"true"), (ctypes.c_char_p * 1)())


def _connect(targets: Targets) -> object:
    tcp = socket.socket()
    tcp.connect(("127.0.0.1", targets.tcp))
    return tcp


def _listen(_: Targets) -> object:
    tcp = socket.socket()
    tcp.bind(("127.0.0.1", 0))
    tcp.listen()
    return tcp


def _send_datagram(targets: Targets) -> object:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        return udp.sendto(b"secret", ("127.0.0.1", targets.udp))


def _connect_local(address: str) -> object:
    unix = socket.socket(socket.AF_UNIX)
    unix.connect(address)
    return unix


def _resolve_with_netlink(_: Targets) -> object:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)


def _signal(targets: Targets) -> object:
    os.kill(targets.victim, signal.SIGWINCH)
    return "the victim has a signal"


def _signal_through_descriptor(targets: Targets) -> object:
    return _call("syscall", _PIDFD_OPEN, targets.victim, 0)


def _trace(targets: Targets) -> object:
    return _call("ptrace", _PTRACE_ATTACH, targets.victim, None, None)


def _read_memory(targets: Targets) -> object:
    class Vector(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))

    buffer = ctypes.create_string_buffer(8)
    local, remote = Vector(ctypes.addressof(buffer), 8), Vector(id(_libc), 8)
    try:
        return _call("process_vm_readv", targets.victim, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
    except OSError as error:
        if error.errno == errno.EFAULT:
            return "only the address was a guess"
        raise


def _read_process(name: str) -> Callable[[Targets], object]:
    return lambda targets: os.read(os.open(f"/proc/{targets.victim}/{name}", os.O_RDONLY), 100) or name


def _read_proc_mem(targets: Targets) -> object:
    memory = os.open(f"/proc/{targets.victim}/mem", os.O_RDONLY)
    with open(f"/proc/{targets.victim}/maps") as maps:
        address = int(next(maps).partition("-")[0], 16)
    return os.pread(memory, 8, address)


def _make_thread(flags: int) -> Callable[[Targets], object]:
    """One that ends at once."""

    def attack(_: Targets) -> object:
        stack = ctypes.create_string_buffer(1 << 16)
        _stacks.append(stack)
        top = (ctypes.addressof(stack) + len(stack)) & ~15
        return _call("clone", _libc.getpid, ctypes.c_void_p(top), flags, None)

    return attack


def _fork(_: Targets) -> object:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    return "a process more"


def _clone3(_: Targets) -> object:
    flags = (ctypes.c_ulonglong * 8)(0, 0, 0, 0, signal.SIGCHLD)
    child = _call("syscall", _CLONE3, ctypes.byref(flags), 64)
    if not child:
        os._exit(0)
    return "a process more"


def _share_memory(_: Targets) -> object:
    return mmap.mmap(-1, 1 << 20)


def _map(flags: int, protection: int) -> Callable[[Targets], object]:
    return lambda _: mmap.mmap(-1, 1 << 20, flags=flags, prot=protection)


def _make_executable(_: Targets) -> object:
    memory = mmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    return _call("mprotect", ctypes.c_void_p(address), 4096, 7)


def _lift_limit(_: Targets) -> object:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (before[1], before[1]))
    return "no limit"


def _other_descriptors(_: Targets) -> object:
    """Whatever is open besides the file and the pipe."""
    found = []
    for descriptor in range(256):
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        found.append(descriptor)
    if len(found) <= 2:
        raise OSError(errno.EBADF, "only the file and the pipe")
    return found


def _environment(_: Targets) -> object:
    names = set(os.environ) - {"MALLOC_ARENA_MAX", "LD_LIBRARY_PATH", "LC_CTYPE"}
    if not names:
        raise OSError(errno.ENOENT, "nothing")
    return names


def _write_to_the_file(_: Targets) -> object:
    """The file is one of the descriptors, whichever it is."""
    for descriptor in range(3, 64):
        try:
            os.lseek(descriptor, 0, os.SEEK_CUR)
        except OSError:
            continue
        return os.write(descriptor, b"mine")
    raise OSError(errno.EBADF, "no file")


ATTACKS: dict[str, Callable[[Targets], object]] = {
    "open": _open,
    "openat2": _open2,
    "list": lambda targets: os.listdir(targets.folder),
    "write": _write,
    "write to the file": _write_to_the_file,
    "remove": lambda targets: _call("unlink", (targets.folder + "/removable").encode()),
    "rename": lambda targets: _call("rename", (targets.folder + "/named").encode(), (targets.folder + "/renamed").encode()),
    "link": lambda targets: _call("symlink", b"/", (targets.folder + "/link").encode()),
    "make a folder": lambda targets: _call("mkdir", (targets.folder + "/made").encode(), 0o700),
    "change rights": lambda targets: _call("chmod", (targets.folder + "/rights").encode(), 0o777),
    "ask for a file": lambda targets: _call("access", targets.secret.encode(), 0),
    "run a program": _execute,
    "become a program": _replace_itself,
    "TCP": _connect,
    "listen": _listen,
    "UDP": _send_datagram,
    "socket with a path": lambda targets: _connect_local(targets.path),
    "abstract socket": lambda targets: _connect_local("\0" + targets.abstract),
    "netlink": _resolve_with_netlink,
    "pair of sockets": lambda _: socket.socketpair(),
    "pipe": lambda _: os.pipe(),
    "signal": _signal,
    "descriptor of a process": _signal_through_descriptor,
    "trace": _trace,
    "read memory": _read_memory,
    "/proc environ": _read_process("environ"),
    "/proc mem": _read_proc_mem,
    "fork": _fork,
    "clone3": _clone3,
    "thread of another kind": _make_thread(_A_THREAD),
    "thread in a namespace": _make_thread(_SHARED | _CLONE_NEWNET),
    "io_uring": lambda _: _call("syscall", _IO_URING_SETUP, 1, (ctypes.c_ulonglong * 15)()),
    "user namespace": lambda _: _call("unshare", _CLONE_NEWUSER),
    "memfd": lambda _: _call("memfd_create", b"mine", 0),
    "System V memory": lambda _: _call("shmget", 0, 4096, 0o1600),
    "message queue": lambda _: _call("msgget", 0, 0o1600),
    "shared memory": _share_memory,
    "growing memory": _map(mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_GROWSDOWN, mmap.PROT_READ | mmap.PROT_WRITE),
    "executable memory": _map(mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, 7),
    "memory made executable": _make_executable,
    "lift a limit": _lift_limit,
    "become another group": lambda _: _call("setpgid", 0, 0),
    "duplicate": lambda _: os.dup(3),
    "inotify": lambda _: _call("inotify_init1", 0),
    "other descriptors": _other_descriptors,
    "environment": _environment,
    "name itself": lambda _: _call("prctl", 15, b"mine", 0, 0, 0),
}


def attempt(name: str, targets: Targets) -> str:
    """What came of it."""
    try:
        return f"done: {ATTACKS[name](targets)!r}"
    except OSError as error:
        return f"denied: {errno.errorcode.get(error.errno or 0, '?')}"


def become_a_user() -> None:
    """From root to somebody without any rights."""
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def prepare() -> None:
    """There is nothing to load."""


def work(_: BinaryIO, task: bytes) -> bytes:
    name, targets = json.loads(task)
    return attempt(name, Targets(**targets)).encode()
