"""`chalice local` as a process of its own, on a free port and a folder of the test's."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.http.client import Api, over_socket

CHECKOUT = Path(__file__).parents[2]
_READY = re.compile(r"The image repository is at (http://[^:]+:\d+), its pictures are in ")
_START_SECONDS = 60.0


class Server:
    """A running server. What it writes is kept in `log`, and ends up in the test's output."""

    def __init__(self, process: "subprocess.Popen[str]", port: int, folder: Path) -> None:
        self.process = process
        self.port = port
        self.folder = folder
        self.api = Api(over_socket("127.0.0.1", port), f"http://127.0.0.1:{port}")
        self.log: list[str] = []
        self._serves = False
        self._ready = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_ready(self) -> None:
        if not self._ready.wait(_START_SECONDS) or not self._serves:
            raise AssertionError("the server did not start:\n" + "".join(self.log))

    def kill(self) -> None:
        """`kill -9`, with whatever it has started."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._wait()

    def kill_alone(self) -> None:
        """`kill -9` of the server's own process; its children find out by themselves."""
        self.process.kill()
        self._wait()

    def children(self) -> list[int]:
        """The process ids of the server's children."""
        listed = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for file in listed for pid in file.read_text().split()]

    def _wait(self) -> None:
        self.process.wait(_START_SECONDS)
        self._reader.join(_START_SECONDS)
        if self.process.stdout:
            self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.log.append(line)
            if _READY.match(line):
                self._serves = True
                self._ready.set()
        self._ready.set()  # it has ended, having served or not


def command(folder: Path, *arguments: str, settings: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    """Run one of the operator's commands on a folder."""
    program = [sys.executable, "-m", "chalicelib.cli", *arguments]
    environment = _environment(folder) | dict(settings or {})
    return subprocess.run(program, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port: int = unused.getsockname()[1]
        return port


def _environment(folder: Path) -> dict[str, str]:
    """This process's environment without anything that could set the server up otherwise."""
    inherited = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    return {**inherited, "FILE_STORAGE_LOCATION": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


def _program(port: int, *options: str) -> list[str]:
    return [str(Path(sys.executable).with_name("chalice")), "local", "--port", str(port), *options]


def refusal_at_start(folder: Path, settings: Mapping[str, str] | None = None, *options: str) -> str:
    """What a server writes that gives up at its start, at the end the reason; there must be no traceback."""
    program = _program(free_port(), "--no-autoreload", *options)
    environment = _environment(folder) | dict(settings or {})
    ended = subprocess.run(program, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1, ended
    said = ended.stdout + ended.stderr
    assert "Traceback" not in said
    return said


@contextmanager
def running(
    folder: Path,
    settings: Mapping[str, str] | None = None,
    *,
    options: tuple[str, ...] = ("--no-autoreload",),
    checkout: Path = CHECKOUT,
) -> Iterator[Server]:
    """Serve `folder`; `settings` are further environment variables. The server is killed on the way out."""
    port = free_port()
    scratch = tempfile.mkdtemp()  # a server that is killed leaves its working copies behind
    process = subprocess.Popen(
        _program(port, *options),
        cwd=checkout,
        env=_environment(folder) | {"TMPDIR": scratch} | dict(settings or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    server = Server(process, port, folder)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.kill()
        shutil.rmtree(scratch)
