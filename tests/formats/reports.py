"""Reports that every output is shown with: healthy, incident, hostile, all skipped, empty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from payops.domain.change import Change, Kind, changes_table
from payops.domain.evidence import Action, Evidence
from payops.domain.money import Money, MoneyAtRisk
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.secret import Secret
from payops.domain.status import Status
from payops.domain.table import Column, Table
from payops.domain.threshold import Threshold

NOW = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)
BEGAN = datetime(2026, 2, 11, 9, 18, 4, tzinfo=UTC)
SEEN = NOW - timedelta(seconds=2)

API_KEY = Secret("sk_live_51HostileHostileHostile4242")
PASSWORD = Secret("postgresql://payops:hunter2%2Fbreaker@db.internal/shop")
SECRET_TEXTS = (API_KEY.reveal(), "hunter2%2Fbreaker", "hunter2/breaker")


def result(status: Status, name: str, summary: str, **more: object) -> CheckResult:
    """One check's answer, complete enough to be shown."""
    given: dict[str, object] = {"source": "stripe", "as_of": SEEN, "duration_ms": 12}
    title = name.replace(".", " ").replace("_", " ").capitalize()
    return CheckResult(status, summary, id=name, title=title, **(given | more))  # type: ignore[arg-type]


def report(*checks: CheckResult, **more: object) -> Report:
    """One run of `payops health` at NOW."""
    given: dict[str, object] = {
        "environment": "production",
        "stripe_calls": 4,
        "duration_ms": 1234,
    }
    return Report("health", NOW, checks=checks, **(given | more))  # type: ignore[arg-type]


_OK = (
    result(
        Status.OK,
        "stripe.reachable",
        "Stripe answers in 212 ms",
        measured={"latency": 212},
        limits={"latency": Threshold(1000, 3000, "ms", "S0-01")},
    ),
    result(
        Status.OK,
        "payments.success_rate",
        "98.2 % of 1,204 payments succeeded in the last hour",
        source="postgres",
        measured={"rate": 98.2, "payments": 1204},
        limits={"rate": Threshold(95, 90, "%", "S0-40", worse="lower")},
    ),
    result(Status.OK, "postgres.connections", "21 of 100 connections in use", source="postgres"),
)
_SKIPPED = result(
    Status.SKIP, "redis.replication", "no Redis replica is configured", source="redis"
)

HEALTHY = report(*_OK, _SKIPPED)

INCIDENT = report(
    _OK[0],
    result(
        Status.WARN,
        "webhooks.delivery_lag",
        "the newest event in the log is 41 min old, Stripe sent one 38 s ago",
        source="stripe+postgres",
        since=NOW - timedelta(minutes=41),
        measured={"lag": 2460.5},
        limits={"lag": Threshold(900, 3600, "s", "S2-07")},
        evidence=(
            Evidence(
                "newest row of webhook_events",
                "postgres",
                NOW - timedelta(minutes=6),
                {"event_id": "evt_1QxyzABC", "type": "payment_intent.succeeded"},
            ),
        ),
        actions=(Action("See which endpoint fails", "payops webhooks endpoints"),),
    ),
    result(
        Status.CRIT,
        "circuit.state",
        "breaker `stripe` is open after 7 failures; no payment has been tried for 12 min",
        source="redis",
        since=BEGAN,
        measured={"failures": 7, "open_s": 716.0},
        limits={
            "failures": Threshold(5, 6, "count", "S1-03"),
            "open_s": Threshold(None, 300, "s", "runbook 004"),
        },
        evidence=(
            Evidence(
                "circuit:stripe",
                "redis",
                SEEN,
                {"state": "open", "failures": 7, "opened_at": "2026-02-11T09:18:04Z"},
            ),
            Evidence("Stripe answers, so the breaker holds back nothing but us", "stripe", SEEN),
            Evidence("status.stripe.com: all systems operational", "http", SEEN),
            Evidence("14 payments wait in `processing`", "postgres", SEEN),
            Evidence("the oldest of them", "postgres", SEEN, {"id": "ord 77", "age_s": 702.25}),
        ),
        actions=(
            Action("Close the breaker: Stripe answers", "payops circuit reset stripe"),
            Action(
                "Then look for payments that were charged and never recorded",
                "payops reconcile --since 2026-02-11T09:18:04Z --ledger payments"
                " --save-plan /var/lib/payops/plans/2026-02-11-circuit.json",
            ),
            Action("Tell #payments-oncall"),
        ),
        money_at_risk=(
            MoneyAtRisk("usd", 123450, 11),
            MoneyAtRisk("jpy", 5000, 2),
            MoneyAtRisk("kwd", 12345, 1),
        ),
    ),
    result(
        Status.UNKNOWN,
        "payments.stuck",
        "postgres: statement timeout: the question took longer than 3 s",
        source="postgres",
        actions=(Action("Ask again with more time", "payops health --only payments.stuck"),),
    ),
    result(
        Status.CRIT,
        "webhooks.endpoint_url",
        "1 of 3 endpoints points to a host that is not ours",
        advisory=True,
    ),
    *_OK[1:],
    _SKIPPED,
    extra={"impact": {"since": BEGAN, "payments": 14}},
)

