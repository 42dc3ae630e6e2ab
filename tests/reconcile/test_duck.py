"""DuckDB stays quiet, in its folder, and off the network."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from payops.domain.deadline import Deadline
from payops.errors import PayopsError
from payops.reconcile import duck
from payops.reconcile.late import TooLateError


def test_a_long_query_writes_nothing_to_stdout(tmp_path: Path) -> None:
    script = (
        "import pathlib, sys; from payops.reconcile import duck\n"
        "c = duck.connect(pathlib.Path(sys.argv[1]))\n"
        "c.execute('SET progress_bar_time = 1')\n"  # as if every query were long; turns it on
        "duck.quiet(c)\n"
        "c.execute('SELECT count(*) FROM range(30000000) a(n) WHERE hash(n) % 7 = 1').fetchall()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == ""


def test_it_is_bounded_and_installs_nothing(tmp_path: Path) -> None:
    connection = duck.connect(tmp_path / "spill", memory="100MB", threads=1)
    settings = dict(
        connection.execute(
            "SELECT name, value FROM duckdb_settings() WHERE name IN"
            " ('temp_directory', 'threads', 'TimeZone', 'autoinstall_known_extensions',"
            " 'enable_progress_bar')"
        ).fetchall()
    )
    connection.close()
    assert settings == {
        "temp_directory": str(tmp_path / "spill"),
        "threads": "1",
        "TimeZone": "UTC",
        "autoinstall_known_extensions": "false",
        "enable_progress_bar": "false",
    }


def endless(spill: Path, threads: int) -> None:
    connection = duck.connect(spill, threads=threads)
    try:
        connection.execute(
            "SELECT count(*) FROM range(100000000) a(n), range(100000) b(n) WHERE a.n * b.n % 7 = 3"
        )
    finally:
        connection.close()
        (spill / "ended").touch()


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("cursor", [False, True])
def test_the_deadline_ends_a_query(tmp_path: Path, threads: int, cursor: bool) -> None:
    def ask() -> None:
        if not cursor:
            return endless(tmp_path, threads)
        connection = duck.connect(tmp_path, threads=threads)
        query = "SELECT count(*) FROM range(100000000) a(n), range(100000) b(n) WHERE a.n = -b.n"
        return duck.quiet(connection.cursor()).execute(f"{query} AND hash(a.n) > 0") and None

    duck.connect(tmp_path).close()  # its import may take longer than this deadline
    began = time.monotonic()
    with pytest.raises(TooLateError):
        duck.in_time(ask, Deadline.after(0.5))
    assert time.monotonic() - began < 5
    assert cursor or (tmp_path / "ended").exists(), "it was given time to clean up"


def test_a_result_and_an_error_come_through() -> None:
    def broken() -> int:
        raise PayopsError("no room")

    assert duck.in_time(lambda: 3, None) == duck.in_time(lambda: 3, Deadline.after(9)) == 3
    with pytest.raises(PayopsError, match="no room"):
        duck.in_time(broken, Deadline.after(9))


def test_ctrl_c_ends_a_query(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, signal, sys, threading\n"
        "from test_duck import duck, endless\n"
        "duck.connect(pathlib.Path(sys.argv[1])).close()\n"
        "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "try:\n"
        "    duck.in_time(lambda: endless(pathlib.Path(sys.argv[1]), 4), None)\n"
        "except KeyboardInterrupt:\n"
        "    print('heard')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert done.stdout == "heard\n"
    assert (tmp_path / "ended").exists()
