"""The real PostgreSQL, from Debian's package; it refuses to be root, so root lends it a user."""

import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.servers.process import free_port, start, stop, wait_until

_STOP_PATIENCE_S = 15
# For tests: a crash of the machine may lose the data, and nobody minds. Databases are small and
# many: nothing in them is worth a visit of the vacuum.
NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
}


class Postgres:
    """A running server with superuser ``kentering`` and no password."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.port = free_port()
        self._binaries = _binaries()
        self._user = _user()
        self._folder = folder
        self._log = folder / "output.log"
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            **settings,
        }
        if not (folder / "data").exists():
            self._initialise()
        self.start()

    @property
    def pid(self) -> int:
        """Of the server's first process; those that answer are its children."""
        return self._process.pid

    def url(self, database: str) -> str:
        """How SQLAlchemy reaches a database of this server."""
        return f"postgresql+psycopg://kentering@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str) -> None:
        """Run one statement beside any transaction, as ``CREATE DATABASE`` needs."""
        with self._connect() as connection:
            connection.execute(statement.encode())

    def start(self) -> None:
        """Start it, on the same port with the same data, and wait until it answers."""
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        command = [self._binaries / "postgres", "-D", self._folder / "data", *settings]
        # SIGINT or SIGQUIT ends its children too, as SIGKILL would not.
        self._process = start(command, self._log, user=self._user, end_signal="QUIT")
        wait_until(self._answers, "PostgreSQL", process=self._process, log=self._log)

    def stop(self) -> None:
        """Stop it at once, but in order: open transactions are rolled back."""
        stop(self._process, signal.SIGINT, _STOP_PATIENCE_S)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            f"host=127.0.0.1 port={self.port} user=kentering dbname=postgres connect_timeout=5",
            autocommit=True,
        )

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def _initialise(self) -> None:
        if self._user is not None:
            account = pwd.getpwnam(self._user)
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        process = start(
            [
                *(self._binaries / "initdb", "-D", self._folder / "data", "-U", "kentering"),
                *("--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"),
            ],
            self._log,
            user=self._user,
        )
        if process.wait(120) != 0:
            raise RuntimeError(f"initdb failed:\n{self._log.read_text()}")


@contextmanager
def run_postgres(
    settings: Mapping[str, str] | None = None, kept: Path | None = None
) -> Iterator[Postgres]:
    """A server on a free port; gone afterwards.

    Args:
        settings: of the server on top of ours, such as :data:`NOT_DURABLE`.
        kept: a folder with what another left there, and where this one leaves what it has; else
            there is no database of ours.
    """
    folder = kept or Path(tempfile.mkdtemp(prefix="kentering-postgres-"))
    server: Postgres | None = None
    try:
        server = Postgres(folder, settings or {})
        yield server
    finally:
        if server is not None:
            server.stop()
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if not found:
        raise RuntimeError("PostgreSQL is missing: install the Debian package postgresql")
    return found[-1].parent


def _user() -> str | None:
    if os.geteuid() != 0:
        return None
    names = {account.pw_name for account in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
