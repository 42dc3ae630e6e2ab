"""`payops circuit` as an operator runs it: what is stuck is named, closed by a plan, put back."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py

from command import CRON, Finished, assert_calm, passed_on, payops
from payops.lab import laboratory
from payops.lab.info import LabInfo
from payops.lab.merchant.breaker import FAILURES, LAST_FAILURE, OPENED_AT, STATE

KEYS = (STATE, FAILURES, LAST_FAILURE, OPENED_AT)


@pytest.fixture
def state(tmp_path: Path) -> dict[str, str]:
    """A journal and a log of its own."""
    return {"XDG_STATE_HOME": str(tmp_path / "state")}


@pytest.fixture
def shop(lab: LabInfo) -> Iterator[redis_py.Redis]:
    """The lab's Redis; its breaker is as it was afterwards."""
    client = redis_py.Redis.from_url(lab.redis_url, decode_responses=True)
    kept = {key: client.get(key) for key in KEYS}
    yield client
    client.delete(*KEYS)
    for key, value in kept.items():
        if value is not None:
            client.set(key, value)
    client.close()


def stuck_open(shop: redis_py.Redis, minutes: float = 12) -> None:
    at = f"{time.time() - 60 * minutes:.3f}"
    shop.mset({STATE: "open", FAILURES: 7, OPENED_AT: at, LAST_FAILURE: at})


def circuit(lab: LabInfo, state: dict[str, str], *words: str) -> Finished:
    return payops("--config", lab.config, "circuit", *words, env=state)


def told(done: Finished) -> Any:
    return json.loads(done.out)


def test_a_healthy_one(lab: LabInfo, shop: redis_py.Redis, state: dict[str, str]) -> None:
    done = circuit(lab, state, "status", "-o", "json")
    assert_calm(done)
    (breaker,) = told(done)["breakers"]
    assert (done.code, breaker["state"], breaker["layout"]) == (0, "closed", "split")
    assert breaker["verdict"] == "as it should be"


def test_stuck_open_closed_by_hand_and_put_back(
    lab: LabInfo, shop: redis_py.Redis, state: dict[str, str], tmp_path: Path
) -> None:
    stuck_open(shop)
    before = {key: shop.get(key) for key in KEYS}
    done = circuit(lab, state, "status", "-o", "json")
    assert done.code in {1, 2}
    (breaker,) = told(done)["breakers"]
    assert breaker["state"] == "open"
    assert breaker["verdict"] in {"safe to close", "waits for traffic"}
    (check,) = told(done)["checks"]
    assert check["actions"][0]["command"].endswith("circuit reset stripe")
    stored, *_ = check["evidence"]
    assert not [name for name in stored["detail"] if name.startswith("ttl ")]  # none has a life
    assert any(each["what"].startswith("answers in ") for each in check["evidence"])

    plan = tmp_path / "plan.json"
    saved = circuit(lab, state, "reset", "stripe", "--save-plan", str(plan))
    assert (saved.code, shop.get(STATE)) == (0, "open")
    assert plan.stat().st_mode & 0o077 == 0
    assert circuit(lab, state, "reset", "--dry-run").code == 0
    assert {key: shop.get(key) for key in KEYS} == before
    assert circuit(lab, state, "reset").code == 1  # nobody is there to say yes

    applied = payops("--config", lab.config, "apply", plan, "--yes", env=state)
    assert (applied.code, [shop.get(key) for key in KEYS]) == (0, [None] * 4)
    again = payops("--config", lab.config, "apply", plan, "--yes", env=state)
    assert again.code == 0
    assert "already done" in again.out

    past = circuit(lab, state, "status", "--history", "-o", "json")
    assert told(past)["history"][0]["what"] == "reset: done"
    digest = json.loads(plan.read_text())["digest"]
    back = payops("--config", lab.config, "undo", "--plan", digest, "--yes", env=state)
    assert back.code == 0, back.err
    assert {key: shop.get(key) for key in KEYS} == before


