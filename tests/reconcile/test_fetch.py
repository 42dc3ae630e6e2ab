"""Stripe's side is fetched whole, whatever its density, the faults and the moment it is killed."""

from __future__ import annotations

import csv
import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from payops.config.ledger import Ledger, LedgerColumns, References
from payops.config.section import Duration
from payops.config.settings import PathSettings, Settings
from payops.config.sources import StripeSettings
from payops.domain.deadline import Deadline
from payops.domain.secret import Secret
from payops.domain.window import Window
from payops.errors import Failure, NotConfiguredError, PayopsError, SourceError, UsageError
from payops.lab.stripe import Config, Simulator, default_key, objects
from payops.lab.stripe.limits import Limits
from payops.lab.stripe.store import encode
from payops.reconcile import fetch_lists as lists_module
from payops.reconcile import fetch_parts
from payops.reconcile.fetch import Fetched, FetchOptions, fetch
from payops.reconcile.fetch_lists import fetch_lists
from payops.reconcile.late import TooLateError
from payops.reconcile.progress import Meter, Progress
from payops.reconcile.spool import Spool
from payops.sources import Sources, stripe_pages
from payops.sources.stripe_pages import StripePages
from payops.sources.stripe_pages_pace import FetchPace
from payops.sources.stripe_rows import Shape

# Long ago, so that all of it is settled.
SINCE = 1_750_000_000
LENGTH = 1000
QUICK = FetchPace(1e6, 1e6)


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[Simulator]:
    config = Config(rate_limits=Limits(enabled=False))
    with Simulator(tmp_path / "stripe", config).running() as running:
        yield running


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_pages, "_FIRST_BACKOFF", 0.01)
    monkeypatch.setattr(stripe_pages, "_LONGEST_BACKOFF", 0.05)


def control(sim: Simulator, method: str, path: str, given: Any = None) -> Any:
    body = json.dumps(given).encode() if given is not None else None
    request = urllib.request.Request(sim.control_url + path, body, method=method)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def settings_of(sim: Simulator | None, state: Path, **more: Any) -> Settings:
    stripe = None
    if sim is not None:
        stripe = StripeSettings(
            secret_key=Secret(default_key()), api_base=sim.url, timeout=Duration(1)
        )
    return Settings(stripe=stripe, paths=PathSettings(state=str(state)), **more)


def put(sim: Simulator, seconds: list[int]) -> list[str]:
    """Intents created in these seconds after SINCE; their ids."""
    made = [
        objects.payment_intent(
            id=f"pi_{number:08d}",
            amount=1,
            currency="usd",
            status="succeeded",
            created=SINCE + second,
            livemode=False,
        )
        for number, second in enumerate(seconds)
    ]
    sim.store.put_encoded([encode(one) for one in made])
    return [one["id"] for one in made]


def window(length: int = LENGTH) -> Window:
    return Window(datetime.fromtimestamp(SINCE, UTC), datetime.fromtimestamp(SINCE + length, UTC))


def run(
    sim: Simulator,
    state: Path,
    *,
    connections: int = 4,
    scope: str = "test",
    report: Callable[[Progress], None] | None = None,
    finish: bool = False,
    **options: Any,
) -> tuple[Spool, int]:
    """Fetch Stripe's side; the spool, and how many requests it took."""
    made = FetchOptions(**{"window": window(), "slack": timedelta(0)} | options)
    chosen = settings_of(sim, state)
    assert chosen.stripe is not None
    pages = StripePages(chosen.stripe, pace=QUICK, deadline=made.deadline)
    spool = Spool.open(chosen, made.window, scope, fresh=made.fresh, reuse=made.reuse)
    try:
        fetch_lists(
            pages, spool, Meter(report), made, Shape(), sessions=False, connections=connections
        )
        if finish:
            spool.finish()
    finally:
        spool.close()
        pages.close()
    return spool, pages.calls


def ids(spool: Spool, kind: str = "intents") -> list[str]:
    found: list[str] = []
    for path in spool.files(kind):
        with path.open(newline="") as file:
            found += [row["id"] for row in csv.DictReader(file)]
    return found


