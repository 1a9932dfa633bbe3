"""A program on a system that grants no Landlock and no seccomp, as containers and functions are; for `test_fence`.

It denies itself both first, as the container's own filter would.
"""

import ctypes
import errno
import logging
import os
import struct
import sys
import tempfile

from chalicelib.decoding import warm

_PRCTL = {"x86_64": 157, "aarch64": 167}[os.uname().machine]
_LANDLOCK, _SET_SECCOMP, _SET_NO_NEW_PRIVS = 444, 22, 38
_LOAD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _FAIL = 0x7FFF_0000, 0x0005_0000

_FILTER = (
    (_LOAD, 0, 0, 0),
    (_JUMP_EQUAL, 0, 1, _LANDLOCK),
    (_RETURN, 0, 0, _FAIL | errno.ENOSYS),
    (_JUMP_EQUAL, 0, 3, _PRCTL),
    (_LOAD, 0, 0, 16),
    (_JUMP_EQUAL, 0, 1, _SET_SECCOMP),
    (_RETURN, 0, 0, _FAIL | errno.EPERM),
    (_RETURN, 0, 0, _ALLOW),
)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def main() -> None:
    libc = ctypes.CDLL(None)
    program = _Program(len(_FILTER), b"".join(struct.pack("HBBI", *instruction) for instruction in _FILTER))
    assert libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    assert libc.prctl(_SET_SECCOMP, 2, ctypes.byref(program)) == 0
    logging.basicConfig(format="%(message)s", stream=sys.stdout)
    warm.try_fence()
    child = warm.WarmChild("tests.unit.hostile")
    with tempfile.TemporaryFile() as file:
        file.write(b"decoded all the same")
        file.flush()
        print(child.run(file.fileno(), b"read", 1 << 28, 60).decode())
    child.close()


if __name__ == "__main__":
    main()
