"""Every scenario on a real lab: what the checks say, and that healing leaves no trace."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

import examining
from payops.checks import check_ids
from payops.domain.status import Status
from payops.errors import LabError, UsageError
from payops.lab import laboratory, processes, scenario
from payops.lab.control import Control
from payops.lab.info import LabInfo

IDS = scenario.scenarios_for("reference")
FINE = (Status.OK, Status.SKIP)
OF_POSTGRES = {
    "roles": "SELECT rolname FROM pg_roles ORDER BY 1",
    "slots": "SELECT slot_name FROM pg_replication_slots ORDER BY 1",
    "settings": "SELECT name, setting FROM pg_settings ORDER BY 1",
    # A number that was given out stays given out, whatever becomes of its row.
    "sequences": "SELECT sequencename, coalesce(last_value, 0) < 1000000 FROM pg_sequences "
    "ORDER BY 1",
    "tables": "SELECT relname, relkind, reloptions FROM pg_class "
    "WHERE relnamespace = 'public'::regnamespace ORDER BY 1",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) "
    "FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2",
}
"""What else of the database a scenario may change."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabInfo]:
    directory = tmp_path_factory.mktemp("scenarios") / "lab"
    yield laboratory.up(laboratory.LabOptions(dir=directory, payments=100))
    laboratory.down(directory)


@pytest.fixture(autouse=True)
def healed(lab: LabInfo) -> Iterator[None]:
    yield
    laboratory.heal(Path(lab.dir))


def state(lab: LabInfo) -> dict[str, Any]:
    """Everything that a scenario may change, in the order of keys."""
    found: dict[str, Any] = {}
    with psycopg.connect(lab.postgres_dsn) as connection:
        for table in ("payments", "refunds", "webhook_events"):
            rows = connection.execute(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY id")
            text = "\n".join(row[0] for row in rows.fetchall())
            unique = "SELECT indexdef FROM pg_indexes WHERE tablename = %s ORDER BY indexname"
            found[f"{table} indexes"] = connection.execute(unique, (table,)).fetchall()
            found[table] = (text.count("\n"), hashlib.sha256(text.encode()).hexdigest())
        found |= {what: connection.execute(asked).fetchall() for what, asked in OF_POSTGRES.items()}
    with redis.Redis.from_url(lab.redis_url, decode_responses=True) as client:
        found["redis"] = {
            key: (client.get(key), client.pttl(key) > 0) for key in sorted(client.scan_iter())
        }
        found["redis settings"] = client.config_get()
        found["redis role"] = client.role()[0]
    stripe = Control("stripe", lab.stripe_control_url)
    simulator = stripe.get("/state")
    for name in ("faults", "keys", "status_page", "objects", "clock_offset_s", "rate_limits"):
        found[name] = simulator[name]
    events = stripe.get("/objects?type=event&limit=10000")["objects"]
    found["events"] = sorted(json.dumps(event, sort_keys=True) for event in events)
    found["muted"] = simulator["muted"]
    for name in ("webhook_endpoint", "payment_intent"):
        told = stripe.get(f"/objects?type={name}&limit=10000")["objects"]
        found[name] = sorted(json.dumps(one, sort_keys=True) for one in told)
    found["deliveries"] = stripe.get("/deliveries")["deliveries"]
    found["configuration"] = Path(lab.config).read_text()
    found["merchant"] = Control("merchant", lab.app_control_url).get("/state")["faults"]
    found["configuration"] = Path(lab.config).read_text()
    found["servers"] = [(s.name, s.running, s.address) for s in laboratory.status(Path(lab.dir))]
    # What a scenario leaves running works in the lab's folder; the servers are there too.
    of_servers = {s.pid for s in laboratory.status(Path(lab.dir))}
    found["processes"] = left_running(lab, of_servers)
    return found


def left_running(lab: LabInfo, but: set[int]) -> list[int]:
    """Processes in the lab's folder that are still there after a while: one that was told to end,
    or that a server had for a moment, may need one."""
    end = time.monotonic() + 3
    while True:
        found = [one.pid for one in processes.left_behind(Path(lab.dir)) if one.pid not in but]
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.05)


