"""From the rows of a match to discrepancies, and to what a plan has to know of each."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from payops.domain.discrepancy import HARMLESS, Discrepancy, MatchClass
from payops.domain.duration import utc_text
from payops.domain.evidence import Action, Evidence, Scalar
from payops.domain.money import Money
from payops.domain.plan_facts import StripeFacts
from payops.domain.status import Status
from payops.reconcile.causes import Clue, likely_cause
from payops.reconcile.classify import PAIRS
from payops.reconcile.totals import Row

if TYPE_CHECKING:
    from payops.config.ledger import Ledger

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Money that payops never moves: what a person does about it, with Stripe's own tool.
_BY_HAND = {
    MatchClass.DUPLICATE_CHARGE: (
        "Ask whether both were meant; if not, give the second back",
        "stripe refunds create --payment-intent {intent}",
    ),
    MatchClass.DISPUTE_UNRECORDED: (
        "Answer the dispute in time, and stop what was sold",
        "stripe disputes list --payment-intent {intent}",
    ),
    MatchClass.LIVEMODE_OR_ACCOUNT_MISMATCH: (
        "Compare the application's keys with the configured environment",
        "payops config check",
    ),
    MatchClass.UNEXPECTED_STATUS: (
        "Map the word (statuses of the ledger in the configuration)",
        "payops config show",
    ),
}
_LOOK = {
    "pi_": "stripe payment_intents retrieve {id}",
    "re_": "stripe refunds retrieve {id}",
    "ch_": "stripe charges retrieve {id}",
    "cs_": "stripe checkout sessions retrieve {id}",
}
_CAN_BE_PLANNED = frozenset(
    {
        MatchClass.STATUS_MISMATCH,
        MatchClass.REFUND_MISSING,
        MatchClass.REFUND_PARTIAL_MISMATCH,
        MatchClass.DISPUTE_UNRECORDED,
        MatchClass.MISSING_IN_LEDGER,
        MatchClass.AMOUNT_MISMATCH,
        MatchClass.FEE_MISMATCH,
    }
)


def moment(us: int | None) -> datetime | None:
    """Microseconds since the epoch as aware UTC."""
    return None if us is None else _EPOCH + timedelta(microseconds=us)


def discrepancy(
    row: Row,
    ledgers: Mapping[str, Ledger],
    *,
    now: datetime,
    clue: Clue | None = None,
    again: str = "payops reconcile --since 24h",
    sources: tuple[str, str] = ("stripe", "postgres"),
) -> Discrepancy:
    """One row of `Match.findings` for people and for plans.

    `now` is what ages count from, `again` the command that found it, `sources` where each side was
    read.
    """
    match_class = MatchClass(row["class"])
    times = [row["stripe_us"], row["ledger_us"]]
    created = moment(min((each for each in times if each is not None), default=None)) or now
    ledger = _ledger_of(row)
    money = None
    if row["money"] is not None and row["currency"]:
        money = Money(row["currency"], int(row["money"]))
    return Discrepancy(
        match_class=match_class,
        ledger=ledger,
        local_id=_local_id(row),
        stripe_id=stripe_id(row),
        local_status=row["local_status"] or "",
        stripe_status=_stripe_status(row),
        money=money,
        severity=Status[row["severity"]],
        created=created,
        age_s=round((now - created).total_seconds(), 3),
        matched_by=row["matched_by"] or "",
        cause=likely_cause(row, clue),
        quirk=_quirk(row, ledgers.get(ledger)),
        order_id=row.get("local_order") or row.get("meta_order") or "",
        candidates=_candidates(row),
        evidence=_evidence(row, now, sources, clue),
        actions=_actions(row, match_class, ledgers.get(ledger), again),
    )


_GIVEN_BACK = {"refunded": "refunded", "part_refunded": "partly refunded"}


def stripe_id(row: Row) -> str:
    """What the finding is called at Stripe: of a missing refund the refund, else the intent."""
    if row["book"] == "refunds":
        return str(row["refund_id"] or "")
    only_one = row["class"] == MatchClass.REFUND_MISSING.value and row.get("refunds") == 1
    if only_one and row["word"] == "succeeded" and row.get("refund"):
        return str(row["refund"])
    return str(row["id"] or "")


def stripe_facts(row: Row, others: Sequence[str] | None) -> StripeFacts:
    """Stripe's side of a finding, in the values that a fix may take."""
    of_refund = row["book"] == "refunds"
    amount = row["amount"] if of_refund or not row["took"] else row["took"]
    refund = row["refund_id"] if of_refund else row.get("refund")
    currency = row["stripe_currency"]
    if not of_refund and stripe_id(row) == row.get("refund"):
        amount = row["given"]
    if row["class"] == MatchClass.STATUS_MISMATCH.value and row.get("true_state") in _GIVEN_BACK:
        amount = row["given"]  # what is to be recorded is what went back
    return StripeFacts(
        payment_intent=row["id"] if row["id"] and not row.get("is_session") else "",
        charge=row["charge"] or "",
        refund=refund or "",
        created=moment(row["stripe_us"]),
        succeeded_at=moment(row.get("charge_created_us")),
        failure_code=row.get("failure_code") or "",
        amount=Money(currency, int(amount)) if currency and amount is not None else None,
        local_id=row["key"] or "",
        other_live=tuple(others) if others is not None else None,
    )


