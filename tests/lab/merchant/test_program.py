"""The shop as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from lab.merchant.front import eventually, request
from payops.lab.servers.postgres import PostgresServer
from payops.lab.servers.redis import RedisServer


def start(config: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "payops.lab.merchant", "--config", str(config)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)


def test_it_says_where_it_is_and_ends_on_sigterm(
    postgres: PostgresServer, redis_server: RedisServer, tmp_path: Path
) -> None:
    config = tmp_path / "shop.json"
    given = {
        "port": 0,
        "control_port": 0,
        "postgres_dsn": postgres.dsn,
        "redis_url": redis_server.url,
        "stripe_url": "http://127.0.0.1:9",
        "stripe_key": "sk_test_x",
        "webhook_secrets": ["whsec_x"],
        "dir": str(tmp_path),
    }
    config.write_text(json.dumps(given))
    process = start(config)
    try:
        eventually((tmp_path / "merchant.json").exists, 10)
        told = json.loads((tmp_path / "merchant.json").read_text())
        assert told["pid"] == process.pid
        assert request("GET", told["url"] + "/health")[0] == 200
        state = request("GET", told["control_url"] + "/state")[1]
        assert state["answered"] == {"/health 200": 1}
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=5)
        assert time.monotonic() - began < 4
        assert process.returncode == 0
        assert "sk_test_x" not in log
    finally:
        process.kill()
        process.communicate()


def test_a_bad_configuration_is_named(tmp_path: Path) -> None:
    config = tmp_path / "shop.json"
    config.write_text('{"prot": 1}')
    process = start(config)
    _, log = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "unknown keys: prot" in log
