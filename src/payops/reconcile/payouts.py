"""A payout held against its own balance transactions, and those against the ledger.

Stripe pays out the sum of the `net` of what an automatic payout contains (charges, refunds,
disputes, fees, adjustments: `reporting_category`). A difference of either sign is a finding: less
money came than was earned, or money came that nothing explains. Only an automatic payout whose
`reconciliation_status` is `completed` can be taken apart (Stripe's documentation, 'Payout
reconciliation'); any other is named, and nothing is claimed of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from payops.domain.money import Money


@dataclass(frozen=True)
class Payout:
    """One payout. `minor` in the settlement currency, `created` and `arrives` aware UTC."""

    id: str
    minor: int
    currency: str
    status: str
    automatic: bool
    reconciliation_status: str
    created: datetime
    arrives: datetime | None

    @property
    def can_be_taken_apart(self) -> bool:
        """Whether Stripe tells which balance transactions are in it, and all of them."""
        return self.automatic and self.reconciliation_status == "completed"


@dataclass(frozen=True)
class Line:
    """One balance transaction of a payout; `net` is `amount - fee`, minor units.

    `source` is what it is about (`ch_…`, `re_…`, `dp_…`), `payment_intent` that of a charge.
    """

    id: str
    category: str
    amount: int
    fee: int
    net: int
    currency: str
    source: str = ""
    payment_intent: str = ""


@dataclass(frozen=True)
class CategorySum:
    """What one reporting category adds to a payout, minor units."""

    count: int
    amount: int
    fee: int
    net: int


@dataclass(frozen=True)
class PayoutFinding:
    """What is known of one payout.

    `difference` is the payout less the sum of its lines' net, minor units, of either sign; None
    when it cannot be taken apart (`why_not` says why). `broken` are lines whose own net is not
    amount less fee, `strangers` those in another currency than the payout. `unrecorded` are lines
    that the ledger does not know, `None` when no ledger was asked.
    """

    payout: Payout
    categories: Mapping[str, CategorySum]
    difference: int | None
    why_not: str = ""
    broken: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    unrecorded: tuple[Line, ...] | None = field(default=None)

    @property
    def money(self) -> Money | None:
        """The difference as money; None when there is none, or none can be told."""
        return Money(self.payout.currency, self.difference) if self.difference else None

    @property
    def agrees(self) -> bool:
        """Nothing is wrong with it, or nothing can be told of it."""
        return not (self.difference or self.broken or self.strangers or self.unrecorded)


def hold_against_lines(payout: Payout, lines: Sequence[Line]) -> PayoutFinding:
    """Compare a payout with the balance transactions that Stripe lists for it.

    The payout's own balance transaction (`reporting_category` payout) is no part of its sum.
    """
    inside = [line for line in lines if line.category not in _ITSELF]
    if not payout.can_be_taken_apart:
        why = (
            "not an automatic payout: Stripe does not say what is in it"
            if not payout.automatic
            else f"reconciliation is {payout.reconciliation_status or 'not offered'} at Stripe"
        )
        return PayoutFinding(payout, {}, None, why)
    if payout.status in _CAME_BACK:
        return PayoutFinding(
            payout, by_category(inside), None, f"the payout {payout.status}: its money came back"
        )
    return PayoutFinding(
        payout=payout,
        categories=by_category(inside),
        difference=payout.minor - sum(line.net for line in inside),
        broken=tuple(line.id for line in inside if line.net != line.amount - line.fee),
        strangers=tuple(line.id for line in inside if line.currency != payout.currency),
    )


_ITSELF = frozenset({"payout", "payout_reversal"})
_CAME_BACK = frozenset({"failed", "canceled"})


def by_category(lines: Iterable[Line]) -> dict[str, CategorySum]:
    """Sums by reporting category, the largest net (of either sign) first."""
    sums: dict[str, list[int]] = {}
    for line in lines:
        entry = sums.setdefault(line.category, [0, 0, 0, 0])
        for index, value in enumerate((1, line.amount, line.fee, line.net)):
            entry[index] += value
    ordered = sorted(sums.items(), key=lambda item: (-abs(item[1][3]), item[0]))
    return {category: CategorySum(*entry) for category, entry in ordered}


def reference(line: Line) -> str:
    """What a ledger should know the line by: `pi_…` of a charge, `re_…` of a refund, else empty."""
    if line.category == "charge":
        return line.payment_intent
    return line.source if line.category == "refund" else ""


def not_recorded(lines: Iterable[Line], known: Mapping[str, set[str] | None]) -> tuple[Line, ...]:
    """The lines that the ledgers do not know.

    `known` holds the references that were found, by category (`charge`, `refund`); None, or no
    entry, for a ledger that is not mapped: of its lines nothing is claimed.
    """
    missing = []
    for line in lines:
        found, named = known.get(line.category), reference(line)
        if found is not None and named and named not in found:
            missing.append(line)
    return tuple(missing)
