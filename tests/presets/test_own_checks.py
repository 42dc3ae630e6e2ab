"""The own checks of presets: nothing on a healthy system; each finds what it is for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from payops.checks import named
from payops.checks.contract import Context, NamedCheck
from payops.config.files import preset_names
from payops.config.load import settings_from
from payops.domain.deadline import Deadline
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.window import Window
from payops.engine.runner import run
from payops.lab.systems import system, system_names
from presets.conftest import Filled
from tools import FakeSources, assert_typeable


def asked(filled: Filled, *ids: str) -> dict[str, CheckResult]:
    """What the own checks of a system's preset say now, by id."""
    now = datetime.now(UTC)
    chosen = [f"own.{name}" for name in filled.settings.checks] if not ids else list(ids)
    checks: tuple[NamedCheck, ...] = named(chosen, filled.settings)
    source = filled.source()
    window = Window(now - timedelta(hours=48), now)
    sources: Any = FakeSources(postgres=source)
    try:
        results = run(checks, Context(filled.settings, sources, window, now, Deadline.after(20)))
    finally:
        source.close()
    return {result.id: result for result in results}


def test_a_healthy_system_has_none(filled: Filled) -> None:
    for result in asked(filled).values():
        assert result.status in (Status.OK, Status.SKIP), f"{result.id}: {result.summary}"
        assert "not used here" in result.summary or result.status is Status.OK


PAY, PAYMENT = "payments_paymenttransaction", "payments_payment"
SALE = '"Transaction"'


def back(table: str, *columns: str) -> str:
    """Puts columns of a table back to what they were."""
    plain = table.strip('"')
    sets = ", ".join(f'"{column}" = kept."{column}"' for column in columns)
    return (
        f'UPDATE {table} SET {sets} FROM "kept_{plain}" AS kept WHERE kept.id = {table}.id; '
        f'DROP TABLE "kept_{plain}"'
    )


def keep(table: str) -> str:
    plain = table.strip('"')
    return f'CREATE TABLE "kept_{plain}" AS TABLE {table}'