DENSITIES = st.one_of(
    st.lists(st.integers(-2, LENGTH + 1), max_size=60),
    # Thousands in few seconds, edges among them.
    st.lists(
        st.tuples(st.sampled_from([-1, 0, 1, 500, 998, 999, 1000]), st.integers(1, 450)),
        min_size=1,
        max_size=4,
    ).map(lambda pairs: [second for second, count in pairs for _ in range(count)]),
    st.integers(100, 1500).map(lambda count: [number * LENGTH // count for number in range(count)]),
)
FAULT = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(
            ["429", "status", "reset", "cut_body", "wrong_json", "slow_body", "latency"]
        ),
        "rate": st.sampled_from([0.05, 0.2]),
        "after": st.integers(0, 5),
        "times": st.integers(1, 6),
        "ms": st.just(15),
        "status": st.sampled_from([500, 502, 503, 429, 409]),
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seconds=DENSITIES,
    page=st.sampled_from([3, 10, 100]),
    seal=st.sampled_from([1, 7, 2500]),
    connections=st.integers(1, 6),
    faults=st.lists(FAULT, max_size=2),
)
def test_every_object_exactly_once(
    sim: Simulator,
    tmp_path: Path,
    seconds: list[int],
    page: int,
    seal: int,
    connections: int,
    faults: list[dict[str, Any]],
) -> None:
    if page < 100:
        seconds = seconds[:200]
    snapshots = sim.directory / "snapshots"
    control(sim, "POST", "/restore" if snapshots.exists() else "/snapshot", {"name": "empty"})
    made = put(sim, seconds)
    inside = [id_ for id_, second in zip(made, seconds, strict=True) if 0 <= second < LENGTH]
    control(sim, "PUT", "/faults", faults)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripe_pages, "PAGE", page)
        patch.setattr("payops.reconcile.fetch_stripe.PAGE", page)
        patch.setattr(fetch_parts, "SEAL_AFTER", seal)
        spool, calls = run(sim, tmp_path / "state", connections=connections, fresh=True)
    assert sorted(ids(spool)) == sorted(inside)
    assert spool.count("intents") == len(inside)
    assert spool.complete("intents")
    assert spool.complete("refunds")
    assert calls <= 4 * len(inside) / page + 60


def test_a_small_window_takes_one_request_a_list(sim: Simulator, tmp_path: Path) -> None:
    put(sim, [1, 500, 999])
    spool, calls = run(sim, tmp_path)
    assert len(ids(spool)) == 3
    assert calls == 3  # intents, refunds, disputes


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "status", "status": 503}, Failure.SERVER_ERROR),
        ({"kind": "429"}, Failure.RATE_LIMITED),
        ({"kind": "reset"}, Failure.CLOSED),
        ({"kind": "cut_body"}, Failure.BAD_ANSWER),
        ({"kind": "wrong_json"}, Failure.BAD_ANSWER),
        ({"kind": "hang"}, Failure.TIMED_OUT),
        ({"kind": "refuse"}, Failure.REFUSED),
    ],
)
def test_given_up_with_one_clear_error(
    sim: Simulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: dict[str, Any],
    kind: Failure,
) -> None:
    monkeypatch.setattr(stripe_pages, "_SHORTEST_TIMEOUT", 0.1)
    monkeypatch.setattr(stripe_pages, "_MOST_ATTEMPTS", 2)
    put(sim, list(range(0, LENGTH, 2)) * 4)
    control(sim, "PUT", "/faults", {"after": 4, **fault} if fault["kind"] != "refuse" else fault)
    with pytest.raises(SourceError) as raised:
        run(sim, tmp_path)
    assert raised.value.kind is kind
    assert "times in a row, given up" in raised.value.message
    assert default_key() not in str(raised.value)
    # What was fetched is gone on with.
    control(sim, "PUT", "/faults", [])
    spool, _ = run(sim, tmp_path)
    assert len(ids(spool)) == len(set(ids(spool))) == 2000


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_no_second_try_of_what_is_refused(sim: Simulator, tmp_path: Path, status: int) -> None:
    control(sim, "PUT", "/faults", {"kind": "status", "status": status})
    with pytest.raises(SourceError) as raised:
        run(sim, tmp_path, connections=1)
    assert raised.value.http_status == status
    assert control(sim, "GET", "/requests")["total"] == 1


