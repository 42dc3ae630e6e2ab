"""`payops keys scan` as an operator runs it: files, a pipe, the database, ^C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from command import CRON, assert_calm, passed_on, payops
from payops.lab.info import LabInfo

KEY = "sk_live_51NcXyZAbCdEfGh7jKlMnOpQr"
CARD = "4539578763621486"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("nothing here", 0),
        ("card 4242424242424242", 1),
        ("k=sk_test_51NcXyZAbCdEfGh7jKlMnOpQr", 1),
        ("pk_live_51NcXyZAbCdEfGh7jKlMnOpQr", 0),
        (f"k={KEY}", 2),
        (f"card {CARD}", 2),
    ],
)
def test_exit_status_without_a_configuration(tmp_path: Path, line: str, code: int) -> None:
    (tmp_path / "x.log").write_text(line + "\n")
    done = payops("keys", "scan", tmp_path, cwd=tmp_path)
    assert done.code == code, done.out
    assert_calm(done)
    assert KEY not in done.out
    assert CARD not in done.out


@pytest.mark.parametrize("output", ["table", "plain", "markdown", "json", "nagios", "csv"])
def test_no_output_shows_what_was_found(tmp_path: Path, output: str) -> None:
    (tmp_path / f"{CARD} [red]\x1b[2J.log").write_text(f"k={KEY}\ncard {CARD}\nx {CARD} {KEY}\n")
    done = payops("keys", "scan", tmp_path, "-o", output, cwd=tmp_path)
    assert done.code == 2
    for secret in (KEY, CARD, "453957", "NcXyZAb"):
        assert secret not in done.out + done.err
    assert "\x1b[2J" not in done.out


def test_standard_input(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "payops", "keys", "scan", "-", "-o", "json"],
        input=f"a\n{KEY}\n".encode(),
        env={**CRON, **passed_on()},
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["findings"][0]["place"] == "(stdin):2"


def test_a_pipe_that_never_ends_gives_what_it_gave_at_the_deadline(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "payops", "keys", "scan", "-", "--deadline", "1s"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**CRON, **passed_on()},
        cwd=tmp_path,
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(f"{KEY}\n".encode())
        running.stdin.flush()
        out = running.stdout.read().decode()
        assert running.wait(20) == 2
    assert "1 live key" in out
    assert "the deadline came first" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "nothing to scan"),
        (("--ignore-file", "gone", "."), "gone"),
        (("--database",), "no configuration found"),
        (("--since", "tomorrow-ish", "."), "--since"),
    ],
)
def test_wrong_usage_is_one_line(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = payops("keys", "scan", *arguments, cwd=tmp_path)
    assert (done.code, done.out) == (3, "")
    assert words in done.err
    assert_calm(done)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_stays_behind(tmp_path: Path, number: signal.Signals) -> None:
    for name in "ab":  # sparse: read at once, and long enough to be interrupted
        with (tmp_path / name).open("wb") as file:
            file.truncate(20_000_000_000)
    with subprocess.Popen(
        [sys.executable, "-m", "payops", "keys", "scan", "--jobs", "2", tmp_path],
        env={**CRON, **passed_on()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as running:
        workers = _eventually(lambda: len(_children(running.pid)) == 2 and _children(running.pid))
        running.send_signal(number)
        running.wait(10)
    assert workers
    assert _eventually(lambda: not any(map(_runs, workers)))


def _runs(pid: int) -> bool:
    """Whether it does anything: of an orphan that has ended the system's first process may keep
    the number, and not every container's does away with it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _eventually(question: Any) -> Any:
    until = time.monotonic() + 15
    while time.monotonic() < until:
        if answer := question():
            return answer
        time.sleep(0.05)
    return question()


def test_the_database_is_sampled_and_what_is_never_read_is_counted(
    lab: LabInfo, tmp_path: Path
) -> None:
    healthy = payops("--config", lab.config, "keys", "scan", "--database", "-o", "json")
    assert healthy.code == 0, healthy.out
    with psycopg.connect(lab.postgres_dsn, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE scan_vault (id int PRIMARY KEY, connection_data text, odd jsonb,"
            " note text);"
            f"INSERT INTO scan_vault VALUES (7, 'whsec_Zx81kLmN0pQrStUvWxYz2345', "
            f"""'{{"a": {{"number": "{CARD}"}}}}', '{KEY}')"""
        )
    try:
        raw = yaml.safe_load(Path(lab.config).read_text())
        raw["keys"] = {"never_read": {"scan_vault": ["note"]}}
        config = tmp_path / "payops.yaml"
        config.write_text(yaml.safe_dump(raw))
        config.chmod(0o600)
        done = payops("--config", config, "keys", "scan", "--database", "-o", "json")
    finally:
        with psycopg.connect(lab.postgres_dsn, autocommit=True) as connection:
            connection.execute("DROP TABLE scan_vault")
    assert done.code == 2
    answer = json.loads(done.out)
    checks = {each["id"]: each for each in answer["checks"]}
    assert checks["scan.columns"]["status"] == "WARN"
    told = " ".join(each["what"] for each in checks["scan.columns"]["evidence"])
    assert "1 rows of scan_vault.note" in told
    assert "1 rows of scan_vault.connection_data" in told
    assert [each["place"] for each in answer["findings"]] == ["scan_vault.odd id=7"]
    assert checks["scan.keys"]["status"] == "OK"  # never read, so never found


def test_secrets_of_the_configuration_are_found_by_their_text(lab: LabInfo, tmp_path: Path) -> None:
    raw = yaml.safe_load(Path(lab.config).read_text())
    raw["redis"] = {"url": "redis://:pa%2Fss-Word1@127.0.0.1:1/0"}
    config = tmp_path / "payops.yaml"
    config.write_text(yaml.safe_dump(raw))
    config.chmod(0o600)
    log = tmp_path / "x.log"
    log.write_text("connecting with pa/ss-Word1\nredis://:pa%2Fss-Word1@h\n")
    done = payops("--config", config, "keys", "scan", log, "-o", "json")
    assert done.code == 2
    (finding,) = json.loads(done.out)["findings"]
    assert finding["kind"] == "configured-secret"
    assert finding["count"] == 2
    assert "ss-Word1" not in done.out
    assert os.fspath(log) in finding["place"]


def test_a_dead_database_does_not_hide_the_files(lab: LabInfo, tmp_path: Path) -> None:
    raw = yaml.safe_load(Path(lab.config).read_text())
    raw["postgres"] = {"dsn": "postgresql://a@127.0.0.1:1/x"}
    config = tmp_path / "payops.yaml"
    config.write_text(yaml.safe_dump(raw))
    config.chmod(0o600)
    (tmp_path / "x.log").write_text(f"{KEY}\n")
    done = payops(
        "--config", config, "keys", "scan", tmp_path / "x.log", "--database", "-o", "json"
    )
    checks = {each["id"]: each["status"] for each in json.loads(done.out)["checks"]}
    assert checks["scan.columns"] == "CRIT"
    assert checks["scan.keys"] == "CRIT"


def test_test_cards_wake_nobody(tmp_path: Path) -> None:
    """PCI DSS speaks of real numbers: beside one, test numbers change nothing."""
    (tmp_path / "x.log").write_text("card 4242424242424242\n")
    calm = payops("keys", "scan", tmp_path, cwd=tmp_path)
    assert (calm.code, "PCI DSS" in calm.out, "kind=test-card" in calm.out) == (1, False, True)
    (tmp_path / "x.log").write_text(f"card 4242424242424242\ncard {CARD}\n")
    assert "PCI DSS" in payops("keys", "scan", tmp_path, cwd=tmp_path).out