# preset, check, what goes wrong, the columns that it changes, how many the check finds, its status
FAULTS = [
    (
        "debtflow",
        "not-by-card",
        PAYMENT,
        (
            "UPDATE {table} SET payment_method = 'cash' WHERE id IN "
            "(SELECT id FROM {table} WHERE processor_ref IS NOT NULL "
            "ORDER BY created_at DESC LIMIT 2)"
        ),
        ("payment_method",),
        2,
    ),
    (
        "debtflow",
        "failed-unasked",
        PAYMENT,
        (
            'UPDATE {table} SET metadata = \'{{"reconciliation": "No processor reference"}}\' '
            "WHERE id IN (SELECT id FROM {table} WHERE status = 'failed' "
            "ORDER BY created_at DESC LIMIT 1)"
        ),
        ("metadata",),
        1,
    ),
    (
        "debtflow",
        "balances",
        "accounts_account",
        (
            "UPDATE {table} SET current_balance = current_balance + 5 WHERE id IN "
            "(SELECT account_id FROM payments_payment WHERE status = 'completed' LIMIT 1)"
        ),
        ("current_balance",),
        1,
    ),
    (
        "debtflow",
        "creating-fails",
        PAYMENT,
        (
            "UPDATE {table} SET status = 'failed', "
            'metadata = \'{{"error": "Payment processor unavailable"}}\' '
            "WHERE id IN (SELECT id FROM {table} ORDER BY created_at DESC LIMIT 3)"
        ),
        ("status", "metadata"),
        3,
    ),
    (  # payment_failed overwrote the only payment of an account: nothing is completed there
        "debtflow",
        "balances",
        PAYMENT,
        (
            "UPDATE {table} SET status = 'failed' WHERE account_id = (SELECT account_id FROM "
            "{table} GROUP BY account_id HAVING bool_and(status = 'completed') LIMIT 1)"
        ),
        ("status",),
        1,
    ),
    (
        "debtflow",
        "reconcile-job",
        PAYMENT,
        (
            "UPDATE {table} SET status = 'pending', created_at = now() - interval '121 minutes' "
            "WHERE id IN (SELECT id FROM {table} ORDER BY created_at DESC LIMIT 2)"
        ),
        ("status", "created_at"),
        2,
    ),
    (
        "ireti-pos",
        "status-too-long",
        "payments_paymentwebhook",
        (
            "UPDATE {table} SET processed = false, event_type = 'payment_intent.payment_failed', "
            "created_at = now() - interval '1 hour' WHERE id IN (SELECT id FROM {table} LIMIT 3)"
        ),
        ("processed", "event_type", "created_at"),
        3,
    ),
    (
        "ireti-pos",
        "refund-without-reason",
        "payments_paymentwebhook",
        (
            "UPDATE {table} SET processed = false, event_type = 'refund.created', "
            "created_at = now() - interval '1 hour' WHERE id IN (SELECT id FROM {table} LIMIT 1)"
        ),
        ("processed", "event_type", "created_at"),
        1,
    ),
    (
        "ireti-pos",
        "refund-pending",
        "payments_paymentrefund",
        (
            "UPDATE {table} SET status = 'pending', created_at = now() - interval '2 hours' "
            "WHERE id IN (SELECT id FROM {table} LIMIT 1)"
        ),
        ("status", "created_at"),
        1,
    ),
    (
        "ireti-pos",
        "paid-twice",
        PAY,
        (
            "UPDATE {table} SET transaction_id = (SELECT min(transaction_id) FROM {table} "
            "WHERE status = 'succeeded' AND created_at > now() - interval '40 hours') WHERE id IN "
            "(SELECT id FROM {table} WHERE status = 'succeeded' ORDER BY created_at DESC LIMIT 1)"
        ),
        ("transaction_id",),
        1,
    ),
    (
        "ireti-pos",
        "sale-without-payment",
        PAY,
        (
            "UPDATE {table} SET transaction_id = NULL WHERE id IN (SELECT id FROM {table} WHERE "
            "created_at < now() - interval '2 hours' ORDER BY created_at DESC LIMIT 2)"
        ),
        ("transaction_id",),
        2,
    ),
    (
        "ireti-pos",
        "late-event",
        PAY,
        (
            "UPDATE {table} SET status = 'processing' WHERE id IN "
            "(SELECT id FROM {table} WHERE processed_at IS NOT NULL LIMIT 1)"
        ),
        ("status",),
        1,
    ),
    (
        "ireti-pos",
        "yen",
        PAY,
        (
            "UPDATE {table} SET currency = 'JPY', amount = 500 WHERE id IN "
            "(SELECT id FROM {table} WHERE status = 'succeeded' ORDER BY created_at DESC LIMIT 1)"
        ),
        ("currency", "amount"),
        1,
    ),
    (
        "ireti-pos",
        "metrics-behind",
        "payments_paymentmetric",
        (
            "UPDATE {table} SET event_type = 'webhook_received' WHERE id IN (SELECT id FROM {table}"
            " WHERE event_type = 'payment_success' AND \"timestamp\" BETWEEN "
            "now() - interval '24 hours' AND now() - interval '30 minutes' LIMIT 2)"
        ),
        ("event_type",),
        2,
    ),
    (
        "ireti-pos",
        "metrics-inflated",
        "payments_paymentmetric",
        (
            "UPDATE {table} SET event_type = 'payment_failure', "
            'metadata = \'{{"payment_intent_id": "pi_1"}}\', "timestamp" = now() '
            "WHERE id IN (SELECT id FROM {table} LIMIT 2)"
        ),
        ("event_type", "metadata", "timestamp"),
        1,
    ),
    (
        "v-edfinance",
        "paid-twice",
        SALE,
        (
            'UPDATE {table} SET ("userId", "courseId", "createdAt") = '
            '(SELECT "userId", "courseId", "createdAt" FROM {table} WHERE status = \'COMPLETED\' '
            'ORDER BY "createdAt" DESC LIMIT 1) WHERE id IN (SELECT id FROM {table} '
            "WHERE status = 'COMPLETED' ORDER BY \"createdAt\" DESC OFFSET 1 LIMIT 1)"
        ),
        ("userId", "courseId", "createdAt"),
        1,
    ),
    (
        "v-edfinance",
        "completed-without-intent",
        SALE,
        (
            "UPDATE {table} SET \"stripePaymentIntentId\" = 'anything' WHERE id IN "
            "(SELECT id FROM {table} WHERE status = 'COMPLETED' "
            'ORDER BY "createdAt" DESC LIMIT 1)'
        ),
        ("stripePaymentIntentId",),
        1,
    ),
    (
        "v-edfinance",
        "partly-refunded",
        SALE,
        (
            "UPDATE {table} SET status = 'REFUNDED', \"refundedAt\" = now() AT TIME ZONE 'utc' "
            "- interval '1 minute', metadata = '{{\"refundAmount\": 1}}' WHERE id IN "
            "(SELECT id FROM {table} WHERE status = 'COMPLETED' LIMIT 1)"
        ),
        ("status", "refundedAt", "metadata"),
        1,
    ),
    (
        "bookedbarber",
        "commission-backlog",
        "external_transactions",
        (
            "UPDATE {table} SET commission_collected = false, "
            "created_at = now() - interval '15 days' WHERE id IN (SELECT id FROM {table} WHERE "
            "lower(status) IN ('completed', 'succeeded') AND commission_amount > 0 LIMIT 2)"
        ),
        ("commission_collected", "created_at"),
        2,
    ),
    (
        "bookedbarber",
        "paid-twice",
        "payments",
        (
            "UPDATE {table} SET appointment_id = (SELECT appointment_id FROM {table} WHERE "
            "status = 'completed' ORDER BY created_at DESC LIMIT 1) WHERE id IN (SELECT id FROM "
            "{table} WHERE status = 'completed' ORDER BY created_at DESC OFFSET 1 LIMIT 1)"
        ),
        ("appointment_id",),
        1,
    ),
    (
        "bookedbarber",
        "one-intent-twice",
        "payments",
        (
            "UPDATE {table} SET stripe_payment_intent_id = (SELECT stripe_payment_intent_id FROM "
            "{table} ORDER BY created_at DESC LIMIT 1) WHERE id IN (SELECT id FROM {table} "
            "ORDER BY created_at DESC OFFSET 1 LIMIT 1)"
        ),
        ("stripe_payment_intent_id",),
        1,
    ),
    (
        "bookedbarber",
        "made-up-intents",
        "payments",
        (
            "UPDATE {table} SET stripe_payment_intent_id = 'pi_mock_1' WHERE id IN "
            "(SELECT id FROM {table} ORDER BY created_at DESC LIMIT 1)"
        ),
        ("stripe_payment_intent_id",),
        1,
    ),
]