HOSTILE_TEXTS = (
    "[red]x[/red] [link=https://evil.example]here[/link]",
    "\x1b[2J\x1b]0;owned\x07\x9b31m",
    "first\nOK everything is fine\r\tlast\u2028x",
    "\u202e]degrahc ton[",
    "| evil=1",
    "`rm -rf /` ```",
    "<script>alert(1)</script> <!-- x --> &lt;",
    "[click](javascript:alert(1)) ![i](https://evil.example/x.png) https://ok.example/a_b",
    "*bold* _it_ ~~no~~ $x$ @oncall #12 GH-7",
    "- item",
    "1. item",
    "# heading",
    "日本語 é 💳 \ud800 \ufdd0",
    f"key {API_KEY.reveal()} dsn {PASSWORD.reveal()} password=hunter2/breaker",
)
LONG = "x" * 5000

HOSTILE = report(
    *(
        result(
            Status.CRIT if number % 2 else Status.WARN,
            f"hostile.number_{number:02}",
            text,
            source=text,
            since=BEGAN,
            measured={text: number, "quoted 'x'": 1.5, "nan": float("nan"), "note": text},
            limits={text: Threshold(1, 2, text, text)},
            evidence=(Evidence(text, text, SEEN, {text: text}),),
            actions=(Action(text, f"payops trace {text}"),),
            money_at_risk=(MoneyAtRisk(text, 100, 1),),
            rows=(text,),
        )
        for number, text in enumerate(HOSTILE_TEXTS)
    ),
    result(Status.CRIT, "hostile.long", LONG, evidence=(Evidence(LONG, "http", SEEN),)),
    result(Status.UNKNOWN, "hostile|id='x'\nCRIT", "a hostile id"),
    result(Status.OK, "hostile.ok", "\x1b[31m| a=1\nCRIT  all"),
    extra={"timeline": [{"what": text, text: float("inf")} for text in HOSTILE_TEXTS]},
    tables=(
        Table(
            "hostile",
            HOSTILE_TEXTS[0],
            (Column("what", HOSTILE_TEXTS[1], wide=True), Column("n", "n", unit="[b]")),
            tuple((text, number) for number, text in enumerate((*HOSTILE_TEXTS, LONG))),
            note=HOSTILE_TEXTS[4],
        ),
    ),
)

TABLES = report(
    result(Status.CRIT, "webhooks.lost", "12 events did not become rows"),
    tables=(
        Table(
            "events",
            "Events not delivered",
            (
                Column("event", "Event"),
                Column("type", "Type", wide=True),
                Column("created", "Created"),
                Column("age", "Age"),
                Column("money", "Money", money=True),
                Column("live", "Live"),
                Column("status", "Status"),
            ),
            (
                (
                    "evt_1QxyzABCDEFGHIJKLMNOPQRS",
                    "payment_intent.succeeded",
                    BEGAN,
                    NOW - BEGAN,
                    Money("usd", 1999),
                    True,
                    Status.CRIT,
                ),
                ("evt_2", "charge.refunded", SEEN - timedelta(days=40), None, None, False, None),
                ("=HYPERLINK(1)", "x", SEEN - timedelta(days=2), None, None, None, Status.OK),
            ),
            note="2 more: --limit",
        ),
        Table(
            "funnel",
            "From Stripe to the ledger",
            (Column("stage", "Stage"), Column("count", "Events", bar=True), Column("ms", "p95")),
            (("created", 1200, 3.25), ("received", 1100, None), ("stuck", 1, None), ("lost", 0, 0)),
        ),
        Table(
            "wide",
            "What does not fit",
            tuple(Column(f"c{n}", f"Column {n}") for n in range(6)),
            ((("x" * 24), ("y" * 30), "z", 1.5, (MoneyAtRisk("usd", 5, 1),), "w" * 90),),
        ),
        Table("none", "Nothing of a kind", (Column("a", "A"),), (), note="none was found"),
    ),
)

