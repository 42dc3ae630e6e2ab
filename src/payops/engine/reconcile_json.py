"""The sections of `payops reconcile` in JSON: discrepancies and totals."""

from __future__ import annotations

from collections.abc import Mapping

from payops.domain.discrepancy import Discrepancy
from payops.domain.duration import utc_text
from payops.reconcile.totals import ClassTotal, Side


def as_json(found: Discrepancy) -> dict[str, object]:
    """A discrepancy as it stands in JSON."""
    money = found.money
    return {
        "class": found.match_class.value,
        "ledger": found.ledger,
        "local_id": found.local_id or None,
        "stripe_id": found.stripe_id or None,
        "money": {"currency": money.currency, "minor": money.minor} if money else None,
        "severity": found.severity.value,
        "age_s": found.age_s,
        "created": utc_text(found.created),
        "local_status": found.local_status or None,
        "stripe_status": found.stripe_status or None,
        "matched_by": found.matched_by or None,
        "order_id": found.order_id or None,
        "cause": found.cause,
        "quirk": found.quirk or None,
        "candidates": list(found.candidates),
        "evidence": [
            {
                "what": each.what,
                "source": each.source,
                "as_of": utc_text(each.as_of),
                "detail": dict(each.detail),
            }
            for each in found.evidence
        ],
        "actions": [{"text": each.text, "command": each.command} for each in found.actions],
    }


def total_json(total: ClassTotal) -> dict[str, object]:
    return {
        "count": total.count,
        "money": _by_currency(total.minor),
        "stripe": _side(total.stripe),
        "ledger": _side(total.ledger),
    }


def _side(side: Side) -> dict[str, object]:
    return {"count": side.count, "money": _by_currency(side.minor)}


def _by_currency(minor: Mapping[str, int]) -> list[dict[str, object]]:
    return [{"currency": each, "minor": value} for each, value in minor.items() if each]
