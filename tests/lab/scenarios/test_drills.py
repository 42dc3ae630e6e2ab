"""What drills need of scenarios: one for each runbook, three severities, two at once, what is left.

Everything on one lab, and payops in this process: a scenario in each severity is many runs.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest

from command import payops
from payops.checks import check_ids, without_deep
from payops.checks.own import own_ids
from payops.config.load import load
from payops.domain.deadline import Deadline
from payops.domain.discrepancy import MatchClass
from payops.domain.status import Status, worst
from payops.domain.window import Window
from payops.engine.health import examine
from payops.engine.reconcile_limits import EXTERNAL
from payops.errors import LabError, UsageError
from payops.lab import laboratory
from payops.lab.info import LabInfo
from payops.lab.parameter import SEVERITIES, Parameter, chosen, severity
from payops.lab.repaired import repaired
from payops.lab.scenario import EVERY_PRESET, Lab, load_scenario, scenario_ids
from payops.lab.systems import system
from thinning import ALL

EVERY = {id_: load_scenario(id_) for id_ in scenario_ids()}
# Those of issue 7 whose main fault a lab can show, each under the runbook's own name.
RUNBOOKS = (
    *("stripe-outage", "stripe-unreachable", "stripe-key-invalid", "test-key-in-production"),
    *("stripe-rate-limited", "network-dns-tls", "clock-skew", "circuit-stuck-open"),
    *("circuit-flapping", "webhook-endpoint-down", "webhook-endpoint-disabled"),
    *("webhook-signature-mismatch", "webhook-events-swallowed", "webhook-type-not-subscribed"),
    *("webhook-timeouts", "charged-not-recorded", "payments-stuck-pending", "duplicate-charges"),
    *("amount-drift", "refunds-unrecorded", "decline-spike", "authentication-stuck"),
    *("slow-payments", "database-down", "database-connections-exhausted", "database-locks"),
    *("replica-lagging", "disk-or-wraparound", "redis-down", "redis-evicting", "worker-backlog"),
    *("processor-connections-failed", "routing-misconfigured", "collections-stuck"),
    *("commission-mismatch", "external-sync-stale", "analytics-cache-stale"),
    *("credential-exposure", "webhook-replay-attack", "data-corruption", "complete-outage"),
)
# Each of them shows itself where the others do not, so that two are the sum of each.
APART = (
    *("amount-drift", "authentication-stuck", "charged-not-recorded", "credential-exposure"),
    *("database-locks", "duplicate-charges", "payments-stuck-pending", "redis-evicting"),
    *("refunds-unrecorded", "replica-lagging", "webhook-endpoint-fails", "worker-backlog"),
)
# `ALL`: every severity of every scenario, and every pair.
_DRAWN = 4


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabInfo]:
    directory = tmp_path_factory.mktemp("drills") / "lab"
    options = laboratory.LabOptions(dir=directory, payments=150, rate_limits=False)
    yield laboratory.up(options)
    laboratory.down(directory)


@pytest.fixture(autouse=True)
def healed(lab: LabInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield
    laboratory.heal(Path(lab.dir))


def statuses(lab: LabInfo) -> dict[str, Status]:
    """The checks that are neither OK nor of what is not here."""
    settings = load(lab.config).settings
    now = datetime.now(UTC)
    ids = (*without_deep(check_ids()), *own_ids(settings))
    window = Window(now - timedelta(hours=1), now)
    report = examine(settings, ids, window=window, deadline=Deadline.after(15))
    return {c.id: c.status for c in report.checks if c.status not in (Status.OK, Status.SKIP)}


def left(lab: LabInfo, wanted: str) -> list[str]:
    """What still stands of a scenario."""
    directory = Path(lab.dir)
    info = LabInfo.load(directory)
    assert info is not None
    with Lab(directory, info) as opened:
        return repaired(opened, wanted)


# ── what each says of itself ─────────────────────────────────────────────────────────────────────


def test_each_runbook_has_a_scenario_of_its_name() -> None:
    assert set(RUNBOOKS) <= set(EVERY)


@pytest.mark.parametrize("wanted", EVERY)
def test_its_severities_can_be_chosen_and_its_words_are_known(wanted: str) -> None:
    found = EVERY[wanted]
    assert tuple(found.severities) == SEVERITIES
    for values in found.severities.values():
        assert chosen(wanted, found.parameters, {}, values) == values
    assert {*found.mild, *found.severe} <= set(found.parameters)
    assert set(found.differs) <= {"mild", "severe"}
    for told in (found.expected, *found.differs.values()):
        assert set(told) <= set(check_ids())
    assert found.varies <= set(check_ids())
    assert {wanted} <= found.told_as <= set(EVERY)
    assert found.classes <= {each.value for each in MatchClass}
    assert set(found.elsewhere) <= set(EXTERNAL)
    assert set(found.own) <= set(found.presets)
    assert found.mend is None or found.outside
    assert found.cured_by == ("heal" if found.outside else "payops") or found.mend


def test_a_status_that_differs_by_severity() -> None:
    found, made = EVERY["payments-stuck-pending"], system("reference")
    assert found.expected_in(made) == {"payments.stuck-pending": Status.CRIT}
    assert found.expected_in(made, "mild") == {"payments.stuck-pending": Status.WARN}
    resolver = EVERY["network-dns-tls"]
    assert "app.dns" in resolver.expected_in(made)
    assert "app.dns" not in resolver.expected_in(made, "mild")


@pytest.mark.parametrize(
    ("given", "meant", "values"),
    [
        ({}, {}, {"count": 5}),
        ({}, {"count": 9}, {"count": 9}),
        ({"count": "3"}, {"count": 9}, {"count": 3}),
    ],
)
def test_what_is_given_goes_before_the_severity(
    given: dict[str, object], meant: dict[str, int], values: dict[str, int]
) -> None:
    assert chosen("one", {"count": Parameter(5, 1, 9, "how many")}, given, meant) == values


def test_a_severity_that_is_none() -> None:
    assert [severity(one) for one in SEVERITIES] == list(SEVERITIES)
    with pytest.raises(UsageError, match="'terrible' is no severity"):
        severity("terrible")


# ── on the lab ───────────────────────────────────────────────────────────────────────────────────

_GRADED = [
    (wanted, how)
    for wanted, found in EVERY.items()
    for how in ("mild", "severe")
    if "reference" in found.presets and found.severities[how] != found.severities["usual"]
]
_ENOUGH = [
    *[(one, "mild") for one in ("decline-spike", "network-dns-tls", "payments-stuck-pending")],
    *[(one, "mild") for one in ("webhook-endpoint-fails", "circuit-flapping")],
    *[(one, "severe") for one in ("duplicate-charges", "idle-in-transaction", "stripe-outage")],
]


@pytest.mark.parametrize(("wanted", "how"), _GRADED if ALL else _ENOUGH)
def test_each_severity_keeps_its_promise(lab: LabInfo, wanted: str, how: str) -> None:
    found, before = EVERY[wanted], statuses(lab)
    assert before == {}
    laboratory.inject(Path(lab.dir), wanted, severity=severity(how))
    seen = statuses(lab)
    promised = dict(found.expected_in(system("reference"), severity(how)))
    for check in found.varies & set(promised):
        assert seen.pop(check) in (Status.WARN, Status.CRIT)
        del promised[check]
    assert {c: s for c, s in seen.items() if c != "stripe.tls"} == {
        c: s for c, s in promised.items() if c != "stripe.tls"
    }
    laboratory.heal(Path(lab.dir), wanted)
    assert statuses(lab) == {}


_PAIRS = list(combinations(APART, 2))


@pytest.mark.parametrize("pair", _PAIRS if ALL else random.Random(7).sample(_PAIRS, _DRAWN))
def test_two_at_once_are_the_sum_of_both_and_leave_no_trace(
    lab: LabInfo, pair: tuple[str, str]
) -> None:
    from lab.scenarios.test_scenarios import state

    before = state(lab)
    for wanted in pair:
        laboratory.inject(Path(lab.dir), wanted)
    both = [EVERY[wanted].expected_in(system("reference")) for wanted in pair]
    promised = {
        check: worst(told[check] for told in both if check in told)
        for check in {check for told in both for check in told}
    }
    assert statuses(lab) == promised
    for wanted in pair:
        laboratory.heal(Path(lab.dir), wanted)
    assert state(lab) == before


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("charged-not-recorded", ["reconcile.missing_in_ledger is CRIT"]),
        ("amount-drift", ["reconcile.amount_mismatch is WARN"]),
        ("refunds-unrecorded", ["reconcile.refund_missing"]),
        ("data-corruption", ["reconcile.amount_mismatch", "reconcile.refund_missing"]),
        ("duplicate-charges", ["payments.duplicates is WARN", "reconcile.duplicate_charge"]),
        ("credential-exposure", ["a secret key stands in"]),
        ("webhook-replay-attack", ["webhooks.processed-twice is CRIT"]),
    ],
)
def test_what_is_left_of_it_is_told_until_it_is_healed(
    lab: LabInfo, wanted: str, told: list[str]
) -> None:
    laboratory.inject(Path(lab.dir), wanted)
    still = left(lab, wanted)
    assert len(still) == len(told)
    for said, words in zip(sorted(still), sorted(told), strict=True):
        assert said.startswith(words)
    laboratory.heal(Path(lab.dir), wanted)
    assert left(lab, wanted) == []


def test_what_is_done_outside_leaves_the_rest_to_payops(lab: LabInfo) -> None:
    from lab.scenarios.test_scenarios import state

    directory, before = Path(lab.dir), state(lab)
    laboratory.inject(directory, "webhook-endpoint-fails")
    assert EVERY["webhook-endpoint-fails"].cured_by == "both"
    mended = laboratory.mend(directory, "webhook-endpoint-fails")
    assert mended.scenarios == ("webhook-endpoint-fails",)
    # What was not delivered meanwhile is still not, and is for a replay.
    assert {said.split()[0] for said in left(lab, "webhook-endpoint-fails")} >= {
        "payments.stuck-pending",
        "webhooks.undelivered",
    }
    laboratory.heal(directory)
    assert state(lab) == before


def test_what_comes_back_by_itself_is_not_asked_of_the_hour_before(lab: LabInfo) -> None:
    directory = Path(lab.dir)
    laboratory.inject(directory, "stripe-outage")
    assert any(said.startswith("stripe.api is CRIT") for said in left(lab, "stripe-outage"))
    laboratory.mend(directory, "stripe-outage")
    # The breaker is open as before; the rates of the hour will be bad for an hour.
    assert {said.split()[0] for said in left(lab, "stripe-outage")} == {"circuit.state"}


def test_what_was_repaired_meanwhile_goes_with_the_scenario(lab: LabInfo) -> None:
    from lab.scenarios.test_scenarios import state

    directory, before = Path(lab.dir), state(lab)
    laboratory.inject(directory, "refunds-unrecorded")
    plan = directory / "refunds.json"
    made = ("--config", lab.config, "reconcile", "--since", "3d", "--save-plan", plan)
    assert payops(*made).code == 1
    assert payops("--config", lab.config, "apply", plan, "--yes").code == 0
    assert left(lab, "refunds-unrecorded") == []
    laboratory.heal(directory)
    plan.unlink()
    assert state(lab) == before


def test_mending_what_nobody_else_has_to_do_is_refused(lab: LabInfo) -> None:
    directory = Path(lab.dir)
    with pytest.raises(LabError, match="not in force"):
        laboratory.mend(directory, "webhook-endpoint-fails")
    laboratory.inject(directory, "payments-stuck-pending")
    with pytest.raises(LabError, match="payops repairs it"):
        laboratory.mend(directory, "payments-stuck-pending")


def test_a_scenario_that_heal_alone_ends_is_mended_by_it(lab: LabInfo) -> None:
    directory = Path(lab.dir)
    laboratory.inject(directory, "redis-evicting")
    assert EVERY["redis-evicting"].cured_by == "heal"
    assert laboratory.mend(directory, "redis-evicting").scenarios == ()
    assert left(lab, "redis-evicting") == []


def test_money_scenarios_are_for_every_system() -> None:
    for wanted in ("charged-not-recorded", "amount-drift", "refunds-unrecorded"):
        assert EVERY[wanted].presets == EVERY_PRESET


# ── as typed ─────────────────────────────────────────────────────────────────────────────────────


def test_several_are_injected_by_one_command_all_or_none(lab: LabInfo) -> None:
    where = ("--dir", lab.dir)
    two = ("amount-drift", "redis-evicting")
    done = payops(
        "lab", "inject", *two, "--severity", "mild", "--set", "amount-drift.count=2", *where
    )
    assert done.code == 0, done.err
    assert "amount-drift and redis-evicting are in" in done.out
    kept = json.loads((Path(lab.dir) / "scenarios" / "amount-drift.json").read_text())
    assert len(kept["payments"]) == 2
    none = payops("lab", "inject", "worker-backlog", "redis-evicting", *where)
    assert none.code == 3
    assert "in force already" in none.err
    others = ("worker-backlog", "replica-lagging")
    vague = payops("lab", "inject", *others, "--set", "count=3", *where)
    assert "of which scenario?" in vague.err
    assert payops("lab", "mend", "redis-evicting", *where).out.startswith(
        "done outside: set Redis'"
    )
    current = LabInfo.load(Path(lab.dir))
    assert current is not None
    assert current.scenarios == ("amount-drift",)


def test_the_list_says_what_can_be_chosen() -> None:
    told = json.loads(payops("lab", "list", "-o", "json").out)["scenarios"]
    (one,) = [each for each in told if each["id"] == "decline-spike"]
    assert one["severities"] == {
        "mild": {"share": 50},
        "usual": {"share": 90},
        "severe": {"share": 96},
    }
    assert one["parameters"]["share"]["highest"] == 97
    assert one["differs"] == {"mild": {"payments.declines": "WARN"}}
    assert one["cured_by"] == "heal"
