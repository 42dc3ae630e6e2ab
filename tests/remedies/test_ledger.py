"""Which discrepancy becomes which change, and everything that is refused: pure tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from payops.config.ledger import Ledger
from payops.domain.discrepancy import Discrepancy, MatchClass
from payops.domain.money import Money
from payops.domain.plan import Change
from payops.domain.plan_facts import Refusal, StripeFacts
from payops.domain.status import Status
from payops.remedies.ledger import Seen, plan_for
from tools import NOW, settings

PI = "pi_3Abc"
MOMENT = datetime(2026, 2, 11, 9, 0, tzinfo=UTC)
PAYMENTS: dict[str, Any] = {
    "table": "payments",
    "columns": {
        "id": "id",
        "processor_ref": "ref",
        "status": "status",
        "amount": "amount",
        "currency": "currency",
        "created_at": "created_at",
        "updated_at": "updated_at",
    },
    "statuses": {"pending": ["pending", "new"], "succeeded": ["paid"], "failed": ["failed"]},
    "fixes": [
        {
            "when": {
                "match_class": "status_mismatch",
                "local": ["pending"],
                "stripe": ["succeeded"],
            },
            "set": {"status": "paid", "paid_at": "@succeeded_at", "updated_at": "@now"},
            "why": "Stripe took the money",
            "risk": "fulfil by hand",
        },
        {
            "when": {
                "match_class": "status_mismatch",
                "local": ["pending"],
                "stripe": ["canceled"],
            },
            "set": {"status": "failed", "code": "@failure_code"},
            "why": "canceled",
        },
        {"when": {"match_class": "status_mismatch"}, "set": {"status": "paid"}, "why": "anything"},
        {
            "when": {"match_class": "refund_missing"},
            "insert_into": "refunds",
            "set": {
                "id": "@uuid",
                "payment_id": "@local_id",
                "ref": "@refund",
                "amount": "@amount",
                "currency": "@currency",
                "status": "succeeded",
                "made": True,
                "note": None,
                "created_at": "@created",
            },
            "why": "never recorded",
        },
    ],
}
REFUNDS: dict[str, Any] = {
    "kind": "refunds",
    "table": "refunds",
    "columns": {
        "id": "id",
        "processor_ref": "ref",
        "status": "status",
        "amount": "amount",
        "created_at": "created_at",
    },
    "statuses": {"succeeded": ["succeeded"]},
}
TYPES = {
    "updated_at": "timestamptz",
    "paid_at": "timestamptz",
    "created_at": "timestamptz",
    "status": "text",
}
ROW: dict[str, str | None] = {
    "status": "pending",
    "paid_at": None,
    "code": None,
    "updated_at": "2026-02-11 09:00:00+00",
    "amount": "1999",
    "ref": PI,
    "currency": "usd",
}
FACTS = StripeFacts(
    payment_intent=PI,
    charge="ch_1",
    created=MOMENT,
    succeeded_at=MOMENT,
    amount=Money("usd", 1999),
    other_live=(),
)
FOUND = Discrepancy(
    match_class=MatchClass.STATUS_MISMATCH,
    ledger="payments",
    local_id="42",
    stripe_id=PI,
    local_status="pending",
    stripe_status="succeeded",
    money=Money("usd", 1999),
    severity=Status.CRIT,
    created=MOMENT,
    age_s=1800,
    matched_by="processor_ref",
    cause="webhook lost",
)
REFUND = replace(
    FOUND, match_class=MatchClass.REFUND_MISSING, stripe_id="re_1", local_status="paid"
)
REFUND_FACTS = replace(FACTS, refund="re_1", local_id="42", amount=Money("usd", 500))


def ledgers(refunds: dict[str, Any] | None = None, **payments: Any) -> dict[str, Ledger]:
    both = {"payments": {**PAYMENTS, **payments}, "refunds": {**REFUNDS, **(refunds or {})}}
    return settings(ledgers=both).ledgers


def planned(
    found: Discrepancy = FOUND,
    facts: StripeFacts = FACTS,
    row: dict[str, str | None] | None = None,
    types: dict[str, str] | None = None,
    mapped: dict[str, Ledger] | None = None,
    **changed: str | None,
) -> Change | Refusal:
    seen = Seen({**(row or ROW), **changed}, types or TYPES)
    return plan_for(found, mapped or ledgers(), facts, seen, now=NOW)


def change(*args: Any, **more: Any) -> Change:
    made = planned(*args, **more)
    assert isinstance(made, Change), made
    return made


def refusal(*args: Any, **more: Any) -> str:
    made = planned(*args, **more)
    assert isinstance(made, Refusal), made
    return made.why


def test_pending_becomes_what_stripe_says() -> None:
    made = change()
    assert made.id == "status_mismatch:payments:42"
    assert made.remedy == "ledger.update"
    assert made.key == {"id": "42"}
    assert made.before == {name: ROW[name] for name in ROW if name != "code"}
    assert made.after == {
        "status": "paid",
        "paid_at": "2026-02-11T09:00:00+00:00",
        "updated_at": NOW.isoformat(),
    }
    assert made.why == "Stripe took the money. webhook lost"
    assert made.risk == "fulfil by hand"
    assert made.money == Money("usd", 1999)
    assert made.evidence


def test_planned_again_it_is_the_same_change() -> None:
    assert change() == change()
    again = plan_for(REFUND, ledgers(), REFUND_FACTS, Seen(None, TYPES), now=NOW.replace(year=2027))
    first = plan_for(REFUND, ledgers(), REFUND_FACTS, Seen(None, TYPES), now=NOW)
    assert again == first


def test_a_refund_is_recorded_once() -> None:
    made = change(REFUND, REFUND_FACTS)
    assert made.remedy == "ledger.insert"
    assert made.table == "refunds"
    assert made.id == "refund_missing:payments:re_1"
    assert made.key == {"ref": "re_1"}
    assert made.before == {}
    assert made.after == {
        "id": made.after["id"],
        "payment_id": "42",
        "ref": "re_1",
        "amount": "500",
        "currency": "usd",
        "status": "succeeded",
        "made": "true",
        "note": None,
        "created_at": "2026-02-11T09:00:00+00:00",
    }


@pytest.mark.parametrize(
    ("unit", "money", "text"),
    [
        ("minor", Money("usd", 500), "500"),
        ("major", Money("usd", 500), "5.00"),
        ("major", Money("jpy", 500), "500"),
        ("major", Money("kwd", 5001), "5.001"),
        ("major", Money("usd", 10**30 + 1), "1" + "0" * 28 + ".01"),
    ],
)
def test_amounts_are_in_the_ledgers_unit(unit: str, money: Money, text: str) -> None:
    mapped = ledgers({"amount_unit": unit})
    made = change(REFUND, replace(REFUND_FACTS, amount=money), mapped=mapped)
    assert made.after["amount"] == text


@pytest.mark.parametrize(
    ("kind", "zone", "text"),
    [
        ("timestamptz", "Europe/Berlin", "2026-02-11T09:00:00+00:00"),
        ("timestamp", "UTC", "2026-02-11T09:00:00"),
        ("timestamp", "Europe/Berlin", "2026-02-11T10:00:00"),
        ("date", "Pacific/Auckland", "2026-02-11T22:00:00"),
        ("text", "Europe/Berlin", "2026-02-11T09:00:00+00:00"),
    ],
)
def test_times_are_the_columns(kind: str, zone: str, text: str) -> None:
    made = change(types={**TYPES, "paid_at": kind}, mapped=ledgers(timezone=zone))
    assert made.after["paid_at"] == text


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"local_status": "paid", "stripe_status": "canceled"}, "local succeeded, Stripe canceled"),
        ({"local_status": "odd"}, "local 'odd' \\(unknown\\)"),
        ({"stripe_status": "requires_action"}, "no fix names this pair"),
        ({"stripe_status": ""}, "no fix names this pair"),
        ({"match_class": MatchClass.AMOUNT_MISMATCH}, "no fix of the ledger names amount_mismatch"),
        ({"match_class": MatchClass.IN_FLIGHT}, "nothing to put right"),
        ({"match_class": MatchClass.MATCHED}, "nothing to put right"),
        ({"matched_by": ""}, "guessed"),
        ({"matched_by": "customer_amount"}, "guessed"),
        ({"local_id": ""}, "guessed"),
        ({"local_status": "new"}, "changed since"),
    ],
)
def test_what_is_not_named_or_not_sure_is_refused(found: dict[str, Any], said: str) -> None:
    import re

    assert re.search(said, refusal(replace(FOUND, **found)))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"other_live": None}, "was not looked at"),
        ({"other_live": ("pi_other",)}, "another payment may have paid .*pi_other"),
        ({"payment_intent": "pi_other"}, "names another payment: pi_3Abc"),
        ({"amount": None}, "not known on both sides"),
        ({"amount": Money("usd", 1998)}, "Stripe took 19.98 USD"),
        ({"amount": Money("usd", 2000)}, "Stripe took 20.00 USD"),
        ({"amount": Money("eur", 1999)}, "the row is in usd"),
        ({"succeeded_at": None}, "@succeeded_at is not known"),
    ],
)
def test_facts_that_speak_against_it(facts: dict[str, Any], said: str) -> None:
    import re

    assert re.search(said, refusal(facts=replace(FACTS, **facts)))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"status": "paid"}, "changed since it was matched"),
        ({"status": None}, "changed since it was matched"),
        ({"ref": "pi_other"}, "names another payment"),
        ({"amount": "2000"}, "the row says 2000"),
        ({"amount": "19.99"}, "cannot be read"),
        ({"amount": None}, "not known on both sides"),
        ({"currency": "eur"}, "the row is in eur"),
        ({"amount": "NaN"}, "cannot be read"),
    ],
)
def test_a_row_that_speaks_against_it(row: dict[str, str | None], said: str) -> None:
    assert said in refusal(**row)  # type: ignore[arg-type]


def test_a_row_that_is_gone() -> None:
    made = plan_for(FOUND, ledgers(), FACTS, Seen(None, TYPES), now=NOW)
    assert made == Refusal(PI, "the row is gone, or its key finds several")


def test_a_quirk_of_one_cent_is_known_where_it_is_said() -> None:
    facts = replace(FACTS, amount=Money("usd", 1998))
    assert change(facts=facts, mapped=ledgers(truncated_cents=True)).after["status"] == "paid"
    two = replace(FACTS, amount=Money("usd", 1997))
    assert "Stripe took" in refusal(facts=two, mapped=ledgers(truncated_cents=True))


def test_what_stripe_never_sees_is_taken_off() -> None:
    columns = {**PAYMENTS["columns"], "deduction": "gift"}
    mapped = ledgers(columns=columns, amount_unit="major")
    made = change(mapped=mapped, amount="29.99", gift="10.00")
    assert made.before["gift"] == "10.00"
    assert "Stripe took" in refusal(mapped=mapped, amount="29.99", gift=None)


def test_an_amount_that_differs_does_not_matter_to_a_failure() -> None:
    found = replace(FOUND, stripe_status="canceled")
    facts = replace(FACTS, amount=Money("usd", 1), failure_code="expired")
    assert change(found, facts).after == {"status": "failed", "code": "expired"}
    assert "@failure_code is not known" in refusal(found, FACTS)


def test_words_are_compared_as_the_mapping_says() -> None:
    found = replace(FOUND, local_status="PENDING")
    assert "unknown" in refusal(found, status="PENDING")
    assert (
        change(found, mapped=ledgers(match_case=False), status="PENDING").after["status"] == "paid"
    )


def test_a_secret_is_never_planned() -> None:
    columns = {**PAYMENTS["columns"], "processor_ref": "ref"}
    secret = "whsec_abcdefghijklmnop"
    said = refusal(mapped=ledgers(columns=columns), ref=secret)
    assert "looks like a secret" in said
    assert secret not in said


def test_nothing_of_a_new_row_tells_it_from_another() -> None:
    fix = {
        "when": {"match_class": "refund_missing"},
        "insert_into": "refunds",
        "set": {"amount": "@amount"},
        "why": "x",
    }
    assert "tells the new row" in refusal(REFUND, REFUND_FACTS, mapped=ledgers(fixes=[fix]))
    fix["insert_into"] = "refnds"
    assert "no ledger 'refnds'" in refusal(REFUND, REFUND_FACTS, mapped=ledgers(fixes=[fix]))
    odd = {**fix, "insert_into": "refunds", "set": {"ref": "@refnd"}}
    assert "@refnd is not known; one of @now" in refusal(
        REFUND, REFUND_FACTS, mapped=ledgers(fixes=[odd])
    )


def test_values_that_are_there_already() -> None:
    fix = {
        "when": PAYMENTS["fixes"][0]["when"],
        "set": {"status": "pending", "updated_at": "@now"},
        "why": "x",
    }
    assert "already" in refusal(mapped=ledgers(fixes=[fix]))
