"""Databases for tests: a MariaDB server of the tests' own, and empty databases on it or on any other server."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from tests.system_packages import needed

#: Names a further server whose account may create databases; the suites then run on it too.
OTHER_SERVER = "TEST_DATABASE_URL"

_OPTIONS = (
    "--no-defaults",
    "--bind-address=127.0.0.1",
    "--innodb-buffer-pool-size=268435456",
    "--innodb-log-file-size=67108864",
    "--performance-schema=OFF",
    # What was committed has left the process and outlives its being killed. To outlive a power cut too takes time.
    "--innodb-flush-log-at-trx-commit=2",
)


class MariaDb:
    """A MariaDB server in a folder and on a port of its own, as a user without rights; it dies with its parent."""

    def __init__(self, folder: Path, *options: str) -> None:
        """`folder` exists; a server made there before is used again, with its data."""
        self._options = options
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._command = [needed("setpriv"), "--pdeathsig", "KILL"]
        if os.geteuid() == 0:
            account = pwd.getpwnam("nobody")
            os.chown(self._folder, account.pw_uid, account.pw_gid)
            self._command += [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
        with socket.create_server(("127.0.0.1", 0)) as unused:
            self._port = unused.getsockname()[1]
        # A server that starts removes temporary tables from its folder for them: none may share it with another.
        self._environment = {**os.environ, "TMPDIR": str(folder)}
        if not self._data.exists():
            self._install()

    def _install(self) -> None:
        install = [
            needed("mariadb-install-db", "my_print_defaults"),
            "--no-defaults",
            "--auth-root-authentication-method=normal",
        ]
        install += ["--skip-test-db", "--skip-name-resolve", f"--datadir={self._data}"]
        subprocess.run([*self._command, *install], check=True, stdout=subprocess.DEVNULL, env=self._environment)

    @property
    def url(self) -> URL:
        """The server, as an account that may do everything; no database is named."""
        return URL.create("mysql+pymysql", "root", host="127.0.0.1", port=self._port)

    def start(self) -> None:
        """Return when the server answers."""
        server = [needed("mariadbd"), *_OPTIONS, f"--datadir={self._data}", f"--port={self._port}"]
        server += [f"--socket={self._folder / 'socket'}", f"--pid-file={self._folder / 'pid'}", *self._options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen([*self._command, *server], stdout=log, stderr=log, env=self._environment)
        deadline = time.monotonic() + 60
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("MariaDB does not start:\n" + (self._folder / "log").read_text())
            time.sleep(0.05)

    def kill(self) -> None:
        """End the server as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def stand_still(self, seconds: float) -> None:
        """Return at once, with the server doing and answering nothing for so long."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)
            threading.Timer(seconds, self._process.send_signal, [signal.SIGCONT]).start()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            execute(self.url, "SELECT 1")
        except OperationalError:
            return False
        return True


@contextmanager
def mariadb(*options: str, files: tuple[Path, ...] = ()) -> Iterator[MariaDb]:
    """A new server, with copies of `files` in the folder above its data, and no trace of it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="mariadb-"))
    for file in files:
        shutil.copy(file, folder)
        (folder / file.name).chmod(0o644)
    try:
        server = MariaDb(folder, *options)
        try:
            server.start()
            yield server
        finally:
            server.kill()
    finally:
        shutil.rmtree(folder)


@contextmanager
def new_database(server: URL) -> Iterator[URL]:
    """An empty database on the server, dropped at the end."""
    name = f"image_repo_test_{secrets.token_hex(6)}"
    execute(server, f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    try:
        yield server.set(database=name)
    finally:
        execute(server, f"DROP DATABASE {name}")


def plain_engine(url: URL, **options: Any) -> Engine:
    """Connections of the tests' own, closed after use. Without TLS: PyMySQL would load the system's authorities for each."""
    arguments = {} if url.drivername == "sqlite" else {"ssl_disabled": True}
    return create_engine(url, poolclass=NullPool, connect_args=arguments, **options)


def execute(server: URL, *statements: str) -> None:
    """Run statements on a connection of their own."""
    engine = plain_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


def column(server: URL, query: str) -> list[Any]:
    """The first column of what a query finds, on a connection of its own."""
    engine = plain_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        return list(connection.scalars(text(query)))


def other_server() -> URL | None:
    named = os.environ.get(OTHER_SERVER)
    return make_url(named) if named else None