def statuses(lab: LabInfo) -> dict[str, str]:
    """What `payops health` says: the checks that are neither OK nor of what is not here."""
    found = examining.statuses(lab)
    return {id_: status for id_, status in found.items() if status not in ("OK", "SKIP")}


def test_nothing_is_wrong_at_first(lab: LabInfo) -> None:
    assert statuses(lab) == {}


@pytest.mark.parametrize("wanted", IDS)
def test_it_breaks_what_it_says_and_healing_leaves_no_trace(lab: LabInfo, wanted: str) -> None:
    directory = Path(lab.dir)
    before = state(lab)
    injected = laboratory.inject(directory, wanted)
    assert injected.scenarios == (wanted,)
    expected = scenario.load_scenario(wanted).expected
    # A shop without outside processors has nothing that those checks could look at.
    here = {c: s.value for c, s in expected.items() if not c.startswith("external.")}
    found = examining.examined(lab, expected)
    assert {c.id: c.status.value for c in found if c.status not in FINE} == here
    for one in found:
        if one.status in (Status.WARN, Status.CRIT):
            assert one.actions, f"{one.id}: what next?"
            assert one.summary
    assert laboratory.heal(directory, wanted).scenarios == ()
    assert state(lab) == before
    healed = examining.health(lab.config, *expected).checks
    assert {one.id: one.status.value for one in healed if one.status not in FINE} == {}
    assert list((directory / "scenarios").iterdir()) == []


def test_healing_from_another_process(lab: LabInfo) -> None:
    before = state(lab)
    laboratory.inject(Path(lab.dir), "webhook-endpoint-down")
    laboratory.inject(Path(lab.dir), "circuit-stuck-open")
    script = (
        "import sys, pathlib; from payops.lab import laboratory\n"
        "laboratory.heal(pathlib.Path(sys.argv[1]))"
    )
    subprocess.run(
        [sys.executable, "-c", script, lab.dir],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
    )
    assert state(lab) == before


def test_the_number_of_lost_payments_can_be_chosen(lab: LabInfo) -> None:
    laboratory.inject(Path(lab.dir), "payments-stuck-pending", count="2")
    assert statuses(lab) == {"payments.stuck-pending": "WARN"}


def test_up_leaves_down_what_a_scenario_stopped(lab: LabInfo) -> None:
    directory = Path(lab.dir)
    laboratory.inject(directory, "redis-down")
    info = laboratory.up(laboratory.LabOptions(dir=directory, payments=100))
    assert info.pids["redis"] == 0
    assert info.scenarios == ("redis-down",)
    assert laboratory.heal(directory).pids["redis"] > 0


def test_what_needs_a_stopped_server_says_so_and_changes_nothing(lab: LabInfo) -> None:
    directory = Path(lab.dir)
    before = state(lab)
    laboratory.inject(directory, "redis-down")
    with pytest.raises(LabError, match="needs Redis"):
        laboratory.inject(directory, "circuit-stuck-open")
    laboratory.heal(directory)
    if "circuit-stuck-open" in laboratory.heal(directory).scenarios:
        laboratory.heal(directory, "circuit-stuck-open")
    assert state(lab) == before


def test_the_later_of_two_that_change_the_same_is_healed_first(lab: LabInfo) -> None:
    directory = Path(lab.dir)
    before = state(lab)
    laboratory.inject(directory, "circuit-stuck-open")
    laboratory.inject(directory, "stripe-outage")
    with pytest.raises(LabError, match="came after"):
        laboratory.heal(directory, "circuit-stuck-open")
    laboratory.heal(directory)
    assert state(lab) == before


