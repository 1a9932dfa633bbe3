"""The command `imagerepo` as people run it: a process of its own, with a home of the test's."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tests.http.server import CHECKOUT

_BOUND_SECONDS = 120.0


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    def lines(self) -> list[Any]:
        """What --json printed."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class ImageRepo:
    """Runs the command against `server`; `home` holds its configuration and journals."""

    server: str
    home: Path

    def __call__(self, *arguments: str | os.PathLike[str], **options: Any) -> Ended:
        process = self.start(*arguments, **options)
        out, err = process.communicate(timeout=_BOUND_SECONDS)
        return Ended(process.returncode, out, err)

    def start(
        self,
        *arguments: str | os.PathLike[str],
        stdin: IO[Any] | int = subprocess.DEVNULL,
        stdout: IO[Any] | int = subprocess.PIPE,
        stderr: IO[Any] | int = subprocess.PIPE,
        environment: Mapping[str, str] | None = None,
    ) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "imagerepo", *arguments],
            env={**self.environment(), **(environment or {})},
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            encoding="utf-8",
        )

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(CHECKOUT / "client" / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUTF8": "1",
            "HOME": str(self.home),
            "IMAGEREPO_SERVER": self.server,
        }

    def journals(self) -> list[Path]:
        return sorted((self.home / ".local" / "state" / "imagerepo").glob("*.sqlite3"))
