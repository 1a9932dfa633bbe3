"""An AWS of the tests' own: ministack, on a free port of the loopback, in a folder of its own, checking every signature."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

REGION = "eu-central-1"
_START_SECONDS = 60.0
#: By its path: what it is found by otherwise the functions would get to see, too.
_JUDGING = Path(__file__).with_name("judging.py")


class Emulator:
    """Answers at `url` for the account's root, whose credentials are in `environment`, and for whom it gives rights to."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._log, self._judged = folder / "log", folder / "judged"
        credentials = {
            "AWS_ACCESS_KEY_ID": "AKIA" + secrets.token_hex(8).upper(),
            "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20),
        }
        #: What a client of the account needs in its environment.
        self.environment: Mapping[str, str] = {**credentials, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": self.url}
        own = {
            **credentials,
            "AUTH": "true",
            "IOT_MTLS_ENABLED": "false",  # it would listen on every interface
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "MINISTACK_HOST": "127.0.0.1",
            "MINISTACK_REGION": REGION,
            "PATH": os.environ["PATH"],
            "STATE_DIR": str(folder / "state"),
            "TMPDIR": str(folder),
        }
        with self._log.open("wb") as log:
            # A process group of its own: the functions' processes end with it.
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_JUDGING), str(self._judged)],
                cwd=folder,
                env=own,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                httpx.get(f"{self.url}/_ministack/ready", timeout=5).raise_for_status()
            except httpx.HTTPError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError(f"the emulator does not start:\n{self.log()}") from None
                time.sleep(0.1)
            else:
                return

    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def judgements(self) -> list[dict[str, Any]]:
        """What was asked of policies so far: the `principal`, its `action`, the `resource`, and whether it was `allowed`."""
        return [json.loads(line) for line in self._judged.read_text("utf-8").splitlines()]

    def kill_functions(self, name: str) -> int:
        """Kill the processes of a function, at work or waiting; returns how many."""
        killed = 0
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(FileNotFoundError, ProcessLookupError):  # it has ended by itself meanwhile
                parent = process.joinpath("stat").read_text("utf-8").rpartition(") ")[2].split()[1]
                if int(parent) == self._process.pid and f"-{name}-" in process.joinpath("cmdline").read_text("utf-8"):
                    os.kill(int(process.name), 9)
                    killed += 1
        return killed

    def stop(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, 9)
        self._process.wait()


@contextmanager
def emulator() -> Iterator[Emulator]:
    """A new one, and no trace of it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="ministack-"))
    try:
        running = Emulator(folder)
        try:
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(folder)
