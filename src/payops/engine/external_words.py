"""Words and sums that the checks of outside processors share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from payops.domain.evidence import Action
from payops.domain.money import Money, MoneyAtRisk, total_at_risk

if TYPE_CHECKING:
    from payops.config.settings import Settings

# How many rows are shown as evidence; JSON has them all.
SHOWN = 10


def remedies_of(settings: Settings, table: str, column: str, what: str) -> list[Action]:
    """The configured remedies that change this column of this table."""
    return [
        Action(
            f"See what would put {what} right, and apply it when it is",
            f"payops remedy plan {name} --save-plan {name}.json",
        )
        for name, remedy in settings.remedies.items()
        if column and remedy.table == table and f"new_{column}" in remedy.select
    ]


def signs(amounts: Iterable[Money | None]) -> str:
    """Both signs apart, by currency: they never cancel out."""
    given = [one for one in amounts if one is not None]
    parts = []
    for sign, word in ((1, "too much"), (-1, "too little")):
        sums: Counter[str] = Counter()
        for one in given:
            if one.minor * sign > 0:
                sums[one.currency] += abs(one.minor)
        parts += [f"{Money(code, minor)} {word}" for code, minor in sorted(sums.items())]
    return ", ".join(parts)


def at_risk(amounts: Iterable[Money | None]) -> tuple[MoneyAtRisk, ...]:
    return total_at_risk(
        Money(one.currency, abs(one.minor)) for one in amounts if one and one.minor
    )


def money_json(money: Money | None) -> Mapping[str, Any] | None:
    return None if money is None else {"currency": money.currency, "minor": money.minor}


def by_currency(sums: Mapping[str, int]) -> list[Mapping[str, Any]]:
    return [{"currency": currency, "minor": minor} for currency, minor in sums.items()]


def many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def either(rows: Sequence[object], one: str, several: str) -> str:
    return one if len(rows) == 1 else several
