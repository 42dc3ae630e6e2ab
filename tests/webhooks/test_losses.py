"""Losses: counts and money add up, each cause has its place by money and something to do."""

from __future__ import annotations

import shlex
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.domain.money import Money
from payops.domain.status import Status
from payops.domain.webhook import Cause, Loss, Moved, PathEvent
from payops.engine.webhook_limits import CAUSES
from payops.errors import Failure, SourceError
from payops.webhooks.classify import Ground, Place, Verdict, classify
from payops.webhooks.losses import losses
from payops.webhooks.path import Part
from webhooks.paths import NEEDS, event, lost, path
from webhooks.test_classify import ANSWERS, ENDPOINTS, EVENTS


def found(*events: PathEvent, **given: object) -> tuple[Loss, ...]:
    ground = Ground(path(*events, **given), {}, NEEDS)
    return losses(classify(ground), ground, CAUSES)


def test_nothing_is_lost() -> None:
    assert found(event()) == ()


def test_a_payment_is_counted_once_however_many_events_tell_of_it() -> None:
    pair = [
        lost("evt_1", payment_intent="pi_1"),
        lost("evt_2", type="checkout.session.completed", object_id="cs_1", payment_intent="pi_1"),
    ]
    ground = Ground(path(*pair), {}, frozenset())
    (loss,) = losses(classify(ground), ground, CAUSES)
    assert loss.count == 2
    assert [str(money) for money in loss.money] == ["10.00 USD (1)"]


def test_what_the_ledger_has_is_no_money_at_risk() -> None:
    (loss,) = found(lost(moved=Moved.YES, logged="failed", received_at=lost().created))
    assert (loss.count, loss.money, loss.status) == (1, (), Status.WARN)


def test_money_makes_it_critical_and_comes_first() -> None:
    small = lost("evt_1", logged="failed", received_at=lost().created, amount=Money("usd", 1))
    large = lost("evt_2", amount=Money("usd", 100_000))
    many = [event(f"evt_l{n}", processed_at=event(age=60).created) for n in range(5)]
    causes = [each.cause for each in found(small, large, *many)]
    assert causes == [Cause.SWALLOWED, Cause.NOT_PROCESSED, Cause.LATE]
    assert [each.status for each in found(small, large, *many)] == [
        Status.CRIT,
        Status.CRIT,
        Status.WARN,
    ]


def test_amounts_are_compared_by_whole_units_not_by_the_smallest() -> None:
    """1,000 yen stand before 20 dollars, which are 2,000 cents."""
    yen = lost("evt_1", logged="failed", received_at=lost().created, amount=Money("jpy", 1000))
    dollars = lost("evt_2", amount=Money("usd", 2000))
    assert [each.cause for each in found(dollars, yen)] == [Cause.NOT_PROCESSED, Cause.SWALLOWED]


def test_what_the_rates_are_not_of_is_told() -> None:
    """What is owed is read whatever its type, rates are of webhooks.needs."""
    both = [lost(pending_webhooks=1), lost("evt_2", type="invoice.paid", pending_webhooks=1)]
    (loss,) = found(*both, types=("payment_intent.succeeded",))
    assert loss.summary.startswith("2 events (1 of types in webhooks.needs) not delivered")
    (loss,) = found(*both[:1], types=("payment_intent.succeeded",))
    assert loss.summary.startswith("1 event not delivered")
    (loss,) = found(*both)
    assert loss.summary.startswith("2 events not delivered")


def test_a_dead_ledger_makes_it_may() -> None:
    down = SourceError("postgres", Failure.REFUSED, "down")
    owed = lost(pending_webhooks=1, moved=Moved.NOT_TOLD)
    (loss,) = found(owed, failures={Part.LEDGER: down, Part.LOG: down})
    assert "may lack" in loss.summary
    assert loss.money != ()


@pytest.mark.parametrize("cause", list(Cause))
@pytest.mark.parametrize("certain", [True, False])
def test_every_cause_says_what_happened_and_what_to_do(cause: Cause, certain: bool) -> None:
    ground = Ground(path(), {}, NEEDS)
    verdict = Verdict(lost(), Place.LOST, cause, "a detail", certain)
    (loss,) = losses([verdict], ground, CAUSES)
    assert loss.certain is certain
    assert "\n" not in loss.summary
    assert loss.actions
    for action in loss.actions:
        assert action.text
        if action.command:
            assert shlex.split(action.command)[0] == "payops"
    if cause is Cause.SIGNATURE and not certain:
        assert loss.actions[0].command.endswith("--signed")


@given(st.lists(EVENTS, max_size=20, unique_by=lambda each: each.id), ANSWERS, ENDPOINTS)
def test_totals_add_up(
    events: list[PathEvent], answers: dict[str, object], endpoints: object
) -> None:
    ground = Ground(path(*events, endpoints=endpoints), answers, NEEDS)  # type: ignore[arg-type]
    verdicts = classify(ground)
    told = losses(verdicts, ground, CAUSES)
    counts = Counter(each.cause for each in verdicts if each.cause is not None)
    assert {each.cause: each.count for each in told} == counts
    assert sum(each.count for each in told) == sum(each.place is Place.LOST for each in verdicts)