@pytest.mark.parametrize(
    ("preset", "name", "table", "fault", "columns", "count"),
    FAULTS,
    ids=lambda one: one if isinstance(one, str) and len(one) < 30 else "",
)
def test_it_finds_what_it_is_for(
    preset: str,
    name: str,
    table: str,
    fault: str,
    columns: tuple[str, ...],
    count: int,
    fill: Callable[[str], Filled],
) -> None:
    filled = fill(preset)
    with filled.connect() as connection:
        connection.execute(keep(table))
        done = connection.execute(fault.format(table=table))
        assert done.rowcount > 0, "the fault was not made"
    try:
        result = asked(filled, f"own.{name}")[f"own.{name}"]
    finally:
        with filled.connect() as connection:
            connection.execute(back(table, *columns))
    check = filled.settings.checks[name]
    assert result.status is (Status.CRIT if check.crit == 0 else Status.WARN), result.summary
    assert result.measured["count"] == count, result.summary
    assert len(result.actions) == 1
    assert bool(result.money_at_risk) == bool(check.money)
    assert "without a usable amount" not in result.summary
    assert asked(filled, f"own.{name}")[f"own.{name}"].status is Status.OK


@pytest.mark.parametrize(
    ("shape", "name", "table"),
    [
        ("v-edfinance", "not-enrolled", "UserProgress"),
        ("v-edfinance-drizzle", "not-in-enrollment", "Enrollment"),
    ],
)
def test_who_paid_and_was_not_let_in_is_found(
    shape: str, name: str, table: str, fill: Callable[[str], Filled]
) -> None:
    filled = fill(shape)
    with filled.connect() as connection:
        connection.execute(f'CREATE TABLE kept_all AS TABLE "{table}"; DELETE FROM "{table}"')
        result = asked(filled, f"own.{name}")[f"own.{name}"]
        connection.execute(f'INSERT INTO "{table}" TABLE kept_all; DROP TABLE kept_all')
    assert result.status is Status.WARN
    assert result.money_at_risk
    assert asked(filled, f"own.{name}")[f"own.{name}"].status is Status.OK


@pytest.mark.parametrize("shape", ["bookedbarber", "bookedbarber-migrated"])
def test_a_payout_that_waits_for_ever_is_found(shape: str, fill: Callable[[str], Filled]) -> None:
    filled = fill(shape)
    made = (("processing", "tr_1", 2), ("completed", "tr_2", 2), ("pending", None, 2))
    with filled.connect() as connection:
        for status, transfer, days in (*made, ("pending", "tr_3", 0)):
            connection.execute(
                "INSERT INTO payouts (barber_id, amount, status, stripe_transfer_id, created_at) "
                "SELECT min(id), 12.5, %s, %s, now() - %s * interval '1 day' FROM users",
                (status, transfer, days),
            )
        result = asked(filled, "own.payouts-open")["own.payouts-open"]
        connection.execute("DELETE FROM payouts")
    assert (result.status, result.measured["count"]) == (Status.WARN, 1)
    assert [str(one) for one in result.money_at_risk] == ["12.50 USD (1)"]


def test_every_own_check_of_a_preset_has_a_fault_that_trips_it() -> None:
    tripped = {(preset, name) for preset, name, *_ in FAULTS}
    tripped |= {("v-edfinance", "not-enrolled"), ("v-edfinance", "not-in-enrollment")}
    tripped |= {("bookedbarber", "payouts-open")}
    checks = {
        (preset, name)
        for preset in preset_names()
        for name in settings_from({"preset": preset}).checks
    }
    assert tripped == checks


@pytest.mark.parametrize("preset", preset_names())
def test_each_says_where_it_comes_from_and_what_to_do(preset: str) -> None:
    for name, check in settings_from({"preset": preset}).checks.items():
        assert check.source, name
        assert check.action, name
        assert len(check.title) < 80
        assert_typeable(check.command)
        for secret in ("client_secret", "connection_data", "webhook_secret", "password", "ssn"):
            assert secret not in check.sql
        assert "*" not in check.sql.replace("count(*)", "")


def test_every_system_is_asked() -> None:
    assert {preset for preset, *_ in FAULTS} | {"reference"} == {
        system(name).preset for name in system_names()
    }
