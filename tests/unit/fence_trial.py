"""A program that has every attack tried, behind the fence or without one, and prints what came of each; for `test_fence`."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

from chalicelib.decoding.warm import DecoderDied, WarmChild
from tests.unit.attacks import ATTACKS, NOBODY, Targets, attempt, become_a_user

_MEMORY, _SECONDS = 1 << 28, 60.0


@contextmanager
def targets(folder: Path, as_user: bool) -> Iterator[Targets]:
    """Things of this process's that an attacker would want, and a process of the same user that may be stopped."""
    for name in ("secret", "removable", "named", "rights"):
        (folder / name).write_text(name)
    with ExitStack() as stack:
        tcp, udp = stack.enter_context(socket.create_server(("127.0.0.1", 0))), stack.enter_context(_socket(socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        path, abstract = str(folder / "socket"), f"fence-trial-{os.getpid()}"
        for address in (path, "\0" + abstract):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(address)
            listener.listen()
        if as_user:
            for found in (folder, *folder.iterdir()):
                os.chown(found, NOBODY, NOBODY)
        user, groups = NOBODY if as_user else None, list[int]() if as_user else None
        victim = stack.enter_context(subprocess.Popen(["sleep", "600"], user=user, group=user, extra_groups=groups))
        stack.callback(victim.kill)
        yield Targets(
            victim=victim.pid,
            secret=str(folder / "secret"),
            folder=str(folder),
            tcp=tcp.getsockname()[1],
            udp=udp.getsockname()[1],
            path=path,
            abstract=abstract,
        )


def _socket(kind: int) -> socket.socket:
    return socket.socket(socket.AF_INET, kind)


def fenced(aims: Targets, as_user: bool) -> dict[str, str]:
    """What comes of each attack in a worker."""
    found = {}
    child = WarmChild("tests.unit.attacks_by_user" if as_user else "tests.unit.attacks")
    with open(aims.secret, "rb") as file:
        for name in ATTACKS:
            task = json.dumps([name, asdict(aims)]).encode()
            try:
                found[name] = child.run(file.fileno(), task, _MEMORY, _SECONDS).decode()
            except DecoderDied as death:
                found[name] = f"denied: {death}"
    child.close()
    return found


def unfenced(aims: Targets, as_user: bool) -> dict[str, str]:
    """What comes of each attack in a process that was just forked."""
    found = {}
    for name in ATTACKS:
        reading, writing = os.pipe()
        if not os.fork():
            with open(aims.folder + "/written", "wb"):
                if as_user:
                    become_a_user()
                os.write(writing, attempt(name, aims).encode())
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as answer:
            found[name] = answer.read().decode() or "done: it is gone"
        os.wait()
    return found


def main(how: str, who: str) -> None:
    as_user = who == "nobody"
    with tempfile.TemporaryDirectory() as folder, targets(Path(folder), as_user) as aims:
        print(json.dumps({"fenced": fenced, "unfenced": unfenced}[how](aims, as_user)))


if __name__ == "__main__":
    main(*sys.argv[1:])
