"""The lab's servers: real ones, started, stopped, killed and found again."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis as redis_client

from payops.errors import LabError
from payops.lab import processes
from payops.lab.servers.postgres import PostgresServer
from payops.lab.servers.redis import RedisServer

Any = PostgresServer | RedisServer


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path)
    yield server
    server.remove()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.stop()


def write(server: Any, text: str) -> None:
    if isinstance(server, PostgresServer):
        with psycopg.connect(server.dsn) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS notes (text text)")
            connection.execute("INSERT INTO notes VALUES (%s)", (text,))
    else:
        with redis_client.Redis.from_url(server.url) as client:
            client.rpush("notes", text)


def read(server: Any) -> list[str]:
    if isinstance(server, PostgresServer):
        with psycopg.connect(server.dsn) as connection:
            return [row[0] for row in connection.execute("SELECT text FROM notes").fetchall()]
    with redis_client.Redis.from_url(server.url, decode_responses=True) as client:
        return list(client.lrange("notes", 0, -1))


@pytest.fixture(params=["postgres", "redis"])
def server(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def test_data_and_address_survive_a_stop_and_a_kill(server: Any) -> None:
    server.start()
    port, first = server.port, server.pid
    write(server, "before the stop")
    server.stop()
    assert (server.running, server.pid) == (False, 0)
    server.start()
    write(server, "before the kill")
    server.kill()
    assert not server.running
    server.start()
    assert server.pid != first
    assert server.port == port
    assert read(server) == ["before the stop", "before the kill"]


def test_start_twice_is_start_once_also_from_another_process(server: Any) -> None:
    server.start()
    pid = server.pid
    server.start()
    assert server.pid == pid
    again = type(server)(server.directory)
    again.start()
    assert again.pid == pid


def test_a_port_asked_for_is_the_port(tmp_path: Path, server: Any) -> None:
    from payops.lab.servers.server import free_port

    port = free_port()
    server = type(server)(tmp_path, port)
    server.start()
    with socket.create_connection(("127.0.0.1", port), timeout=2):
        assert server.port == port


def test_only_the_password_opens_it(postgres: PostgresServer, redis: RedisServer) -> None:
    postgres.start()
    redis.start()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres.dsn.replace("shop:", "shop:x"))
    with (
        redis_client.Redis(port=redis.port, retry=None) as stranger,
        pytest.raises(redis_client.AuthenticationError),
    ):
        stranger.ping()


def test_what_holds_a_password_is_private(
    tmp_path: Path, postgres: PostgresServer, redis: RedisServer
) -> None:
    postgres.start()
    redis.start()
    secrets = {postgres.record.password, redis.record.password}  # type: ignore[union-attr]
    for path in tmp_path.rglob("*"):
        if path.is_file() and any(secret in path.read_text("latin-1") for secret in secrets):
            assert path.stat().st_mode & 0o077 == 0, path
    for pid in (postgres.pid, redis.pid):
        command = Path(f"/proc/{pid}/cmdline").read_text("latin-1")
        assert not any(secret in command for secret in secrets)
    assert postgres.data.stat().st_mode & 0o077 == 0


def test_the_reading_role_only_reads(postgres: PostgresServer) -> None:
    postgres.start()
    write(postgres, "something")
    with psycopg.connect(postgres.read_only_dsn, autocommit=True) as connection:
        assert connection.execute("SELECT text FROM notes").fetchall() == [("something",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM notes")


def test_a_recycled_pid_is_not_signalled(redis: RedisServer) -> None:
    redis.start()
    pid = redis.pid
    redis.stop()
    redis._keep_process(processes.Started(os.getpid(), "another start time"))
    assert not redis.running
    redis.kill()  # would end this test run
    redis.start()
    assert redis.pid not in (0, pid)


def test_a_taken_port_is_told_with_the_log(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = RedisServer(tmp_path, taken.getsockname()[1])
        with pytest.raises(LabError, match="in use"):
            server.start()


def test_an_initdb_that_was_cut_short_is_done_again(postgres: PostgresServer) -> None:
    postgres.start()
    postgres.kill()
    (postgres.data / "ready").unlink()
    (postgres.data / "pgdata" / "PG_VERSION").unlink()
    postgres.start()
    write(postgres, "works")
    assert read(postgres) == ["works"]


def test_they_outlive_the_process_that_started_them(tmp_path: Path, redis: RedisServer) -> None:
    import subprocess
    import sys

    script = (
        "import sys, pathlib; from payops.lab.servers import redis\n"
        "redis.RedisServer(pathlib.Path(sys.argv[1])).start()"
    )
    started = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert started.stderr == ""
    assert redis.running
    assert os.getsid(redis.pid) == redis.pid != os.getsid(0)
    assert [found.pid for found in processes.left_behind(tmp_path)] == [redis.pid]


def executable(python: str) -> bool:
    """Whether `nobody` can run this Python, and it is of our version (for compiled packages)."""
    import subprocess
    import sys

    try:
        told = subprocess.run(
            [python, "-c", "import sys; print(*sys.version_info[:2])"],
            user="nobody",
            group=65534,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )
    except PermissionError:
        return False
    return told.stdout.split() == [str(part) for part in sys.version_info[:2]]


@pytest.mark.skipif(os.geteuid() != 0, reason="changes its user")
def test_an_ordinary_user_can_start_them_too() -> None:
    import pwd
    import shutil
    import subprocess
    import sys
    import tempfile

    nobody = pwd.getpwnam("nobody")
    place = Path(tempfile.mkdtemp(prefix="payops-test-"))
    os.chown(place, nobody.pw_uid, nobody.pw_gid)
    script = (
        "import sys, pathlib\n"
        "from payops.lab.servers.postgres import PostgresServer as P\n"
        "from payops.lab.servers.redis import RedisServer as R\n"
        "import psycopg\n"
        "p, r = (S(pathlib.Path(sys.argv[1])) for S in (P, R))\n"
        "p.start(); r.start()\n"
        "assert p.data.parent == pathlib.Path(sys.argv[1])\n"
        "with psycopg.connect(p.dsn) as c: print(c.execute('SELECT 1').fetchone())\n"
        "p.stop(); r.stop(); print(p.running, r.running)\n"
    )
    python = next((p for p in (sys.executable, "/usr/bin/python3") if executable(p)), "")
    if not python:
        pytest.skip("no Python that `nobody` can run")
    try:
        ran = subprocess.run(
            [python, "-c", script, str(place)],
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            cwd=place,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ran.stdout.splitlines(), ran.stderr) == (["(1,)", "False False"], "")
    finally:
        shutil.rmtree(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user reads its own folders")
def test_root_copies_an_installation_that_nobody_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tempfile

    from payops.lab.servers import installation, postgres

    real = installation.postgres_installation()
    open_place = Path(tempfile.mkdtemp(prefix="payops-test-"))
    open_place.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(open_place))
    monkeypatch.setattr(installation, "_reachable_by_all", lambda program: False)
    monkeypatch.setattr(postgres, "postgres_installation", lambda: real)
    server = PostgresServer(tmp_path)
    try:
        server.start()
        command = Path(f"/proc/{server.pid}/cmdline").read_text("latin-1")
        assert command.startswith(str(open_place))
        copy = next(path for path in open_place.iterdir() if "postgresql" in path.name)
        os.chown(copy, 65534, 65534)
        server.stop()
        with pytest.raises(LabError, match="is not ours"):
            server.start()
    finally:
        server.remove()
        import shutil

        shutil.rmtree(open_place)


def test_a_pid_of_a_zombie_is_not_running() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert processes.start_time(child) == ""


def test_end_kills_what_does_not_listen(tmp_path: Path) -> None:
    import sys

    stubborn = processes.start(
        [
            *(sys.executable, "-c"),
            "import signal,time; signal.signal(15, 1); print(1, flush=True); time.sleep(60)",
        ],
        log=tmp_path / "log",
        directory=tmp_path,
    )
    processes.wait_until(
        lambda: "1" in (tmp_path / "log").read_text(),
        process=stubborn,
        what="it",
        log=tmp_path / "log",
        seconds=10,
    )
    processes.end(stubborn, signal.SIGTERM, patience=0.1)
    assert not stubborn.running


def test_what_is_not_installed_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import importlib.util
    import shutil

    from payops.lab.servers.installation import postgres_installation
    from payops.lab.servers.redis import redis_binary

    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    for look in (postgres_installation, redis_binary):
        with pytest.raises(LabError, match="found") as error:
            look()
        assert "install" in error.value.hint