def test_another_shape_is_no_reason_to_ask_again(sim: Simulator, tmp_path: Path) -> None:
    odd = objects.refund(
        id="re_1", amount=1, currency="usd", charge="ch_1", status="succeeded", created=SINCE
    )
    sim.store.put_encoded([encode({**odd, "amount": "1"})])
    with pytest.raises(SourceError, match=r"refunds.*amount"):
        run(sim, tmp_path, connections=1)
    assert control(sim, "GET", "/requests")["total"] <= 3


# An interrupted run


def test_an_interrupted_run_goes_on(
    sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_parts, "SEAL_AFTER", 300)
    made = put(sim, [number // 4 for number in range(4 * LENGTH)])
    control(sim, "PUT", "/faults", {"kind": "status", "status": 400, "after": 25})
    with pytest.raises(SourceError):
        run(sim, tmp_path)
    control(sim, "PUT", "/faults", [])
    spool, calls = run(sim, tmp_path)
    assert sorted(ids(spool)) == made
    assert calls < 35
    # Finished or not, `fresh` starts over; so does the run after one that has finished.
    assert run(sim, tmp_path, fresh=True, finish=True)[1] > 40
    assert run(sim, tmp_path)[1] > 40


def test_a_window_that_moved_goes_on_too(sim: Simulator, tmp_path: Path) -> None:
    made = put(sim, [number // 4 for number in range(4 * LENGTH)])
    run(sim, tmp_path)
    moved = Window(window().since + timedelta(seconds=100), window().until)
    spool, calls = run(sim, tmp_path, window=moved)
    assert set(made[400:]) <= set(ids(spool))
    assert len(ids(spool)) == len(set(ids(spool)))
    assert calls <= 3


def test_a_finished_spool_only_when_asked(sim: Simulator, tmp_path: Path) -> None:
    put(sim, [number // 4 for number in range(4 * LENGTH)])
    run(sim, tmp_path, finish=True)
    _, calls = run(sim, tmp_path, reuse=timedelta(minutes=5))
    assert calls <= 1  # disputes, whose range ends now


def test_old_slices_are_fetched_again(
    sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(sim, [number // 4 for number in range(4 * LENGTH)])
    run(sim, tmp_path)
    monkeypatch.setattr(lists_module, "REUSE", timedelta(seconds=-1))
    assert run(sim, tmp_path)[1] > 40


def test_what_was_still_moving_is_fetched_again(sim: Simulator, tmp_path: Path) -> None:
    now = int(time.time())
    put(sim, [now - SINCE - second for second in (30, 300, 7000)])
    recent = Window(datetime.fromtimestamp(now - 7200, UTC), datetime.fromtimestamp(now, UTC))
    run(sim, tmp_path, window=recent)
    put(sim, [now - SINCE - second for second in (30, 300, 7000)])  # the same ids again
    sim.store.put_encoded(
        [
            encode(
                objects.payment_intent(
                    id="pi_late",
                    amount=1,
                    currency="usd",
                    status="succeeded",
                    created=now - 200,
                    livemode=False,
                )
            )
        ]
    )
    spool, _ = run(sim, tmp_path, window=recent)
    assert "pi_late" in ids(spool)
    assert len(ids(spool)) == 4


def test_another_payops_has_a_spool_of_its_own(sim: Simulator, tmp_path: Path) -> None:
    chosen = settings_of(sim, tmp_path)
    first = Spool.open(chosen, window(), "x")
    second = Spool.open(chosen, window(), "x")
    assert first.path != second.path
    first.remove()
    second.close()
    assert Spool.open(chosen, window(), "x").path == first.path


def test_a_folder_and_files_for_oneself(sim: Simulator, tmp_path: Path) -> None:
    put(sim, [1])
    spool, _ = run(sim, tmp_path / "state")
    for path in (tmp_path / "state").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert (tmp_path / "state" / "spool").stat().st_mode & 0o777 == 0o700
    assert not list(spool.path.rglob("*.part"))


def test_old_spools_are_removed(sim: Simulator, tmp_path: Path) -> None:
    chosen = settings_of(sim, tmp_path)
    old = Spool.open(chosen, window(), "old")
    old.finish()
    later = datetime.now(UTC) + timedelta(hours=25)
    new = Spool.open(chosen, window(), "new", now=later)
    assert old.path.exists()  # somebody is at work in it
    old.close()
    new.close()
    Spool.open(chosen, window(), "new", now=later).close()
    assert not old.path.exists()
    assert new.path.exists()


def test_a_full_disk(sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(sim, [number // 4 for number in range(4 * LENGTH)])
    keep = fetch_parts.Part._keep

    def full(part: Any, since: int, count: int) -> None:
        if since < SINCE + 500:
            raise OSError(errno.ENOSPC, "No space left on device", str(part._draft))
        keep(part, since, count)

    monkeypatch.setattr(fetch_parts, "SEAL_AFTER", 300)
    monkeypatch.setattr(fetch_parts.Part, "_keep", full)
    with pytest.raises(PayopsError, match="No space left on device") as raised:
        run(sim, tmp_path)
    assert "what was fetched is kept" in raised.value.hint
    monkeypatch.setattr(fetch_parts.Part, "_keep", keep)
    spool, _ = run(sim, tmp_path)
    assert len(ids(spool)) == len(set(ids(spool))) == 4000


def test_ctrl_c_keeps_what_was_fetched(
    sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_parts, "SEAL_AFTER", 300)
    put(sim, [number // 4 for number in range(4 * LENGTH)])
    control(sim, "PUT", "/faults", {"kind": "latency", "ms": 50})

    def interrupt(progress: Progress) -> None:
        if progress.pages >= 12:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(sim, tmp_path, report=interrupt)
    control(sim, "PUT", "/faults", [])
    spool, calls = run(sim, tmp_path)
    assert len(ids(spool)) == len(set(ids(spool))) == 4000
    assert calls < 40


def test_the_deadline_keeps_what_was_fetched(
    sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_parts, "SEAL_AFTER", 300)
    put(sim, [number // 4 for number in range(4 * LENGTH)])
    control(sim, "PUT", "/faults", {"kind": "latency", "ms": 150})
    began = time.monotonic()
    with pytest.raises(TooLateError):
        run(sim, tmp_path, deadline=Deadline.after(0.8))
    assert time.monotonic() - began < 3
    control(sim, "PUT", "/faults", [])
    spool, calls = run(sim, tmp_path, deadline=Deadline.after(20))
    assert len(ids(spool)) == len(set(ids(spool))) == 4000
    assert calls < 40


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "hang"}, Failure.TIMED_OUT),
        ({"kind": "status", "status": 500}, Failure.SERVER_ERROR),
    ],
)
def test_a_silent_stripe_is_told_at_the_deadline(
    sim: Simulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Any, kind: Failure
) -> None:
    monkeypatch.setattr(stripe_pages, "_FIRST_BACKOFF", 9)
    monkeypatch.setattr(stripe_pages, "_LONGEST_BACKOFF", 9)
    control(sim, "PUT", "/faults", fault)
    began = time.monotonic()
    with pytest.raises(SourceError) as raised:
        run(sim, tmp_path, deadline=Deadline.after(0.7))
    assert raised.value.kind is kind
    assert time.monotonic() - began < 3


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Simulator, list[str]]]:
    config = Config(rate_limits=Limits(enabled=False), latency_ms=2)
    with Simulator(tmp_path_factory.mktemp("stripe"), config).running() as running:
        yield running, put(running, [number // 20 for number in range(20 * LENGTH)])


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_moment(
    served: tuple[Simulator, list[str]], tmp_path: Path, seed: int
) -> None:
    sim, made = served
    rng = random.Random(seed)
    calls = killed_until_done(sim.url, tmp_path, made, rng, kills=2)
    assert calls <= len(made) / 100 + 30


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif("PAYOPS_KILLS" not in os.environ, reason="PAYOPS_KILLS=200 takes minutes")
def test_killed_two_hundred_times(served: tuple[Simulator, list[str]], tmp_path: Path) -> None:
    sim, made = served
    rng = random.Random(200)
    for number in range(int(os.environ["PAYOPS_KILLS"]) // 4):
        killed_until_done(sim.url, tmp_path / str(number), made, rng, kills=4)


def killed_until_done(
    url: str, state: Path, made: list[str], rng: random.Random, *, kills: int
) -> int:
    """SIGKILL a fetch, again and again, then let it end; the requests of the last run."""
    child = Path(__file__).with_name("fetch_child.py")
    command = [sys.executable, str(child), url, str(state), str(SINCE), str(SINCE + LENGTH)]
    for _ in range(kills):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as running:
            spool = state / "spool"
            end = time.monotonic() + 20
            while not list(spool.glob("*/intents/.*.part")) and time.monotonic() < end:
                if running.poll() is not None:
                    break
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.5))
            running.send_signal(signal.SIGKILL)
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    told = json.loads(done.stdout)
    found = ids(Spool.at(Path(told["path"])))
    assert sorted(found) == made
    assert told["count"] == len(made)
    return int(told["calls"])


# What is fetched


def ledgers(**changed: Any) -> dict[str, Ledger]:
    names = {name: name for name in ("id", "status", "amount", "created_at")}
    columns = LedgerColumns(**names | changed.pop("columns", {}))
    return {"payments": Ledger(table="payments", columns=columns, statuses={}, **changed)}


def whole(sim: Simulator, state: Path, **more: Any) -> Fetched:
    """The whole of `fetch`, with a ledger of a file."""
    file = state / "ledger.csv"
    state.mkdir(exist_ok=True)
    file.write_text("id,status,amount,created_at\n")
    chosen = settings_of(sim, state, ledgers=more.pop("ledgers", ledgers()))
    options = FetchOptions(
        **{"window": window(), "slack": timedelta(0), "ledger_files": (str(file),)} | more
    )
    found = fetch(chosen, Sources(chosen, Deadline.after(30)), options)
    found.spool.close()
    return found


def row(found: Fetched, kind: str = "intents") -> dict[str, str]:
    (path,) = found.spool.files(kind)
    with path.open(newline="") as file:
        (only,) = csv.DictReader(file)
    return only


def test_the_fields(sim: Simulator, tmp_path: Path) -> None:
    sim.store.put_encoded(
        [
            encode(
                objects.balance_transaction(
                    id="txn_1",
                    amount=1900,
                    fee=85,
                    currency="eur",
                    type="charge",
                    source="ch_1",
                    created=SINCE + 5,
                )
            ),
            encode(
                objects.charge(
                    id="ch_1",
                    amount=2000,
                    amount_captured=1999,
                    amount_refunded=100,
                    currency="usd",
                    status="succeeded",
                    created=SINCE + 7,
                    livemode=False,
                    payment_intent="pi_1",
                    balance_transaction="txn_1",
                    disputed=True,
                )
            ),
            encode(
                objects.payment_intent(
                    id="pi_1",
                    amount=2000,
                    amount_received=1999,
                    currency="usd",
                    status="succeeded",
                    created=SINCE + 5,
                    livemode=False,
                    customer="cus_1",
                    latest_charge="ch_1",
                    metadata={"payment": 'a,"b"', "order": "", "order_id": "o1"},
                )
            ),
        ]
    )
    references = References(local_id="payment", order_id="order_id")
    found = whole(sim, tmp_path, ledgers=ledgers(references=references, columns={"fee": "amount"}))
    assert row(found) == {
        "id": "pi_1",
        "created_us": f"{SINCE + 5}000000",
        "status": "succeeded",
        "amount": "2000",
        "amount_received": "1999",
        "currency": "usd",
        "livemode": "false",
        "customer": "cus_1",
        "meta_local": 'a,"b"',
        "meta_order": "o1",
        "session": "",
        "charge": "ch_1",
        "charge_status": "succeeded",
        "charge_created_us": f"{SINCE + 7}000000",
        "amount_captured": "1999",
        "amount_refunded": "100",
        "disputed": "true",
        "failure_code": "",
        "fee": "85",
        "fee_currency": "eur",
        "idempotency_key": "",
    }
    assert found.stripe.source == "stripe"
    assert found.stripe.count == 1
    assert found.counts == {
        "disputes": 0,
        "intents": 1,
        "ledger-payments": 0,
        "refunds": found.counts["refunds"],
    }


def test_sessions_when_a_ledger_maps_them(sim: Simulator, tmp_path: Path) -> None:
    made = objects.checkout_session(
        id="cs_1",
        amount_total=1999,
        currency="usd",
        status="complete",
        payment_status="paid",
        created=SINCE - 3600,  # before its payment
        livemode=False,
        payment_intent="pi_1",
        metadata={"transactionId": "t1"},
    )
    sim.store.put_encoded([encode(made)])
    mapped = ledgers(references=References(session_local_id="transactionId"))
    found = row(whole(sim, tmp_path, ledgers=mapped), "sessions")
    assert (found["id"], found["payment_intent"], found["meta_local"]) == ("cs_1", "pi_1", "t1")


@pytest.mark.parametrize("others", [0, 400])
def test_refunds_and_disputes_made_long_after_the_window(
    sim: Simulator, tmp_path: Path, others: int
) -> None:
    """`others`: so many refunds that reading on to today would take longer than asking."""
    charge = objects.charge(
        id="ch_1",
        amount=2000,
        amount_refunded=700,
        currency="usd",
        status="succeeded",
        created=SINCE,
        livemode=False,
        payment_intent="pi_1",
    )
    intent = objects.payment_intent(
        id="pi_1",
        amount=2000,
        currency="usd",
        status="succeeded",
        created=SINCE,
        livemode=False,
        latest_charge="ch_1",
    )

    def refund(id_: str, second: int, amount: int, charge: str = "ch_1") -> dict[str, Any]:
        intent = "pi_1" if charge == "ch_1" else "pi_9"
        return objects.refund(
            id=id_,
            status="succeeded",
            amount=amount,
            currency="usd",
            charge=charge,
            payment_intent=intent,
            created=SINCE + second,
        )

    dispute = objects.dispute(
        id="dp_1",
        amount=2000,
        currency="usd",
        charge="ch_1",
        payment_intent="pi_1",
        status="needs_response",
        reason="fraudulent",
        created=SINCE + 9_000_000,
        livemode=False,
    )
    refunds = [refund("re_1", 5, 200), refund("re_2", 5_000_000, 500)]
    refunds += [refund(f"re_other{n}", n, 1, "ch_9") for n in range(others)]
    sim.store.put_encoded([encode(each) for each in (charge, intent, dispute, *refunds)])
    found = whole(sim, tmp_path)
    assert {"re_1", "re_2"} <= set(ids(found.spool, "refunds"))
    assert len(ids(found.spool, "refunds")) == found.counts["refunds"] == 2 + others
    assert ids(found.spool, "disputes") == ["dp_1"]


def test_progress(sim: Simulator, tmp_path: Path) -> None:
    from payops.reconcile.progress import line, plain_lines

    put(sim, [number // 4 for number in range(4 * LENGTH)])
    told: list[Progress] = []
    whole(sim, tmp_path, progress=told.append)
    last = next(each for each in told if each.phase == "Stripe" and each.done)
    assert last.objects == 4000
    assert last.calls >= last.pages >= 42
    assert line(last).startswith("Stripe: 4,000 objects, ")
    lines: list[str] = []
    report = plain_lines(lines.append, every=0)
    for each in told:
        report(each)
    assert lines
    assert not [each for each in lines if "\n" in each or "\r" in each]


def test_what_is_not_there(sim: Simulator, tmp_path: Path) -> None:
    chosen = settings_of(sim, tmp_path, ledgers=ledgers())
    with pytest.raises(UsageError, match="no ledger 'payment'") as raised:
        fetch(
            chosen,
            Sources(chosen, Deadline.after(5)),
            FetchOptions(window(), ledgers=("payment",)),
        )
    assert "did you mean payments?" in raised.value.hint
    nothing = settings_of(None, tmp_path)
    with pytest.raises(NotConfiguredError):
        fetch(nothing, Sources(nothing, Deadline.after(5)), FetchOptions(window()))


def test_the_budget_holds() -> None:
    """Never more in a second than permitted, however many threads ask; a 429 slows them down."""
    pace = FetchPace(200, 25)
    stop = threading.Event()
    sent: list[float] = []

    def ask() -> None:
        while pace.wait("/v1/payment_intents", stop):
            sent.append(time.monotonic())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    time.sleep(2.5)
    pace.limited()
    time.sleep(1.5)
    stop.set()
    for thread in threads:
        thread.join()
    sent.sort()
    assert all(later - first >= 0.99 for first, later in zip(sent, sent[25:], strict=False))
    assert 70 <= len(sent) <= 92  # 100 in 4 s, had there been no 429
    assert FetchPace.of(100, test=False).per_second == 25
    assert FetchPace.of(10, test=True).per_second == 10
    assert not pace.wait("/v1/payment_intents", stop)
