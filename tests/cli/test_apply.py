"""`payops apply`, `undo`, `journal` and `remedy` as an operator, a script and a crash use them."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from changes import Shop
from command import CRON, Finished, assert_calm, passed_on, payops
from payops.domain.money import Money
from payops.domain.plan import Caps, Plan, signed
from payops.engine.planning import save_plan
from payops.lab.servers.postgres import PostgresServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    server = PostgresServer(tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.remove()


@pytest.fixture
def shop(server: PostgresServer, tmp_path: Path) -> Iterator[Shop]:
    server.start()  # a test may have ended it
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        connection.execute("SET TimeZone = 'UTC'")
        yield Shop(server.dsn, connection, tmp_path)


def saved(shop: Shop, count: int = 3, **more: Any) -> Path:
    path = shop.folder / "plan.json"
    save_plan(shop.plan(*shop.succeed(shop.payments(count)), **more), path)
    return path


def run(shop: Shop, *arguments: str | Path, config: Path | None = None) -> Finished:
    return payops("--config", config or shop.config(), *arguments)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def resigned(path: Path, **changes: Any) -> None:
    """Another plan, rightly made."""
    from payops.engine.planning import load_plan

    save_plan(signed(replace(load_plan(path), **changes)), path)


def doubled(shop: Shop) -> list[int]:
    row = shop.sql.execute("SELECT array_agg(DISTINCT done ORDER BY done) FROM payments").fetchone()
    assert row is not None
    return list(row[0])


# ── the table of exit statuses ───────────────────────────────────────────────────────────────────


def test_done_is_0_and_twice_is_0(shop: Shop) -> None:
    plan = saved(shop)
    done = run(shop, "apply", plan, "--yes")
    assert done.code == 0, done.err
    assert done.out.count("done ") == 3
    assert "3 done" in done.out
    again = run(shop, "apply", plan, "--yes", "-o", "json")
    assert again.code == 0
    told = json.loads(again.out)
    assert told["status"] == "done"
    assert {change["result"] for change in told["changes"]} == {"already done"}
    assert doubled(shop) == [1]
    assert (shop.folder / "state" / "journal.jsonl").stat().st_mode & 0o777 == 0o600
    assert run(shop, "journal", "verify").code == 0


def test_some_refused_is_1_and_says_what_is_there(shop: Shop) -> None:
    plan = saved(shop)
    shop.sql.execute("UPDATE payments SET status = 'failed' WHERE id::text LIKE '%2'")
    done = run(shop, "apply", plan, "--yes")
    assert done.code == 1
    assert "status is 'failed', was 'pending'" in done.out
    assert "2 done, 1 refused" in done.out


def test_failed_is_2(shop: Shop) -> None:
    plan = saved(shop)
    with psycopg.connect(shop.dsn) as other:
        other.execute("SELECT FROM payments WHERE id::text LIKE '%2' FOR UPDATE")
        done = run(shop, "apply", plan, "--yes", "-o", "json")
    assert done.code == 2
    assert json.loads(done.out)["counts"]["failed"] == 1


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ('"succeeded"', '"failed"', 1, "was edited"),
        ('"expires_s": 3600', '"expires_s": 36000', 1, "was edited"),
        ('  "digest"', '  "digets"', 3, "is not known"),
        ('"version": 1', '"version": 2', 3, "version 2"),
        ("{", "[", 3, "is not JSON"),
        ('"changes": [', '"changes": [[]],"x": [', 3, "is not a mapping"),
    ],
)
def test_an_edited_plan_changes_nothing(
    shop: Shop, old: str, new: str, code: int, said: str
) -> None:
    plan = saved(shop)
    edit(plan, old, new)
    for arguments in (["--yes", "--force"], ["--show"]):
        done = run(shop, "apply", plan, *arguments)
        assert (done.code, done.out) == (code, "")
        assert said in done.err
        assert_calm(done)
    assert doubled(shop) == [0]


def test_a_plan_without_digest_is_refused(shop: Shop) -> None:
    plan = saved(shop)
    raw = json.loads(plan.read_text())
    for digest in (None, ""):
        raw.pop("digest", None)
        if digest is not None:
            raw["digest"] = digest
        plan.write_text(json.dumps(raw))
        done = run(shop, "apply", plan, "--yes", "--force")
        assert done.code == 1
        assert "has no digest" in done.err
    assert doubled(shop) == [0]


def test_what_makes_a_plan_not_fit_is_1(shop: Shop) -> None:
    from payops.engine.planning import load_plan

    plan = saved(shop)
    whole = load_plan(plan)

    def refused(said: str, *flags: str, **changes: Any) -> None:
        save_plan(signed(replace(whole, **changes)), plan)
        done = run(shop, "apply", plan, "--yes", *flags)
        assert (done.code, done.out) == (1, ""), done.err
        assert said in done.err
        assert_calm(done)
        assert doubled(shop) == [0]

    target = whole.target
    old = whole.created_at - timedelta(hours=2)
    refused("old, and may be applied for", "--force", created_at=old)
    refused("old, and may", "--force", created_at=old, expires_s=100_000)
    refused("old, and may", expires_s=1, created_at=whole.created_at - timedelta(seconds=3))
    refused("ahead of this machine's clock", created_at=whole.created_at + timedelta(hours=1))
    refused("environment 'staging'", "--force", target=replace(target, environment="staging"))
    refused("another database", "--force", target=replace(target, fingerprint="postgres:1/2"))
    refused("another database", "--force", target=replace(target, database="other"))
    refused("only postgres", target=replace(target, system="elsewhere"))
    refused("stripe is not configured", "--force", target=replace(target, account="acct_1"))
    refused("3 changes, the plan's own caps allow 2", caps=Caps(2))
    money = tuple(replace(change, money=Money("usd", 1000)) for change in whole.changes)
    refused("30.00 USD, the plan's own caps", changes=money, caps=Caps(9, {"usd": 2999}))


def test_force_lifts_the_caps(shop: Shop) -> None:
    plan = saved(shop, caps=Caps(1))
    config = shop.config(apply={"max_changes": 2})
    assert run(shop, "apply", plan, "--yes", config=config).code == 1
    resigned(plan, caps=Caps(9))
    assert "in the configuration allow 2" in run(shop, "apply", plan, "--yes", config=config).err
    assert run(shop, "apply", plan, "--yes", "--force", config=config).code == 0


@pytest.mark.parametrize("flags", [[], ["--force"], ["-o", "json"], ["--limit", "1"]])
def test_nobody_there_to_say_yes_is_1(shop: Shop, flags: list[str]) -> None:
    done = run(shop, "apply", saved(shop), *flags)
    assert (done.code, done.out) == (1, "")
    assert "--yes" in done.err
    assert doubled(shop) == [0]


def test_usage_and_configuration_are_3(shop: Shop) -> None:
    plan = saved(shop)
    raw = shop.raw()
    del raw["postgres"]["write_dsn"]
    no_writer = shop.config(postgres=raw["postgres"])
    done = run(shop, "apply", plan, "--yes", config=no_writer)
    assert done.code == 3
    assert "add postgres.write_dsn" in done.err
    for arguments in (
        ["apply"],
        ["apply", "missing.json"],
        ["apply", plan, "--yes", "--only", "nothing*"],
        ["apply", plan, "--limit", "0"],
        ["apply", plan, "-o", "nagios"],
        ["undo"],
        ["undo", "1"],
        ["undo", "--plan", "abc"],
        ["undo", "--plan", "abcdef0"],
        ["journal", "show", "7"],
        ["journal", "--since", "never"],
        ["remedy", "plan", "nothing"],
        ["remedy", "show", "nothing"],
    ):
        done = run(shop, *arguments)
        assert (done.code, done.out) == (3, ""), arguments
        assert_calm(done)
    assert doubled(shop) == [0]


def test_a_database_that_is_down_is_2(shop: Shop, server: PostgresServer) -> None:
    plan = saved(shop)
    server.stop()
    done = run(shop, "apply", plan, "--yes")
    assert (done.code, done.out) == (2, "")
    assert "connection refused" in done.err
    assert_calm(done)


def test_a_journal_on_a_full_disk_is_2_and_changes_nothing(shop: Shop) -> None:
    plan = saved(shop)
    config = shop.config(paths={"state": "/proc/self/nothing"})
    done = run(shop, "apply", plan, "--yes", config=config)
    assert done.code == 2
    assert "the journal" in done.err
    assert doubled(shop) == [0]


def test_a_disk_that_fills_up_meanwhile_ends_it_and_it_goes_on_later(shop: Shop) -> None:
    plan = saved(shop, 10)
    config = shop.config()
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))\n"
        "from payops.cli.main import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "--config", config, "apply", plan, "--yes"],
        env={**CRON, **passed_on(), "PYTHONPATH": str(Path(__file__).parents[2] / "src")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert run(shop, "journal", "verify").code == 0
    assert doubled(shop) == [0, 1]
    assert run(shop, "apply", plan, "--yes").code == 0
    assert doubled(shop) == [1]


def test_production_has_to_be_named(shop: Shop) -> None:
    plan = saved(shop)
    from payops.engine.planning import load_plan

    target = replace(load_plan(plan).target, environment="production")
    resigned(plan, target=target)
    config = shop.config(environment="production")
    assert run(shop, "apply", plan, config=config).code == 1
    done = run(shop, "apply", plan, "--yes", config=config)
    assert done.code == 1
    assert "--yes --environment production" in done.err
    assert run(shop, "apply", plan, "--yes", "--environment", "staging", config=config).code == 3
    assert doubled(shop) == [0]
    done = run(shop, "apply", plan, "--yes", "--environment", "production", config=config)
    assert done.code == 0
    assert doubled(shop) == [1]


@pytest.mark.parametrize(
    ("environment", "typed", "code"),
    [
        ("test", "y", 0),
        ("test", "YES", 0),
        ("test", "", 1),
        ("test", "n", 1),
        ("test", "test", 1),
        ("production", "y", 1),
        ("production", "Production", 1),
        ("production", "production", 0),
    ],
)
def test_on_a_terminal_it_asks(shop: Shop, environment: str, typed: str, code: int) -> None:
    plan = saved(shop)
    from payops.engine.planning import load_plan

    resigned(plan, target=replace(load_plan(plan).target, environment=environment))
    config = shop.config(environment=environment)
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "payops", "--config", config, "apply", plan],
        env={**CRON, **passed_on()},
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(slave)
    os.write(master, f"{typed}\n".encode())
    _, err = process.communicate(timeout=60)
    os.close(master)
    assert process.returncode == code, err
    assert "3 changes" in err
    assert doubled(shop) == ([1] if code == 0 else [0])


# ── what is shown ────────────────────────────────────────────────────────────────────────────────


def test_show_is_for_people_and_for_the_ticket_and_for_programs(shop: Shop) -> None:
    plan = saved(shop)
    text = run(shop, "apply", plan, "--show")
    assert text.code == 0
    assert all(len(line) <= 80 for line in text.out.splitlines() if not line.startswith("   |"))
    assert "'pending' -> 'succeeded'" in text.out
    assert "UPDATE" in text.out
    ticket = run(shop, "apply", plan, "--show", "-o", "markdown").out
    assert ticket.startswith("# payops plan ")
    assert "```sql\nUPDATE" in ticket
    data = json.loads(run(shop, "apply", plan, "--show", "-o", "json").out)
    assert len(data["plan"]["changes"]) == 3
    # without any configuration too
    assert payops("apply", plan, "--show", cwd=shop.folder.parent).code == 0
    assert doubled(shop) == [0]


def test_hostile_text_in_a_plan_is_shown_and_not_obeyed(shop: Shop) -> None:
    evil = "\x1b[2J\u202e[red]|`x`</b>\r\n# heading"
    ids = shop.payments(1)
    change = shop.change(
        {"id": ids[0]},
        {"status": "pending"},
        {"status": evil},
        id=evil,
        evidence=(evil,),
        risk=evil,
    )
    plan = shop.folder / "plan.json"
    save_plan(shop.plan(replace(change, why=evil), command=evil), plan)
    for flags in (["--show"], ["--show", "-o", "markdown"], ["--yes"], ["--yes", "-o", "markdown"]):
        done = run(shop, "apply", plan, *flags)
        assert done.code == 0
        assert "\x1b" not in done.out + done.err
        assert "\u202e" not in done.out + done.err
        assert "\n# heading" not in done.out
    assert shop.value("SELECT status FROM payments") == evil
    assert "\x1b" not in run(shop, "journal").out + run(shop, "journal", "show", "2").out
    assert run(shop, "undo", "3", "--yes").code == 0
    assert shop.value("SELECT status FROM payments") == "pending"


def test_the_journal_lists_filters_shows_and_verifies(shop: Shop) -> None:
    plan = saved(shop)
    run(shop, "apply", plan, "--yes")
    digest = json.loads(plan.read_text())["digest"]
    listed = json.loads(run(shop, "journal", "-o", "json").out)["entries"]
    assert [entry["kind"] for entry in listed] == ["apply", *["intent", "outcome"] * 3, "end"]
    only = run(shop, "journal", "--kind", "outcome", "--plan", digest[:8], "--since", "1h").out
    assert only.count(" done") == 3
    assert run(shop, "journal", "--since", "2000-01-01", "-o", "markdown").out.startswith("| ")
    shown = json.loads(run(shop, "journal", "show", "3", "-o", "json").out)["entries"]
    assert [entry["kind"] for entry in shown] == ["intent", "outcome"]
    path = shop.folder / "state" / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"pending"', b'"PENDING"', 1))
    done = run(shop, "journal", "verify")
    assert done.code == 2
    assert "journal.jsonl, line 2: entry 2 was edited" in done.out
    assert json.loads(run(shop, "journal", "verify", "-o", "json").out)["broken"]["line"] == 2
    assert run(shop, "apply", plan, "--yes").code == 1
    assert run(shop, "undo", "3", "--yes").code == 1
    listed = run(shop, "journal")
    assert listed.code == 2
    assert "entry 2 was edited" in listed.err
    assert "3 changes by" in listed.out, "what is whole is shown"


# ── interrupted, killed, two at once ─────────────────────────────────────────────────────────────


def start(shop: Shop, *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "payops", "--config", shop.config(), *arguments],
        env={**CRON, **passed_on()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def slowed(shop: Shop, seconds: float) -> None:
    """Each change takes so long."""
    shop.sql.execute(
        "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS"  # type: ignore[arg-type]
        f" $$BEGIN PERFORM pg_sleep({seconds}); RETURN NEW; END$$;"
        "CREATE TRIGGER slow AFTER UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION slowly()"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_it_ends_between_two_changes(shop: Shop, number: signal.Signals) -> None:
    plan = saved(shop, 6)
    slowed(shop, 0.4)
    process = start(shop, "apply", plan, "--yes")
    assert process.stdout is not None
    process.stdout.readline()  # the first is done
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "finished first" in err
    assert re.search(r"interrupted: ([12] done, [45] not tried)", out), out
    assert f"go on with: payops apply {plan}" in out
    assert doubled(shop) == [0, 1]
    assert run(shop, "apply", plan, "--yes").code == 0
    assert doubled(shop) == [1]


def killed_at_random(shop: Shop, kills: int, changes: int, seed: int) -> None:
    plan = saved(shop, changes)
    slowed(shop, 0.02)
    chance = random.Random(seed)
    for _ in range(kills):
        process = start(shop, "apply", plan, "--yes", "--force")
        assert process.stdout is not None
        if chance.random() < 0.8:  # past the start, where nothing can be harmed
            next((line for line in process.stdout if line.startswith("done")), "")
        time.sleep(chance.random() * 0.12)
        process.kill()
        process.communicate(timeout=30)
        verified = run(shop, "journal", "verify") if chance.random() < 0.2 else None
        assert verified is None or verified.code == 0
    last = run(shop, "apply", plan, "--yes", "--force", "-o", "json")
    assert last.code == 0, last.err
    assert {c["result"] for c in json.loads(last.out)["changes"]} <= {"done", "already done"}
    assert doubled(shop) == [1], "nothing lost, nothing doubled"
    assert run(shop, "journal", "verify").code == 0
    entries = shop.journal.trusted().entries
    intents = {entry["seq"] for entry in entries if entry["kind"] == "intent"}
    ends = {e["intent"]: e for e in entries if e["kind"] == "outcome" and e["intent"]}
    assert set(ends) == intents, "the journal says what became of each"
    done = [e["change"] for e in ends.values() if e["result"] == "done"]
    assert len(done) == len(set(done)) == changes


def test_killed_at_random_moments_every_change_is_done_once(shop: Shop) -> None:
    killed_at_random(shop, kills=12, changes=60, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif("PAYOPS_KILLS" not in os.environ, reason="PAYOPS_KILLS=200 takes minutes")
def test_killed_two_hundred_times(shop: Shop) -> None:
    killed_at_random(shop, kills=int(os.environ["PAYOPS_KILLS"]), changes=800, seed=2)


def test_the_second_operator_is_told_and_waits(shop: Shop) -> None:
    plan = saved(shop, 12)
    slowed(shop, 0.5)
    first = start(shop, "apply", plan, "--yes")
    assert first.stdout is not None
    first.stdout.readline()
    second = run(shop, "apply", plan, "--yes")
    _, err = first.communicate(timeout=30)
    assert first.returncode == 0, err
    assert second.code == 1
    assert "another payops apply is at work on this database: payops apply " in second.err
    assert ", since 2" in second.err
    assert_calm(second)
    assert doubled(shop) == [1]


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_postgres_restarted_in_the_middle(shop: Shop, server: PostgresServer, how: str) -> None:
    plan = saved(shop, 8)
    slowed(shop, 0.2)
    process = start(shop, "apply", plan, "--yes")
    assert process.stdout is not None
    process.stdout.readline()
    getattr(server, how)()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2, out + err
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1, err
    server.start()
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        again = Shop(shop.dsn, connection, shop.folder)
        assert run(again, "apply", plan, "--yes").code == 0
        assert doubled(again) == [1]
    assert run(shop, "journal", "verify").code == 0


# ── undo and remedies ────────────────────────────────────────────────────────────────────────────


def test_undo_puts_back_the_rows_as_they_were(shop: Shop) -> None:
    ids = shop.payments(3)
    shop.sql.execute(
        "CREATE TABLE refunds (id serial, ref text UNIQUE, at timestamptz DEFAULT now())"
    )
    changes = [
        shop.change(
            {"id": id_},
            {"status": "pending", "updated_at": "2026-02-11 09:30:00+00"},
            {"status": "succeeded", "updated_at": "2026-02-12 00:00:00+00"},
        )
        for id_ in ids
    ]
    changes.append(shop.change({"ref": "re_1"}, {}, {"ref": "re_1"}, table="refunds"))
    plan = shop.folder / "plan.json"
    save_plan(shop.plan(*changes), plan)
    before = shop.rows(), shop.rows("refunds")
    assert run(shop, "apply", plan, "--yes").code == 0
    after = shop.rows(), shop.rows("refunds")
    assert after != before
    digest = json.loads(plan.read_text())["digest"]
    assert "'succeeded' -> 'pending'" in run(shop, "undo", "--plan", digest[:10], "--show").out
    assert run(shop, "undo", "--plan", digest[:10]).code == 1, "nobody said yes"
    assert run(shop, "undo", "--plan", digest[:10], "--dry-run").code == 0
    assert (shop.rows(), shop.rows("refunds")) == after
    done = run(shop, "undo", "--plan", digest[:10], "--yes")
    assert done.code == 0, done.out + done.err
    assert (shop.rows(), shop.rows("refunds")) == before
    assert run(shop, "undo", "--plan", digest[:10], "--yes").code == 1, "nothing is left"
    refused = run(shop, "apply", plan, "--yes")
    assert refused.code == 1
    assert "put back by entry" in refused.out
    assert (shop.rows(), shop.rows("refunds")) == before


def test_undo_is_refused_where_somebody_went_on(shop: Shop) -> None:
    plan = saved(shop, 2)
    run(shop, "apply", plan, "--yes")
    shop.sql.execute("UPDATE payments SET status = 'refunded' WHERE id::text LIKE '%1'")
    outcome = json.loads(run(shop, "journal", "--kind", "outcome", "-o", "json").out)["entries"]
    done = run(shop, "undo", str(outcome[0]["seq"]), "--yes")
    assert done.code == 1
    assert "status is 'refunded', was 'succeeded'" in done.out
    assert run(shop, "undo", str(outcome[1]["intent"]), "--yes").code == 0
    assert run(shop, "undo", str(outcome[1]["seq"]), "--yes").code == 1


def test_an_inserted_row_that_was_changed_since_stays(shop: Shop) -> None:
    shop.sql.execute("CREATE TABLE refunds (ref text UNIQUE, note text)")
    plan = shop.folder / "plan.json"
    save_plan(shop.plan(shop.change({"ref": "re_1"}, {}, {"ref": "re_1"}, table="refunds")), plan)
    assert run(shop, "apply", plan, "--yes").code == 0
    shop.sql.execute("UPDATE refunds SET note = 'seen by Ann'")
    done = run(shop, "undo", "3", "--yes")
    assert done.code == 1
    assert "a column that payops did not set" in done.out
    assert shop.value("SELECT count(*) FROM refunds") == 1


REMEDY = {
    "title": "Old pending payments fail",
    "why": "nobody will pay them",
    "risk": "a webhook that is very late",
    "table": "payments",
    "key": ["id"],
    "params": {"status": "pending"},
    "max_changes": 2,
    "source": "runbook 002",
    "select": "SELECT id, status, 'failed' AS new_status, amount, updated_at AS seen_at\n"
    "FROM payments WHERE status = %(status)s AND status LIKE 'p%%' ORDER BY id -- all;",
}


def test_a_remedy_is_planned_and_applied(shop: Shop) -> None:
    shop.payments(2)
    config = shop.config(remedies={"give-up": REMEDY})
    assert "give-up" in run(shop, "remedy", "list", config=config).out
    assert "nobody will pay them" in run(shop, "remedy", "show", "give-up", config=config).out
    plan = shop.folder / "plan.json"
    done = run(shop, "remedy", "plan", "give-up", "--save-plan", plan, config=config)
    assert done.code == 0, done.err
    assert "'pending' -> 'failed'" in done.out
    assert "only if: amount '10.00'" in done.out
    assert "seen: seen_at=2026-02-11 09:30:00+00" in done.out
    assert plan.stat().st_mode & 0o777 == 0o600
    assert run(shop, "apply", plan, "--yes", config=config).code == 0
    assert shop.value("SELECT count(*) FROM payments WHERE status = 'failed'") == 2
    nothing = run(shop, "remedy", "plan", "give-up", "--save-plan", plan, config=config)
    assert "nothing to do" in nothing.out
    assert run(shop, "apply", plan, config=config).code == 0, "nothing to do needs no yes"
    other = run(shop, "remedy", "plan", "give-up", "--set", "status=failed", config=config)
    assert "nothing to do" in other.out
    assert run(shop, "remedy", "plan", "give-up", "--set", "stauts=x", config=config).code == 3


def test_a_remedy_beyond_its_cap_is_refused_without_force(shop: Shop) -> None:
    shop.payments(3)
    config = shop.config(remedies={"give-up": REMEDY})
    plan = shop.folder / "plan.json"
    done = run(shop, "remedy", "plan", "give-up", "--save-plan", plan, config=config)
    assert "apply will refuse it" in done.err
    assert run(shop, "apply", plan, "--yes", config=config).code == 1
    assert run(shop, "apply", plan, "--yes", "--force", config=config).code == 0


@pytest.mark.parametrize(
    "select",
    [
        "SELECT 1) AS x; DELETE FROM payments; SELECT (1",
        "DELETE FROM payments RETURNING id, status, 'x' AS new_status",
        "WITH gone AS (DELETE FROM payments RETURNING *) SELECT * FROM gone",
        "SELECT id, status FROM payments",
        "SELECT status, 'x' AS new_status FROM payments",
        "SELECT id, id AS status, status, 'x' AS new_status FROM payments",
        "SELECT id, 1 AS other, 2 AS new_other FROM payments",
        "SELECT id, status, 'x' AS new_status FROM payments WHERE status LIKE 'p%'",
        "SELECT nextval('payments'), id FROM payments",
        "",
    ],
)
def test_a_select_that_is_not_one_is_told_and_harms_nothing(shop: Shop, select: str) -> None:
    shop.payments(2)
    config = shop.config(remedies={"odd": {**REMEDY, "params": {}, "select": select}})
    before = shop.rows()
    done = run(shop, "remedy", "plan", "odd", config=config)
    assert done.code == 3, done.out
    assert "remedies.odd.select" in done.err
    assert_calm(done)
    assert shop.rows() == before


def test_a_remedy_of_missing_rows(shop: Shop) -> None:
    """BookedBarber: a barber without a configuration gets the default one."""
    shop.sql.execute(
        "CREATE TABLE barbers (id int PRIMARY KEY); INSERT INTO barbers VALUES (1), (2), (3);"
        "CREATE TABLE configs (id serial PRIMARY KEY, barber int, mode text, since date);"
        "INSERT INTO configs (barber, mode) VALUES (2, 'hybrid')"
    )
    remedy = {
        "title": "Default configurations",
        "why": "none is there",
        "table": "configs",
        "key": ["barber"],
        "select": "SELECT id AS barber, 'centralized' AS new_mode, NULL AS new_since FROM barbers",
    }
    config = shop.config(remedies={"defaults": remedy})
    plan = shop.folder / "plan.json"
    done = run(shop, "remedy", "plan", "defaults", "--save-plan", plan, config=config)
    assert done.code == 0, done.err
    assert "left out defaults:2: such a row is there already" in done.err
    assert run(shop, "apply", plan, "--yes", config=config).code == 0
    query = "SELECT string_agg(barber || mode, ',' ORDER BY barber) FROM configs"
    assert shop.value(query) == "1centralized,2hybrid,3centralized"
    digest = json.loads(plan.read_text())["digest"]
    assert run(shop, "undo", "--plan", digest, "--yes", config=config).code == 0
    assert shop.value(query) == "2hybrid"


def test_plans_are_made_where_only_reading_is_allowed(shop: Shop) -> None:
    """Planning never uses write_dsn, applying never dsn."""
    shop.payments(1)
    postgres = {"dsn": shop.dsn, "write_dsn": "postgresql://nobody:x@127.0.0.1:1/none"}
    config = shop.config(remedies={"give-up": REMEDY}, postgres=postgres)
    plan = shop.folder / "plan.json"
    assert run(shop, "remedy", "plan", "give-up", "--save-plan", plan, config=config).code == 0
    other = shop.config(postgres={"dsn": postgres["write_dsn"], "write_dsn": shop.dsn})
    assert run(shop, "apply", plan, "--yes", config=other).code == 0


def test_a_plan(shop: Shop) -> None:
    """mypy: what `saved` reads back is a Plan."""
    from payops.engine.planning import load_plan

    assert isinstance(load_plan(saved(shop)), Plan)


def test_the_plan_that_was_reviewed_and_no_other(shop: Shop) -> None:
    plan = saved(shop)
    reviewed = json.loads(plan.read_text())["digest"]
    resigned(plan, expires_s=1800)
    for words in (["--yes"], ["--show"]):
        done = run(shop, "apply", plan, "--digest", reviewed, *words)
        assert (done.code, done.out) == (1, "")
        assert "is another plan than the one of --digest: nothing was changed" in done.err
    assert doubled(shop) == [0]
    now = json.loads(plan.read_text())["digest"]
    assert run(shop, "apply", plan, "--digest", now, "--yes").code == 0