def test_a_reset_is_watched(lab: LabInfo, shop: redis_py.Redis, state: dict[str, str]) -> None:
    stuck_open(shop)
    done = circuit(lab, state, "reset", "stripe", "--yes", "--observe", "2s")
    assert done.code == 0
    assert "after 2 s: it is closed; " in done.out
    nothing = circuit(lab, state, "reset", "stripe", "--yes")
    assert (nothing.code, "nothing to do" in nothing.out) == (0, True)


def test_one_that_opens_again_is_told(
    lab: LabInfo, shop: redis_py.Redis, state: dict[str, str]
) -> None:
    stuck_open(shop)
    over = threading.Event()

    def opens_again() -> None:
        while not over.is_set():
            if shop.get(STATE) is None:
                time.sleep(1.5)
                shop.set(STATE, "open")
                return
            time.sleep(0.05)

    thread = threading.Thread(target=opens_again)
    thread.start()
    done = circuit(lab, state, "reset", "stripe", "--yes", "--observe", "15s")
    over.set()
    thread.join()
    assert done.code == 1
    assert "OPENED AGAIN" in done.out
    assert done.seconds < 14


def test_while_stripe_fails_it_is_left_alone(
    lab: LabInfo, shop: redis_py.Redis, state: dict[str, str]
) -> None:
    laboratory.inject(Path(lab.dir), "stripe-key-invalid")
    try:
        stuck_open(shop)
        left = circuit(lab, state, "status", "-o", "json")
        refused = circuit(lab, state, "reset", "stripe", "--yes")
        assert shop.get(STATE) == "open"
        forced = circuit(lab, state, "reset", "stripe", "--yes", "--force", "--observe", "0s")
    finally:
        laboratory.heal(Path(lab.dir), "stripe-key-invalid")
    assert told(left)["breakers"][0]["verdict"] == "leave it"
    assert (refused.code, "--force" in refused.err) == (1, True)
    assert forced.code == 0
    assert shop.get(STATE) is None


def test_forced_open_for_a_while(lab: LabInfo, shop: redis_py.Redis, state: dict[str, str]) -> None:
    refused = circuit(lab, state, "trip", "stripe", "--yes")
    assert (refused.code, shop.get(STATE)) == (1, "closed")
    done = circuit(lab, state, "trip", "stripe", "--for", "90s", "--yes", "--force")
    assert done.code == 0
    assert shop.get(STATE) == "open"
    assert 80 <= shop.ttl(STATE) <= 90
    # Half-open is due when its life ends, not 30 s after it was opened.
    opened = float(shop.get(OPENED_AT) or 0)
    assert abs(opened + 30 - (time.time() + 90)) < 10


def test_a_plan_for_a_key_of_nobodys_is_refused(
    lab: LabInfo, shop: redis_py.Redis, state: dict[str, str], tmp_path: Path
) -> None:
    from dataclasses import replace

    from payops.domain.plan import signed
    from payops.domain.plan_file import plan_of, plan_text
    from payops.domain.plan_redis import statement_of

    stuck_open(shop)
    plan = tmp_path / "plan.json"
    circuit(lab, state, "reset", "stripe", "--save-plan", str(plan))
    made = plan_of(plan.read_text())
    shop.set("somebodys", "1")
    try:
        change = replace(made.changes[0], before={"somebodys": "1"}, after={"somebodys": "2"})
        change = replace(change, statement=statement_of(change))
        plan.write_text(plan_text(signed(replace(made, changes=(change,)))))
        done = payops("--config", lab.config, "apply", plan, "--yes", env=state)
        assert (done.code, shop.get("somebodys")) == (1, "1")
        assert "is no key of a configured breaker" in done.err
    finally:
        shop.delete("somebodys")