ALL_SKIPPED = report(
    _SKIPPED,
    result(Status.SKIP, "circuit.state", "no breaker is configured", source=""),
    stripe_calls=0,
    duration_ms=3,
)
EMPTY = report(stripe_calls=0, duration_ms=0)

_DISCREPANCY: dict[str, object] = {
    "class": "status_mismatch",
    "ledger": "payments",
    "local_id": "7f3a-1",
    "stripe_id": "pi_3QxyzABC",
    "money": {"currency": "usd", "minor": 1999},
    "severity": "CRIT",
    "age_s": 8040.5,
    "created": "2026-02-11T07:16:00Z",
    "local_status": "pending",
    "stripe_status": "succeeded",
    "matched_by": "processor_ref",
    "order_id": "order-77",
    "cause": "likely a lost webhook: Stripe could not deliver evt_1 (payment_intent.succeeded)",
    "quirk": None,
    "candidates": [],
    "evidence": [],
    "actions": [
        {"text": "See it", "command": "stripe payment_intents retrieve pi_3QxyzABC"},
    ],
}
RECONCILE = Report(
    "reconcile",
    NOW,
    environment="production",
    checks=(
        result(
            Status.CRIT,
            "reconcile.status_mismatch",
            "2 with different states: 19.99 USD at risk",
            source="stripe+postgres",
            since=BEGAN,
            measured={"count": 2, "money": 1999, "critical": 1},
            limits={
                "count": Threshold(0, None, "count", "each"),
                "critical": Threshold(None, 0, "count", "CRIT"),
            },
            money_at_risk=(MoneyAtRisk("usd", 1999, 2),),
        ),
        result(Status.OK, "reconcile.matched", "990 matched: 1,234.50 USD"),
    ),
    stripe_calls=6,
    duration_ms=900,
    extra={
        "totals": {"matched": {"count": 990, "money": [{"currency": "usd", "minor": 123450}]}},
        "discrepancies": [
            _DISCREPANCY,
            {
                **_DISCREPANCY,
                "class": "no_reference",
                "local_id": "=HYPERLINK(1)",
                "stripe_id": None,
                "stripe_status": None,
                "money": None,
                "severity": "WARN",
                "cause": "a|b <script> [x](y)",
                "quirk": "rows lose their reference here",
                "candidates": ["pi_9"],
                "actions": [],
            },
        ],
        "left_out": 3,
    },
)

# A run with a memory (`--state`): one check of each kind of change.
CHANGED = report(
    result(Status.CRIT, "circuit.state", "breaker `stripe` is open", since=BEGAN),
    result(Status.WARN, "webhooks.delivery_lag", "41 min behind"),
    result(Status.OK, "payments.success_rate", "98.2 % succeeded"),
    result(Status.OK, "stripe.reachable", "Stripe answers in 212 ms"),
    tables=(
        changes_table(
            (
                Change("circuit.state", Kind.NEW, Status.CRIT, Status.OK, NOW),
                Change("webhooks.delivery_lag", Kind.PERSISTING, Status.WARN, Status.WARN, BEGAN),
                Change("payments.success_rate", Kind.RESOLVED, Status.OK, Status.CRIT, BEGAN),
                Change("stripe.reachable", Kind.FLAPPING, Status.OK, Status.CRIT, BEGAN),
            )
        ),
    ),
)

REPORTS = {
    "healthy": HEALTHY,
    "incident": INCIDENT,
    "hostile": HOSTILE,
    "all_skipped": ALL_SKIPPED,
    "empty": EMPTY,
    "reconcile": RECONCILE,
    "tables": TABLES,
    "changed": CHANGED,
}
