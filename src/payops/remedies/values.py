"""The values that a fix may name: `@now`, `@charge`, `@amount`, … from the evidence."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from payops.domain.money import exponent
from payops.domain.plan_facts import StripeFacts

if TYPE_CHECKING:
    from payops.config.ledger import Ledger

# Names the rows that payops inserts: the same refund gets the same key whenever it is planned.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://payops.invalid/rows")
_ZONED = {"timestamptz", "text", "varchar"}
_UNZONED = {"timestamp", "date"}


def value_of(
    given: str | int | bool | None,
    column: str,
    ledger: Ledger,
    facts: StripeFacts,
    types: Mapping[str, str],
    *,
    local_id: str,
    now: datetime,
) -> str | None:
    """A fix's value as text for a column of `ledger`, whose catalog types are `types`.

    Raises ValueError when the evidence does not have it, or the column cannot hold it.
    """
    if given is None:
        return None
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, int) or not given.startswith("@"):
        return str(given)
    moments = {"@now": now, "@created": facts.created, "@succeeded_at": facts.succeeded_at}
    if given in moments:
        return _moment(given, moments[given], column, ledger, types)
    texts = {
        "@payment_intent": facts.payment_intent,
        "@charge": facts.charge,
        "@refund": facts.refund,
        "@failure_code": facts.failure_code,
        "@currency": facts.amount.currency if facts.amount else "",
        "@local_id": facts.local_id or local_id,
        "@amount": _amount(facts, ledger),
        "@uuid": _uuid(facts, ledger),
    }
    if given not in texts:
        raise ValueError(f"{column}: {given} is not known; one of {', '.join([*moments, *texts])}")
    if not texts[given]:
        raise ValueError(f"{column}: {given} is not known of it")
    return texts[given]


def _amount(facts: StripeFacts, ledger: Ledger) -> str:
    if facts.amount is None:
        return ""
    if ledger.amount_unit == "minor":
        return str(facts.amount.minor)
    return f"{facts.amount.major:.{exponent(facts.amount.currency)}f}"


def _uuid(facts: StripeFacts, ledger: Ledger) -> str:
    stripe_id = facts.refund or facts.payment_intent or facts.charge
    return str(uuid.uuid5(_NAMESPACE, f"{ledger.table}/{stripe_id}")) if stripe_id else ""


def _moment(
    name: str, moment: datetime | None, column: str, ledger: Ledger, types: Mapping[str, str]
) -> str:
    if moment is None:
        raise ValueError(f"{column}: {name} is not known of it")
    kind = types.get(column, "")
    if kind in _ZONED:
        return moment.astimezone(UTC).isoformat()
    if kind in _UNZONED:
        zone = UTC if ledger.timezone.upper() == "UTC" else ZoneInfo(ledger.timezone)
        return moment.astimezone(zone).replace(tzinfo=None).isoformat()
    raise ValueError(f"{column}: {name} is a time, and a column of type {kind} holds none")
