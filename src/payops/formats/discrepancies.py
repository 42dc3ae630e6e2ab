"""The discrepancies of `payops reconcile` in words: what the outputs for people share.

They lie in `Report.extra["discrepancies"]` as they stand in JSON, every string already safe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from payops.domain.duration import human_duration
from payops.domain.money import Money
from payops.formats.safe import SafeReport


@dataclass(frozen=True)
class Listed:
    """One discrepancy in texts. `pair` is what each side says, `ids` how both call it."""

    match_class: str
    severity: str
    money: str
    age: str
    ids: str
    pair: str
    cause: str
    quirk: str
    candidates: str
    command: str


def discrepancies(report: SafeReport) -> list[Mapping[str, Any]]:
    """Those of the report, as in JSON; empty for a report that has none."""
    found = report.extra.get("discrepancies", ())
    return [each for each in cast(Sequence[Any], found) if isinstance(each, Mapping)]


def listed(report: SafeReport) -> Iterator[Listed]:
    """Each as texts, in the order of the report: the most money first."""
    for each in discrepancies(report):
        money = each.get("money")
        commands = (action["command"] for action in each.get("actions", ()) if action["command"])
        yield Listed(
            match_class=str(each.get("class", "")),
            severity=str(each.get("severity", "")),
            money=str(Money(money["currency"], money["minor"])) if money else "-",
            age=human_duration(float(each.get("age_s") or 0)),
            ids=f"{each.get('ledger') or '-'} {each.get('local_id') or '-'}"
            f" / {each.get('stripe_id') or '-'}",
            pair=f"{each.get('local_status') or '-'} / {each.get('stripe_status') or '-'}",
            cause=str(each.get("cause") or ""),
            quirk=str(each.get("quirk") or ""),
            candidates=", ".join(str(one) for one in each.get("candidates", ())),
            command=next(commands, ""),
        )


def left_out(report: SafeReport) -> int:
    """How many are not listed."""
    found = report.extra.get("left_out", 0)
    return found if isinstance(found, int) and found > 0 else 0
