"""`payops webhooks replay` as an operator, a script and a crash use it."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from command import CRON, Finished, assert_calm, passed_on, payops
from payops.lab import laboratory
from payops.lab.info import LabInfo
from payops.lab.servers.postgres import PostgresServer
from payops.lab.servers.redis import RedisServer
from payops.lab.stripe.simulator import Simulator
from replaying import KEY, UNLIMITED, Till, till


@pytest.fixture(scope="module")
def servers(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[PostgresServer, RedisServer, Simulator]]:
    postgres = PostgresServer(tmp_path_factory.mktemp("postgres"))
    redis = RedisServer(tmp_path_factory.mktemp("redis"))
    postgres.start()
    redis.start()
    with Simulator(tmp_path_factory.mktemp("stripe"), UNLIMITED).running() as simulator:
        yield postgres, redis, simulator
    redis.stop()
    postgres.remove()


@pytest.fixture
def shop(servers: tuple[PostgresServer, RedisServer, Simulator], tmp_path: Path) -> Iterator[Till]:
    postgres, redis, simulator = servers
    with (
        psycopg.connect(postgres.dsn, autocommit=True) as sql,
        till(postgres.dsn, sql, redis.url, simulator, tmp_path) as made,
    ):
        yield made


def run(shop: Till, *arguments: str | Path) -> Finished:
    return payops("--config", shop.config(), *arguments)


def start(shop: Till, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "payops", "--config", shop.config(), *arguments],
        env={**CRON, **passed_on()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# ── at the command line ──────────────────────────────────────────────────────────────────────────


def test_it_is_shown_in_80_columns_and_nobody_is_asked_in_a_pipe(shop: Till) -> None:
    events = shop.lost(2)
    shown = run(shop, "webhooks", "replay", "--stuck", "--show")
    assert shown.code == 0
    assert all(len(line) <= 80 for line in shown.out.splitlines() if not line.startswith("   |"))
    assert f"| DEL {KEY.format(event=events[0])}" in shown.out
    assert "undo: not by payops" in shown.out
    asked = run(shop, "webhooks", "replay", "--stuck")
    assert asked.code == 1
    assert "nobody is there to say yes" in asked.err
    assert_calm(asked)
    assert shop.endpoint.events == []


def test_saved_reviewed_and_applied(shop: Till) -> None:
    events = shop.lost(3)
    plan = shop.folder / "plan.json"
    saved = run(shop, "webhooks", "replay", "--since", "1h", "--save-plan", plan)
    assert saved.code == 0
    assert f"next: payops apply {plan}" in saved.err
    assert shop.endpoint.events == []
    dry = run(shop, "apply", plan, "--dry-run", "-o", "json")
    assert [c["result"] for c in json.loads(dry.out)["changes"]] == ["would be done"] * 3
    assert shop.endpoint.events == []
    done = run(shop, "apply", plan, "--yes", "--rate", "50/s", "-o", "json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert [each["moved"] for each in told["ledger_afterwards"]] == ["yes"] * 3
    assert told["changes"][0]["now"]["status"] == "200"
    assert shop.endpoint.events == events
    again = run(shop, "apply", plan, "--yes")
    assert again.code == 0
    assert "3 already done" in again.out
    journal = run(shop, "journal", "--kind", "reread")
    assert "3 in the ledger or not told by it, 0 not" in journal.out
    undone = run(shop, "undo", "3", "--yes")
    assert undone.code == 1
    assert "an event that was sent stays sent" in undone.err


def test_what_became_of_it_in_every_output(shop: Till) -> None:
    shop.lost(5)
    shop.endpoint.swallow = True
    done = run(shop, "webhooks", "replay", "--stuck", "--yes", "--rate", "100")
    assert done.code == 1
    assert "5 done" in done.out
    assert "the ledger afterwards: 5 not moved" in done.out
    assert "the handler swallows it" in " ".join(done.out.split())
    shop.lost(2)
    shop.endpoint.swallow = False
    ticket = run(
        shop,
        "webhooks",
        "replay",
        "--stuck",
        "--yes",
        "--rate",
        "100",
        "-o",
        "markdown",
        "--limit",
        "1",
    )
    assert "| Event" in ticket.out
    assert "Ledger afterwards:" in ticket.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "which events?"),
        (("--undelivered", "--stuck"), "exclude each other"),
        (("--event", "pi_1"), "is no event of Stripe's"),
        (("--event", "evt_1/../../charges"), "is no event of Stripe's"),
        (("--event", "evt_1", "--since", "1h"), "--since is not for it"),
        (("--since", "tomorrow"), "--since"),
        (("--stuck", "--via", "pigeon"), "'pigeon' is not known"),
        (("--stuck", "--rate", "1000000"), "at most 100/s"),
        (("--stuck", "--rate", "0"), "is not a rate"),
        (("--stuck", "--endpoint", "https://evil.example/"), "is not configured"),
        (("--stuck", "-o", "yaml"), "is not an output"),
    ],
)
def test_what_cannot_be_asked(shop: Till, arguments: tuple[str, ...], said: str) -> None:
    done = run(shop, "webhooks", "replay", *arguments)
    assert done.code == 3
    assert said in done.err
    assert_calm(done)


def test_an_event_that_was_asked_for_and_cannot_be_sent_is_1(shop: Till) -> None:
    done = run(shop, "webhooks", "replay", "--event", "evt_nobody", "--yes")
    assert done.code == 1
    assert "Stripe has no such event" in done.err
    (event,) = shop.lost(status="completed")
    assert run(shop, "webhooks", "replay", "--event", event, "--yes").code == 0, "it is there"


def test_stripe_that_does_not_answer_is_2(shop: Till) -> None:
    raw = shop.raw()
    raw["stripe"]["api_base"] = "http://127.0.0.1:1"
    done = payops(
        "--config", shop.config(stripe=raw["stripe"]), "webhooks", "replay", "--stuck", "--yes"
    )
    assert done.code == 2
    assert "stripe: " in done.err
    assert_calm(done)


# ── interrupted and killed ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_ends_between_two_events(shop: Till, number: signal.Signals) -> None:
    shop.lost(6)
    shop.endpoint.delay_s = 0.3
    plan = shop.folder / "plan.json"
    run(shop, "webhooks", "replay", "--stuck", "--save-plan", plan)
    process = start(shop, "apply", plan, "--yes", "--rate", "100/s")
    assert process.stdout is not None
    process.stdout.readline()  # the first is done
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "interrupted: " in out
    assert f"go on with: payops apply {plan}" in out
    assert shop.handled() == [0, 1]
    assert run(shop, "apply", plan, "--yes", "--rate", "100/s").code == 0
    assert shop.handled() == [1]
    assert len(shop.endpoint.events) == 6


def killed_at_random(shop: Till, kills: int, count: int, seed: int) -> None:
    events = shop.lost(count)
    shop.endpoint.delay_s = 0.01
    shop.endpoint.before = lambda event: time.sleep(0.01)  # on its way, and not marked yet
    plan = shop.folder / "plan.json"
    saved = run(shop, "webhooks", "replay", "--since", "1h", "--save-plan", plan)
    assert saved.code == 0, saved.err
    chance = random.Random(seed)
    for _ in range(kills):
        process = start(shop, "apply", plan, "--yes", "--force", "--rate", "100/s")
        assert process.stdout is not None
        if chance.random() < 0.9:  # past the start, where nothing can be harmed
            next((line for line in process.stdout if line.startswith("done")), "")
        time.sleep(chance.random() * 0.06)
        process.kill()
        process.communicate(timeout=30)
    last = run(shop, "apply", plan, "--yes", "--force", "--rate", "100/s", "-o", "json")
    assert last.code == 0, last.err
    assert {c["result"] for c in json.loads(last.out)["changes"]} <= {"done", "already done"}
    assert set(shop.endpoint.events) == set(events), "every event reached the handler"
    assert shop.handled() == [1], "none was applied twice"
    assert run(shop, "journal", "verify").code == 0
    entries = shop.journal.trusted().entries
    intents = {entry["seq"] for entry in entries if entry["kind"] == "intent"}
    ends = {e["intent"]: e for e in entries if e["kind"] == "outcome" and e["intent"]}
    assert set(ends) == intents, "the journal says what became of each"
    done = [e["change"] for e in ends.values() if e["result"] == "done"]
    assert len(done) == len(set(done)) == count
    if kills >= 50:
        whys = [e["why"] for e in ends.values()]
        assert any("found done after an interruption" in why for why in whys), "they hit"
        assert any("nothing shows that it reached the handler" in why for why in whys)


def test_killed_at_random_moments_every_event_is_handled_once(shop: Till) -> None:
    killed_at_random(shop, kills=6, count=40, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif("PAYOPS_KILLS" not in os.environ, reason="PAYOPS_KILLS=100 takes minutes")
def test_killed_a_hundred_times(shop: Till) -> None:
    kills = int(os.environ["PAYOPS_KILLS"])
    killed_at_random(shop, kills=kills, count=8 * kills, seed=2)


# ── on the lab ───────────────────────────────────────────────────────────────────────────────────


def replay(lab: LabInfo, state: Path, *arguments: str) -> Finished:
    """With a journal of its own."""
    words = ("webhooks", "replay", *arguments, "--yes", "--rate", "100/s")
    return payops("--config", lab.config, *words, env={"XDG_STATE_HOME": str(state)})


def test_a_disabled_endpoints_events_are_brought_back(lab: LabInfo, tmp_path: Path) -> None:
    directory = Path(lab.dir)
    laboratory.inject(directory, "webhook-endpoint-disabled")
    try:
        done = replay(lab, tmp_path, "--since", "3h", "-o", "json")
        assert done.code == 0, done.err
        told = json.loads(done.out)
        assert len(told["changes"]) > 5
        assert {each["moved"] for each in told["ledger_afterwards"]} == {"yes"}
        done = replay(lab, tmp_path, "--since", "3h")
        assert ("nothing to do" in done.out, "ledger lacks" in done.err) == (True, True)
    finally:
        laboratory.heal(directory)
    assert payops("--config", lab.config, "health").code == 0


def test_a_failed_handlers_events_are_found(lab: LabInfo, tmp_path: Path) -> None:
    directory = Path(lab.dir)
    laboratory.inject(directory, "webhook-events-failed")
    try:
        done = replay(lab, tmp_path, "--stuck", "--dry-run", "-o", "json")
        assert done.code == 0, done.err
        assert len(json.loads(done.out)["changes"]) > 5
    finally:
        laboratory.heal(directory)


def test_an_endpoint_that_fails_ends_it(lab: LabInfo, tmp_path: Path) -> None:
    directory = Path(lab.dir)
    laboratory.inject(directory, "webhook-endpoint-fails")
    try:
        done = replay(lab, tmp_path, "--undelivered")
    finally:
        laboratory.heal(directory)
    assert done.code == 2
    assert "stopped: the first 3 were not accepted, the last with: 500" in done.out