def _ledger_of(row: Row) -> str:
    """Whose row it is: of a refund that is recorded the ledger of refunds, else the payments'."""
    if row["book"] == "refunds" and row["refund_row"]:
        return str(row["refund_ledger"] or row["ledger"] or "")
    return str(row["ledger"] or "")


def _local_id(row: Row) -> str:
    if row["book"] == "refunds" and row["refund_row"]:
        return str(row["refund_row"])
    return str(row["key"] or "")


def _stripe_status(row: Row) -> str:
    """Stripe's word. A payment that was taken and given back is not to be mistaken for a paid one:
    no fix of `succeeded` shall fit it."""
    status = str(row["stripe_status"] or "")
    given = _GIVEN_BACK.get(row.get("true_state") or "")
    if given and row["class"] == MatchClass.STATUS_MISMATCH.value:
        return f"{status}, {given}"
    return status


def _quirk(row: Row, ledger: Ledger | None) -> str:
    if ledger is None:
        return ""
    return ledger.quirks.get(row["class"], "")


def _candidates(row: Row) -> tuple[str, ...]:
    """The other side's id that might belong, as a suggestion."""
    suggested = row.get("suggested_key") if row["id"] else row.get("suggested_id")
    return (str(suggested),) if suggested else ()


def _evidence(
    row: Row, now: datetime, sources: tuple[str, str], clue: Clue | None
) -> tuple[Evidence, ...]:
    stripe, ledger = sources
    found = []
    if row["stripe_status"] is not None:
        what = f"at Stripe: {_stripe_status(row)}, {_money(row['amount'], row['stripe_currency'])}"
        found.append(Evidence(what, stripe, now, _stripe_detail(row)))
    if row["local_status"] is not None:
        known = _ledger_detail(row)
        what = f"in the ledger: {row['local_status']}, {known['amount']}"
        found.append(Evidence(what, ledger, now, known))
    if row["class"] in ("missing_in_ledger", "missing_in_stripe", "refund_missing"):
        asked = ledger if row["local_status"] is None else stripe
        if not (row["class"] == "refund_missing" and row["book"] == "payments"):
            what = "asked for by id: not there" if row["confirmed"] else "not asked for by id"
            found.append(Evidence(what, asked, now, {"confirmed": bool(row["confirmed"])}))
    if row.get("also"):
        found.append(Evidence("also", f"{stripe}+{ledger}", now, {"classes": row["also"]}))
    if row.get("suggested_how") and _candidates(row):
        detail: dict[str, Scalar] = {"id": _candidates(row)[0], "by": row["suggested_how"]}
        found.append(
            Evidence("might belong to it (a suggestion)", f"{stripe}+{ledger}", now, detail)
        )
    why = PAIRS.get(row["word"] or "", {}).get(row.get("state") or "")
    if why is not None and why.match_class.value == row["class"]:
        found.append(Evidence(why.why, f"{stripe}+{ledger}", now))
    if clue is not None:
        said = {"event": clue.event, "type": clue.type, "log": clue.logged or None}
        found.append(Evidence("event", stripe, now, said))
    return tuple(found)


