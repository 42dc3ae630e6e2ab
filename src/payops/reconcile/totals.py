"""What a match comes to: every class with its rows of both sides, in counts and sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from payops.domain.discrepancy import MatchClass

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Side:
    """Rows of one side in one class: how many, and their amounts by currency in minor units.

    An amount that is no whole number of minor units is in `count` alone.
    """

    count: int = 0
    minor: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ClassTotal:
    """One class: `count` findings (of the harmless ones: payments), `minor` by currency at risk (of
    the harmless ones: their amount), and the rows of both sides that ended in it."""

    count: int = 0
    minor: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    stripe: Side = Side()
    ledger: Side = Side()
    critical: int = 0
    warnings: int = 0


@dataclass(frozen=True)
class Totals:
    """Every class of the payments, and of the refunds where a ledger of them is mapped.

    `cut_cents` counts matched payments with one minor unit less at Stripe (a known quirk).
    """

    payments: Mapping[MatchClass, ClassTotal]
    refunds: Mapping[MatchClass, ClassTotal]
    cut_cents: int = 0


class Sums:
    """Adds up rows of totals: one a currency."""

    def __init__(self) -> None:
        self.numbers = dict.fromkeys(("cases", "stripe_count", "ledger_count", "crit", "warn"), 0)
        self.minor: dict[str, dict[str, int]] = {
            "money": {},
            "stripe_minor": {},
            "ledger_minor": {},
        }
        self.counts: dict[str, int] = {}

    def add(self, row: Row) -> None:
        for name in self.numbers:
            self.numbers[name] += int(row.get(name) or 0)
        currency = row["currency"] or ""
        for name, sums in self.minor.items():
            own = row.get(f"{name}_currency", currency) or currency
            if row[name] is not None and (row[name] or row["cases"]):
                sums[own] = sums.get(own, 0) + int(row[name])
        if row["cases"]:
            self.counts[currency] = self.counts.get(currency, 0) + int(row["cases"])


def class_totals(sums: Mapping[str, Sums]) -> dict[MatchClass, ClassTotal]:
    found = {}
    for each in MatchClass:
        own = sums.get(each.value) or Sums()
        numbers = own.numbers
        found[each] = ClassTotal(
            count=numbers["cases"],
            minor=dict(sorted(own.minor["money"].items())),
            counts=dict(sorted(own.counts.items())),
            stripe=Side(numbers["stripe_count"], dict(sorted(own.minor["stripe_minor"].items()))),
            ledger=Side(numbers["ledger_count"], dict(sorted(own.minor["ledger_minor"].items()))),
            critical=numbers["crit"],
            warnings=numbers["warn"],
        )
    return found
