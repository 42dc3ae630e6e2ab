"""A diagnosis told from a made-up look: its sections, its commands, and what is looked at again."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from looks import INCIDENT, PAGES, check, look
from payops.diagnosis.apart import Apart
from payops.domain.deadline import Deadline
from payops.domain.evidence import Action
from payops.domain.impact import Surroundings
from payops.domain.report import Report
from payops.domain.status import Status
from payops.engine import health
from payops.engine.diagnosis import Seen, report_of
from payops.engine.diagnosis_closer import asking, looked_closer
from payops.engine.diagnosis_next import since_words
from payops.sources import Sources
from tools import NOW, assert_typeable, before, settings

OK, WARN, CRIT, UNKNOWN = Status.OK, Status.WARN, Status.CRIT, Status.UNKNOWN
NAMES = Surroundings(names={"breaker": ("stripe",)})


def told(seen: Seen) -> dict[str, Any]:
    return dict(report_of(seen, PAGES).extra)


def test_nothing_is_wrong() -> None:
    found = told(look(check("stripe.api"), check("reconcile.matched", count=3)))
    assert found["hypotheses"] == []
    assert found["unexplained"] == []
    assert found["next"] == ()
    assert found["impact"].payments == 0
    assert found["escalation"].severity == ""


def test_the_cause_comes_first_with_what_speaks_for_it() -> None:
    (cause,) = told(look(*INCIDENT, around=NAMES))["hypotheses"]
    assert cause["scenario"] == "circuit-stuck-open"
    assert cause["role"] == "cause"
    assert cause["severity"] == "P1"
    assert [one["check"] for one in cause["for"]] == ["circuit.stripe", "stripe.api"]
    assert cause["follows_from"] is None
    assert 0 < cause["confidence"] <= 1


def test_commands_are_filled_in_and_can_be_typed() -> None:
    (cause,) = told(look(*INCIDENT, around=NAMES))["hypotheses"]
    commands = [one.command for one in cause["actions"]]
    assert commands == [
        "payops circuit reset stripe",
        "payops reconcile --since 24h --save-plan ./payops-plan-circuit-stuck-open.json",
        "payops runbook run circuit-stuck-open",
    ]
    for command in commands:
        assert_typeable(command)


def test_a_command_that_lacks_a_name_is_left_out_and_its_text_is_not() -> None:
    several = Surroundings(names={"breaker": ("paypal", "adyen")})
    (cause,) = told(look(*INCIDENT, around=several))["hypotheses"]
    assert cause["actions"][0] == Action("Close the breaker")


def test_of_several_breakers_the_one_in_trouble() -> None:
    both = Surroundings(names={"breaker": ("paypal", "stripe")})
    (cause,) = told(look(*INCIDENT, around=both))["hypotheses"]
    assert cause["actions"][0].command == "payops circuit reset stripe"


def test_a_name_of_the_configuration_stays_one_word() -> None:
    odd = Surroundings(names={"breaker": ("a b; rm -rf /",)})
    (cause,) = told(look(*INCIDENT, around=odd))["hypotheses"]
    assert shlex.split(cause["actions"][0].command)[-1] == "a b; rm -rf /"


@pytest.mark.parametrize(
    ("ago", "default", "expected"),
    [
        (timedelta(minutes=5), "24h", "24h"),
        (timedelta(hours=24, minutes=1), "24h", "25h"),
        (timedelta(hours=90), "24h", "4d"),
        (timedelta(hours=3, minutes=1), "1h", "4h"),
        (timedelta(hours=3), "soon", "soon"),
    ],
)
def test_since_reaches_back_to_the_beginning(ago: timedelta, default: str, expected: str) -> None:
    assert since_words(NOW - ago, NOW, default) == expected
    assert since_words(None, NOW, default) == default


def test_what_no_cause_explains_is_told_with_its_own_command() -> None:
    found = told(look(*INCIDENT, around=NAMES))
    assert [one["check"] for one in found["unexplained"]] == [
        "payments.latency",
        "reconcile.missing_in_ledger",
    ]
    alone = told(look(INCIDENT[-1], check("reconcile.matched", count=1)))
    assert alone["hypotheses"] == []
    assert [one.command for one in alone["next"]] == ["payops reconcile --only missing_in_ledger"]


def test_two_incidents_take_turns_in_what_is_next() -> None:
    seen = look(
        check("stripe.api", CRIT, minutes=4),
        check("circuit.paypal", CRIT, minutes=3),
        check("reconcile.matched"),
    )
    other = replace(
        PAGES[0].suspects[0],
        scenario="other",
        symptoms=replace(
            PAGES[0].symptoms,
            confirm=(replace(PAGES[0].symptoms.confirm[0], check="circuit.paypal"),),
            refute=(),
        ),
        actions=(Action("Other", "payops circuit status"),),
    )
    pages = (PAGES[1], replace(PAGES[0], suspects=(other,)))
    found = report_of(seen, pages).extra
    hypotheses: Any = found["hypotheses"]
    assert {one["role"] for one in hypotheses} == {"cause"}
    following: Any = found["next"]
    assert list(following) == [
        Action("Other", "payops circuit status"),
        Action("Wait"),
        Action("Go through its runbook", "payops runbook run circuit-stuck-open"),
        Action("Watch it", "payops health --watch 30s --only stripe"),
    ]


def test_what_is_ruled_out_says_why() -> None:
    seen = look(
        check("stripe.api", CRIT, minutes=4),
        check("circuit.stripe", CRIT, minutes=3),
        check("reconcile.matched"),
    )
    found = told(seen)
    assert [one["scenario"] for one in found["hypotheses"]] == ["stripe-outage"]
    assert found["ruled_out"] == [
        {
            "scenario": "circuit-stuck-open",
            "title": "The circuit breaker is stuck open",
            "why": "Stripe does not answer",
            "check": "stripe.api",
        }
    ]


def test_a_part_that_gave_no_answer_is_said_and_is_no_finding() -> None:
    found = told(look(check("stripe.api"), failures={"webhooks": "it was not done"}))
    assert found["not_asked"] == [{"part": "webhooks", "why": "it was not done"}]
    assert found["unexplained"] == []


def test_nobodys_address_is_in_the_sections() -> None:
    found = told(look(check("payments.velocity", CRIT, "ann.lee@example.com tried 40 times")))
    assert found["unexplained"][0]["summary"] == "[e-mail] tried 40 times"


def test_times_are_to_the_second() -> None:
    early = replace(INCIDENT[0], since=before(700) + timedelta(microseconds=17))
    impact = told(look(early, *INCIDENT[1:]))["impact"]
    assert impact.since == before(700)


# ── looking closer ───────────────────────────────────────────────────────────────────────────────


class _Asked:
    """`examine`, that answers OK, and what it was asked."""

    def __init__(self) -> None:
        self.ids: tuple[str, ...] = ()

    def __call__(self, configured: object, ids: Any, **kwargs: object) -> Report:
        self.ids = tuple(ids)
        return Report("health", NOW, "lab", tuple(check(id_) for id_ in ids))


def closer(
    monkeypatch: pytest.MonkeyPatch, *wanted: str, calls: int = 20, seconds: float = 5
) -> tuple[tuple[str, ...], Seen]:
    asked = _Asked()
    monkeypatch.setattr(health, "examine", asked)
    seen = look(check("payments.latency", UNKNOWN), check("stripe.api"))
    observation = replace(seen.observation, stripe_calls=calls)
    configured, ends = settings(), Deadline.after(seconds)
    looked = looked_closer(
        configured,
        observation,
        [Apart("a", "b", id_) for id_ in wanted],
        Sources(configured, ends),
        ends,
    )
    return asked.ids, replace(seen, observation=looked)


def test_a_cheap_check_is_asked_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, seen = closer(monkeypatch, "payments.latency", "redis.connect")
    assert asked == ("payments.latency", "redis.connect")
    statuses = {one.id: one.status for one in seen.observation.checks}
    assert statuses == {"payments.latency": OK, "stripe.api": OK, "redis.connect": OK}


def test_what_is_slow_or_no_check_of_health_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, seen = closer(monkeypatch, "postgres.size", "reconcile.no_reference")
    assert asked == ()
    assert {one.id for one in seen.observation.checks} == {"payments.latency", "stripe.api"}


def test_stripe_is_not_asked_beyond_thirty_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    assert closer(monkeypatch, "stripe.payouts", calls=27)[0] == ("stripe.payouts",)
    assert closer(monkeypatch, "stripe.payouts", calls=28)[0] == ()


def test_nothing_is_asked_without_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert closer(monkeypatch, "payments.latency", seconds=0.3)[0] == ()


@pytest.mark.parametrize(
    ("id_", "command"),
    [
        ("postgres.size", "payops health --deep --only postgres.size"),
        ("reconcile.no_reference", "payops reconcile --since 24h"),
        ("webhooks.delivery", "payops webhooks status"),
        ("webhooks.backlog", "payops health --deep --only webhooks.backlog"),
        ("circuit.stripe", "payops circuit status"),
    ],
)
def test_what_is_not_asked_is_named_as_a_command(id_: str, command: str) -> None:
    assert asking(Apart("a", "b", id_)).command == command
    assert_typeable(command)


def test_an_alternative_says_what_it_follows_from() -> None:
    wide = replace(
        PAGES[1].suspects[0],
        scenario="wide",
        symptoms=replace(
            PAGES[1].symptoms,
            confirm=(*PAGES[1].symptoms.confirm, replace(PAGES[0].symptoms.confirm[0])),
        ),
    )
    seen = look(
        check("stripe.api", CRIT),
        check("stripe.status-page", CRIT),
        check("circuit.stripe", CRIT),
        check("reconcile.matched"),
    )
    pages = (replace(PAGES[1], suspects=(*PAGES[1].suspects, wide)),)
    hypotheses: Any = report_of(seen, pages).extra["hypotheses"]
    told = {one["scenario"]: (one["role"], one["follows_from"]) for one in hypotheses}
    assert told == {"wide": ("cause", None), "stripe-outage": ("alternative", "wide")}