def test_a_watch_tells_each_change_and_ends_when_told(
    lab: LabInfo, shop: redis_py.Redis, state: dict[str, str], tmp_path: Path
) -> None:
    stuck_open(shop)
    words = ["watch", "--until", "closed", "--timeout", "30s", "--every", "100ms", "-o", "json"]
    running = subprocess.Popen(
        [sys.executable, "-m", "payops", "--config", lab.config, "circuit", *words],
        env={**CRON, **passed_on(), **state},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    first = json.loads(running.stdout.readline())
    shop.set(STATE, "half_open")
    second = json.loads(running.stdout.readline())
    shop.delete(*KEYS)
    third = json.loads(running.stdout.readline())
    assert running.wait(20) == 0
    running.stdout.close()
    seen = [(one["from"], one["to"]) for one in (first, second, third)]
    assert seen == [(None, "open"), ("open", "half_open"), ("half_open", "closed")]
    history = told(circuit(lab, state, "status", "--history", "-o", "json"))["history"]
    assert [one["what"] for one in history] == ["half_open -> closed", "open -> half_open"]

    # The same state folder, another system: what became of this one is not its past.
    other = tmp_path / "other.yaml"
    text = Path(lab.config).read_text()
    assert 'environment: "lab"' in text
    other.write_text(text.replace('environment: "lab"', "environment: staging"))
    done = payops("--config", other, "circuit", "status", "--history", "-o", "json", env=state)
    assert told(done)["history"] == []


def test_a_watch_that_waits_in_vain(
    lab: LabInfo, shop: redis_py.Redis, state: dict[str, str]
) -> None:
    done = circuit(lab, state, "watch", "--until", "open", "--timeout", "1s")
    assert (done.code, "not every breaker was open" in done.err) == (2, True)
    assert "stripe  closed" in done.out


def test_words_that_are_none(lab: LabInfo, state: dict[str, str]) -> None:
    assert "did you mean stripe" in circuit(lab, state, "status", "strip").err
    assert circuit(lab, state, "watch", "--until", "ajar").code == 3
    assert circuit(lab, state, "trip", "stripe", "--for", "0s").code == 3
    # Rounded to none, its keys would have no life, and it would be open for ever.
    short = circuit(lab, state, "trip", "stripe", "--for", "0.4s", "--yes", "--force")
    assert (short.code, "shorter than a second" in short.err) == (3, True)


def test_keys_beside_it(lab: LabInfo, shop: redis_py.Redis, state: dict[str, str]) -> None:
    done = circuit(lab, state, "keys", "-o", "json")
    assert_calm(done)
    kinds = {row["kind"]: row for row in told(done)["keys"]}
    assert kinds["dedupe"]["count"] > 100
    assert kinds["dedupe"]["without_life"] == 0
    shop.set("stripe_event:evt_for_ever", "1")
    try:
        endless = circuit(lab, state, "keys", "-o", "json")
    finally:
        shop.delete("stripe_event:evt_for_ever")
    assert (done.code, endless.code) == (0, 1)


@pytest.mark.slow
def test_a_dead_redis_is_told_and_a_dead_database_hides_nothing(
    lab: LabInfo, shop: redis_py.Redis, state: dict[str, str]
) -> None:
    laboratory.inject(Path(lab.dir), "database-down")
    try:
        without_ledger = circuit(lab, state, "status", "-o", "json")
    finally:
        laboratory.heal(Path(lab.dir), "database-down")
    assert told(without_ledger)["breakers"][0]["state"] == "closed"
    statuses = {check["id"]: check["status"] for check in told(without_ledger)["checks"]}
    assert (without_ledger.code, statuses["circuit.ledger"]) == (2, "CRIT")
    laboratory.inject(Path(lab.dir), "redis-down")
    try:
        dead = circuit(lab, state, "status", "-o", "json")
        failed = circuit(lab, state, "reset", "--yes")
    finally:
        laboratory.heal(Path(lab.dir), "redis-down")
    assert (dead.code, told(dead)["breakers"]) == (2, [])
    assert failed.code == 2
    assert_calm(failed)
