"""A discrepancy becomes a change, where the ledger's `fixes` say so and nothing speaks against it.

Pure: the row as it is now, the catalog's types and Stripe's facts are given. Conservative: what is
not named is refused, and so is a row that is not as it was when the two sides were matched, a guess
at which row it is, another payment that may have paid for the same order, and an amount that is not
Stripe's. Nothing here can write to Stripe or move money.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from payops.domain.discrepancy import HARMLESS, Discrepancy, MatchClass
from payops.domain.duration import utc_text
from payops.domain.money import minor_units
from payops.domain.plan import Change, Values
from payops.domain.plan_facts import Refusal, StripeFacts
from payops.domain.secret import redact
from payops.domain.text import shortened
from payops.remedies.values import value_of

if TYPE_CHECKING:
    from payops.config.ledger import Fix, Ledger

# How the two sides were found to belong together; a customer or an amount is a suggestion only.
_SURE = frozenset({"processor_ref", "charge", "session", "transfer", "metadata", "idempotency_key"})
_LONGEST_EVIDENCE = 400  # characters; the report has all of it
_BOTH_NAMED = frozenset({MatchClass.STATUS_MISMATCH})


class _NoError(ValueError):
    """Why there is no change."""


@dataclass(frozen=True)
class Seen:
    """What the database says: the row's `columns_for` as text (None: no such row), and the type of
    each column, by the catalog, of the table that the change is for."""

    row: Values | None
    types: Mapping[str, str]


def fix_for(discrepancy: Discrepancy, ledger: Ledger) -> Fix | None:
    """The first of the ledger's fixes that names this discrepancy; None when none does.

    Of a status mismatch both sides have to be named; elsewhere what a fix leaves out may be
    anything.
    """
    local, stripe = _word(discrepancy.local_status, ledger), discrepancy.stripe_status
    for fix in ledger.fixes:
        when = fix.when
        if when.match_class != discrepancy.match_class.value:
            continue
        if discrepancy.match_class in _BOTH_NAMED and not (when.local and when.stripe):
            continue
        if (not when.local or local in when.local) and (not when.stripe or stripe in when.stripe):
            return fix
    return None


def columns_for(fix: Fix, ledger: Ledger) -> tuple[str, ...]:
    """The columns of the row that an updating fix has to know: those it sets, and those that would
    show that the row is not what it was."""
    names = ledger.columns
    guards = (
        names.status,
        names.updated_at,
        names.amount,
        names.processor_ref,
        names.currency,
        names.deduction,
    )
    return tuple(dict.fromkeys([*fix.set, *filter(None, guards)]))


def plan_for(
    discrepancy: Discrepancy,
    ledgers: Mapping[str, Ledger],
    facts: StripeFacts,
    seen: Seen,
    *,
    now: datetime,
) -> Change | Refusal:
    """The change that puts a discrepancy right, without its `statement`, or why there is none."""
    subject = discrepancy.stripe_id or discrepancy.local_id
    try:
        return _change(discrepancy, ledgers, facts, seen, now)
    except ValueError as error:
        return Refusal(subject, str(error))


def _change(
    discrepancy: Discrepancy,
    ledgers: Mapping[str, Ledger],
    facts: StripeFacts,
    seen: Seen,
    now: datetime,
) -> Change:
    ledger = ledgers[discrepancy.ledger]
    if discrepancy.match_class in HARMLESS:
        raise _NoError(f"{discrepancy.match_class.value} is nothing to put right")
    fix = fix_for(discrepancy, ledger)
    if fix is None:
        raise _NoError(_not_named(discrepancy, ledger))
    into = ledgers.get(fix.insert_into) if fix.insert_into else None
    if fix.insert_into and into is None:
        raise _NoError(f"insert_into: there is no ledger {fix.insert_into!r}")
    table = into or ledger
    if table.kind != "refunds":
        _no_other_payment(facts)
    values = {
        column: value_of(
            given, column, table, facts, seen.types, local_id=discrepancy.local_id, now=now
        )
        for column, given in fix.set.items()
    }
    if not values:
        raise _NoError("the fix sets nothing")
    common = Change(
        id=f"{discrepancy.match_class.value}:{discrepancy.ledger}:"
        f"{discrepancy.local_id if into is None else discrepancy.stripe_id}",
        remedy="ledger.insert" if into else "ledger.update",
        table=table.table,
        key={},
        before={},
        after=values,
        statement="",
        why=f"{fix.why}. {discrepancy.cause}".strip(". ") if discrepancy.cause else fix.why,
        evidence=_evidence(discrepancy),
        risk=fix.risk,
        money=discrepancy.money,
    )
    if into is not None:
        return _no_secrets(replace(common, key=_reference(into, values)))
    return _no_secrets(_update(common, discrepancy, ledger, facts, fix, seen))


def _update(
    common: Change,
    discrepancy: Discrepancy,
    ledger: Ledger,
    facts: StripeFacts,
    fix: Fix,
    seen: Seen,
) -> Change:
    names = ledger.columns
    if not discrepancy.local_id or discrepancy.matched_by not in _SURE:
        raise _NoError("which row it is was guessed, not known")
    if seen.row is None:
        raise _NoError("the row is gone, or its key finds several")
    row = seen.row
    if row.get(names.status) != discrepancy.local_status:
        raise _NoError(
            f"changed since it was matched: {names.status} is {row.get(names.status)!r}, "
            f"was {discrepancy.local_status!r}"
        )
    reference = row.get(names.processor_ref) or ""
    if reference.startswith("pi_") and facts.payment_intent not in {"", reference}:
        raise _NoError(f"the row names another payment: {reference}")
    if _word(common.after.get(names.status) or "", ledger) == "succeeded":
        _same_amount(row, ledger, facts)
    before = {column: row[column] for column in columns_for(fix, ledger)}
    changed = {column: value for column, value in common.after.items() if value != before[column]}
    if not set(changed) - {names.updated_at}:
        raise _NoError("the row has these values already")
    return replace(common, key={names.id: discrepancy.local_id}, before=before, after=changed)


def _reference(into: Ledger, values: Values) -> Values:
    """The values by which a row that is to be inserted would be found if it were there."""
    names = into.columns
    for column in (names.processor_ref, names.charge_ref, names.id):
        if column and values.get(column):
            return {column: values[column]}
    raise _NoError(
        f"nothing of what it sets tells the new row of {into.table} from another: set "
        f"{names.processor_ref or names.id}"
    )


def _no_other_payment(facts: StripeFacts) -> None:
    if facts.other_live is None:
        raise _NoError("whether another payment was made for the same order was not looked at")
    if facts.other_live:
        others = ", ".join(facts.other_live[:3])
        raise _NoError(f"another payment may have paid for the same order: {others}")


def _same_amount(row: Values, ledger: Ledger, facts: StripeFacts) -> None:
    """A row is not called paid when Stripe took another sum."""
    names = ledger.columns
    amount = row.get(names.amount)
    if facts.amount is None or amount is None:
        raise _NoError("the amount is not known on both sides")
    currency = (row.get(names.currency) or ledger.currency).strip().lower()
    if currency != facts.amount.currency:
        raise _NoError(f"the row is in {currency}, Stripe took {facts.amount}")
    try:
        minor = _minor(amount, currency, ledger) - _minor(
            row.get(names.deduction) or "0", currency, ledger
        )
    except ValueError as error:
        raise _NoError(f"the row's amount cannot be read: {error}") from None
    cut = 1 if ledger.truncated_cents else 0
    if not 0 <= minor - facts.amount.minor <= cut:
        raise _NoError(f"the row says {minor} minor units, Stripe took {facts.amount}")


def _minor(amount: str, currency: str, ledger: Ledger) -> int:
    """Exact: `10.00` minor units are 10, and 10.5 are none."""
    if ledger.amount_unit == "major":
        return minor_units(amount, currency)
    return minor_units(amount, "jpy")


def _not_named(discrepancy: Discrepancy, ledger: Ledger) -> str:
    if discrepancy.match_class not in _BOTH_NAMED:
        return f"no fix of the ledger names {discrepancy.match_class.value}"
    local = _word(discrepancy.local_status, ledger) or f"{discrepancy.local_status!r} (unknown)"
    return f"no fix names this pair: local {local}, Stripe {discrepancy.stripe_status}"


def _word(status: str, ledger: Ledger) -> str:
    """payops' word for a table's own; empty when the mapping does not know it."""
    for word, values in ledger.statuses.items():
        if status in values:
            return word
        if not ledger.match_case and status.lower() in {value.lower() for value in values}:
            return word
    return ""


def _evidence(discrepancy: Discrepancy) -> tuple[str, ...]:
    lines = []
    for seen in discrepancy.evidence:
        detail = " ".join(f"{name}={value}" for name, value in seen.detail.items())
        told = shortened(f"{seen.what} {detail}".strip(), _LONGEST_EVIDENCE)
        lines.append(f"{seen.source} {utc_text(seen.as_of)}: {told}")
    if not lines:
        local = discrepancy.local_status or "nothing"
        stripe = f"{discrepancy.stripe_status or 'nothing'} ({discrepancy.stripe_id or 'no id'})"
        lines = [f"local {local}, Stripe {stripe}"]
    return tuple(redact(line) for line in lines)


def _no_secrets(change: Change) -> Change:
    """A plan is a file that is mailed around."""
    for values in (change.key, change.before, change.after):
        for column, value in values.items():
            if value is not None and redact(value) != value:
                raise _NoError(f"{column} holds what looks like a secret, and a plan holds none")
    return change