def _stripe_detail(row: Row) -> dict[str, Scalar]:
    detail: dict[str, Scalar] = {"id": stripe_id(row) or row["id"], "status": row["stripe_status"]}
    if row["book"] == "refunds":
        detail["payment_intent"] = row["id"]
    detail["created"] = _time(row["stripe_us"])
    detail["amount"] = _money(row["amount"], row["stripe_currency"])
    if row["book"] == "payments":
        detail["received"] = _money(row["took"], row["stripe_currency"])
        for name, value in (
            ("refunded", _money(row["given"], row["stripe_currency"]) if row["given"] else None),
            ("refund", row.get("refund")),
            ("dispute", row.get("dispute")),
            ("dispute_status", row.get("dispute_status")),
            ("failure_code", row.get("failure_code")),
            ("charge", row["charge"]),
            ("livemode", row.get("livemode")),
            ("order", row.get("meta_order")),
            ("fee", row.get("fee")),
            ("charged_before", row.get("earlier")),
        ):
            if value is not None:
                detail[name] = value
    return detail


def _ledger_detail(row: Row) -> dict[str, Scalar]:
    detail: dict[str, Scalar] = {
        "key": row["refund_row"] if row["book"] == "refunds" else row["key"],
        "status": row["local_status"],
        "created": _time(row["ledger_us"]),
        "amount": _money(row["stored"], row["ledger_currency"])
        if row["stored"] is not None
        else row["stored_text"],
    }
    for name in (
        "processor_ref", "charge_ref", "session_ref", "local_order", "local_failure", "deducted",
        "recorded", "fee_minor", "first_key",
    ):  # fmt: skip
        value = row.get(name)
        if value is not None and not (name == "first_key" and value == row["key"]):
            detail[_SHOWN.get(name, name)] = value
    if row.get("updated_us"):
        detail["updated"] = _time(row["updated_us"])
    return detail


_SHOWN = {
    "local_order": "order",
    "local_failure": "failure_code",
    "recorded": "refunded",
    "fee_minor": "fee",
}


def _money(minor: int | None, currency: str | None) -> str | None:
    return str(Money(currency, int(minor))) if minor is not None and currency else None


def _time(us: int | None) -> str | None:
    found = moment(us)
    return utc_text(found) if found else None


def _actions(
    row: Row, match_class: MatchClass, ledger: Ledger | None, again: str
) -> tuple[Action, ...]:
    if match_class in HARMLESS:
        return ()
    found = []
    intent = shlex.quote(row["id"] or "")
    if match_class in _BY_HAND:
        text, command = _BY_HAND[match_class]
        needs = "{intent}" in command and not row["id"]
        found.append(Action(text, "" if needs else command.format(intent=intent)))
    if match_class in _CAN_BE_PLANNED and _has_fix(ledger, match_class):
        only = f"{again} --only {match_class.value} --save-plan plan.json"
        found.append(
            Action("Plan the change, then look at it: payops apply plan.json --show", only)
        )
    look = next((to for start, to in _LOOK.items() if stripe_id(row).startswith(start)), "")
    if look:
        found.append(Action("See it at Stripe", look.format(id=shlex.quote(stripe_id(row)))))
    if not found:
        found.append(Action(_ASK.get(match_class, "Find out by hand what it belongs to")))
    return tuple(found)


_ASK = {
    MatchClass.NO_REFERENCE: "Find the payment at Stripe by customer, amount and time; "
    "then write its id into the row, or take the row back",
    MatchClass.MISSING_IN_STRIPE: "Find out where the id came from, and whether anything was paid",
    MatchClass.DUPLICATE_IN_LEDGER: "Keep the first row; look whether it was delivered twice",
}


def _has_fix(ledger: Ledger | None, match_class: MatchClass) -> bool:
    return ledger is not None and any(
        fix.when.match_class == match_class.value for fix in ledger.fixes
    )
