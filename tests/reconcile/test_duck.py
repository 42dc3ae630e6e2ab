"""DuckDB stays quiet, in its folder, and off the network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from payops.reconcile import duck


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
