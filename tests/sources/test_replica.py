"""The lag of a real streaming replica."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from payops.errors import Failure, SourceError
from payops.lab.servers.installation import (
    postgres_installation,
    readable_installation,
    unprivileged_account,
)
from payops.lab.servers.postgres import PostgresServer
from payops.sources.postgres_replication import Replication, replication
from sources.conftest import postgres_of
from sources.hanging import free_port

NOBODY = 65534


@pytest.fixture
def replica(postgres_server: PostgresServer) -> Iterator[str]:
    """The DSN of a replica of the session's server."""
    installation = readable_installation(postgres_installation(), unprivileged_account())
    primary, programs = urlsplit(postgres_server.dsn), installation / "bin"
    port = free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        data = Path(folder) / "replica"
        as_nobody: dict[str, Any] = {"cwd": "/", "stderr": subprocess.DEVNULL}
        as_nobody["env"] = {"PGPASSWORD": primary.password, "LC_ALL": "C", "PATH": "/usr/bin:/bin"}
        if os.geteuid() == 0:  # which Postgres refuses to run as
            os.chown(folder, NOBODY, NOBODY)
            as_nobody |= {"user": NOBODY, "group": NOBODY}
        subprocess.run(
            [programs / "pg_basebackup", "-h", "127.0.0.1", "-p", str(primary.port),
             "-U", str(primary.username), "-D", data, "-R", "-X", "stream", "-c", "fast"],
            check=True, **as_nobody,
        )  # fmt: skip
        options = ["-p", str(port), "-c", "unix_socket_directories="]
        running = subprocess.Popen([programs / "postgres", "-D", data, *options], **as_nobody)
        try:
            yield postgres_server.dsn.replace(f":{primary.port}/", f":{port}/")
        finally:
            running.terminate()
            running.wait(10)


def lag_that(holds: Callable[[float | None], bool], dsn: str) -> float | None:
    """The lag once it `holds`, or after 10 s."""
    lag = None
    for _ in range(100):
        source = postgres_of(dsn)
        try:
            facts = source.server()
            assert facts.in_recovery
            lag = facts.replay_lag_s
        except SourceError as error:
            if error.kind not in (Failure.REFUSED, Failure.STARTING_UP):
                raise
            lag = None
        finally:
            source.close()
        if holds(lag):
            break
        time.sleep(0.1)
    return lag


@pytest.mark.slow
def test_an_idle_primary_is_not_lag_and_a_paused_replay_is(
    replica: str, sql: psycopg.Connection[Any]
) -> None:
    assert lag_that(lambda lag: lag == 0, replica) == 0
    sql.execute("CREATE TABLE t (x int)")
    time.sleep(1)
    assert lag_that(lambda lag: lag == 0, replica) == 0
    with psycopg.connect(replica, autocommit=True) as administrator:
        administrator.execute("SELECT pg_wal_replay_pause()")
        sql.execute("INSERT INTO t VALUES (1)")
        assert (lag_that(bool, replica) or 0) > 0
        administrator.execute("SELECT pg_wal_replay_resume()")
    assert lag_that(lambda lag: lag == 0, replica) == 0


@pytest.mark.slow
def test_replication_from_both_sides(
    replica: str, postgres_server: PostgresServer, sql: psycopg.Connection[Any]
) -> None:
    assert lag_that(lambda lag: lag == 0, replica) == 0
    primary = replication_of(postgres_server.dsn)
    assert primary.replica is None
    (standby,) = primary.standbys
    assert (standby.state, standby.hidden) == ("streaming", False)
    here = replication_of(replica)
    assert here.replica is not None
    assert (here.replica.receiver, here.replica.paused, here.replica.seconds) == (True, False, 0)
    assert here.standbys == ()
    with psycopg.connect(replica, autocommit=True) as administrator:
        administrator.execute("SELECT pg_wal_replay_pause()")
        sql.execute("CREATE TABLE t AS SELECT generate_series(1, 5000)")
        behind = 0
        for _ in range(100):
            (standby,) = replication_of(postgres_server.dsn).standbys
            behind = standby.bytes or 0
            if behind > 100_000:
                break
            time.sleep(0.05)
        late = replication_of(replica).replica
        administrator.execute("SELECT pg_wal_replay_resume()")
    assert behind > 100_000
    assert late is not None
    assert late.paused
    assert (late.bytes or 0) > 100_000
    assert (late.seconds or 0) > 0


def replication_of(dsn: str) -> Replication:
    """What a new run finds."""
    source = postgres_of(dsn)
    try:
        return replication(source)
    finally:
        source.close()