def test_an_inject_that_fails_half_way_is_undone(
    lab: LabInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    from payops.lab.scenarios import stripe_outage

    before = state(lab)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(stripe_outage, "open_breaker", fail)
    with pytest.raises(RuntimeError):
        laboratory.inject(Path(lab.dir), "stripe-outage")
    assert state(lab) == before
    current = LabInfo.load(Path(lab.dir))
    assert current is not None
    assert current.scenarios == ()


@pytest.mark.parametrize(
    ("wanted", "parameters", "error", "said"),
    [
        ("circuit-stuck", {}, UsageError, "did you mean 'circuit-stuck-open'"),
        ("redis-down", {"count": 3}, UsageError, "no parameter 'count'"),
        ("payments-stuck-pending", {"cuont": 3}, UsageError, "did you mean 'count'"),
        ("payments-stuck-pending", {"count": "many"}, UsageError, "is a number"),
        ("payments-stuck-pending", {"count": 0}, UsageError, "1 to 10000"),
        ("payments-stuck-pending", {"count": 9999}, LabError, "that can be lost"),
    ],
)
def test_what_cannot_be_injected(
    lab: LabInfo, wanted: str, parameters: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        laboratory.inject(Path(lab.dir), wanted, **parameters)
    current = LabInfo.load(Path(lab.dir))
    assert current is not None
    assert current.scenarios == ()


def test_twice_is_refused_and_so_is_healing_what_is_not_there(lab: LabInfo, tmp_path: Path) -> None:
    laboratory.inject(Path(lab.dir), "stripe-key-invalid")
    with pytest.raises(LabError, match="in force already"):
        laboratory.inject(Path(lab.dir), "stripe-key-invalid")
    with pytest.raises(LabError, match="not in force"):
        laboratory.heal(Path(lab.dir), "redis-down")
    with pytest.raises(LabError, match="there is no lab"):
        laboratory.inject(tmp_path, "redis-down")


@pytest.mark.parametrize("wanted", IDS)
def test_a_scenario_says_what_it_is(wanted: str) -> None:
    found = scenario.load_scenario(wanted)
    assert found.title
    assert found.breaks
    assert set(found.expected) <= set(check_ids())
    assert any(number in found.runbook for number in ("000", "001", "002", "003", "004"))
    module = sys.modules[found.inject.__module__]
    assert module.__doc__
    assert len(module.__doc__.splitlines()[0]) > 20


def test_two_files_of_one_id_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "twice_told"
    package.mkdir()
    for name in ("__init__.py", "stripe_outage.py", "stripe_outage_.py"):
        (package / name).touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(LabError, match="stripe-outage"):
        scenario.scenario_ids("twice_told")
    (package / "stripe_outage_.py").unlink()
    with pytest.raises(LabError, match="has no SCENARIO"):
        scenario.load_scenario("stripe-outage", "twice_told")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("database-deadlocks", "transactions-rolled-back"),
        ("redis-evicting", "redis-nearly-full"),
        ("clock-drifting", "clock-skew"),
    ],
)
def test_two_that_need_the_same_are_refused(lab: LabInfo, first: str, second: str) -> None:
    """Each would undo, or hide, what the other did."""
    laboratory.inject(Path(lab.dir), first)
    with pytest.raises(LabError, match=f"cannot be in force beside {first}"):
        laboratory.inject(Path(lab.dir), second)


def test_limits_of_two_scenarios_stand_beside_each_other(lab: LabInfo) -> None:
    before = state(lab)
    for wanted in ("query-runs-long", "queue-stands-still", "transaction-stays-open"):
        laboratory.inject(Path(lab.dir), wanted)
    assert statuses(lab) == {
        "postgres.queries": "WARN",
        "postgres.transactions": "WARN",
        "queue.age": "CRIT",
    }
    laboratory.heal(Path(lab.dir))
    assert state(lab) == before


@pytest.mark.parametrize("wanted", ["redis-clients-leak", "webhook-certificate-expired"])
def test_what_a_scenario_leaves_running_goes_with_the_lab(wanted: str, lab: LabInfo) -> None:
    """Also where its process was killed before: healing finds nothing to end."""
    laboratory.inject(Path(lab.dir), wanted)
    memory = Path(lab.dir) / "scenarios" / f"{wanted}.json"
    left = processes.Started(*json.loads(memory.read_text())["process"])
    assert left.running
    processes.end(left)
    assert laboratory.heal(Path(lab.dir)).scenarios == ()
    assert statuses(lab) == {}
