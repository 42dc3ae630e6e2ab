"""What an answer to one of the configuration's own questions means. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Literal

from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Evidence, Scalar
from payops.domain.money import Money, MoneyAtRisk, minor_units, total_at_risk
from payops.domain.result import CheckResult
from payops.domain.secret import excerpt
from payops.domain.status import Status, worst
from payops.domain.threshold import Limits, Number, Threshold

if TYPE_CHECKING:
    from payops.config.checks import OwnMoney

# A ticket takes a few rows, and of each what fits a line or two.
_MOST_EVIDENCE = 5
_MOST_COLUMNS = 12
_LONGEST = 200
# More is no count, span or size, and no float that a monitor could be told.
_MOST_DIGITS = 300
_TOO_LARGE = 10**_MOST_DIGITS


@dataclass(frozen=True)
class Rows:
    """Rows that were found, and whether there are others."""

    as_of: datetime
    rows: tuple[Mapping[str, object], ...]
    more: bool = False


@dataclass(frozen=True)
class Value:
    """One value under the name of its limit, with the rows that it stands in. `wrong` is what is
    not as it should be, whatever the value."""

    as_of: datetime
    value: object
    rows: tuple[Mapping[str, object], ...]
    measured: str
    source: str = "postgres"
    wrong: str = ""


Answer = Rows | Value


def judge(
    answer: Answer,
    limits: Limits,
    *,
    money: OwnMoney | None,
    otherwise: Literal["WARN", "CRIT"],
    actions: tuple[Action, ...],
) -> CheckResult:
    """Hold the answer against the limit. What is no number is UNKNOWN."""
    if isinstance(answer, Rows):
        return _of_rows(answer, limits["count"], money, actions)
    return _of_value(answer, limits[answer.measured], otherwise, actions)


def _of_rows(
    answer: Rows, limit: Threshold, money: OwnMoney | None, actions: tuple[Action, ...]
) -> CheckResult:
    count = len(answer.rows)
    status = limit.judge(count)
    said = f"{count:,} found" if count else "none found"
    if answer.more:  # of more than these nothing is known but that they are there
        said = f"more than {count:,} found"
    at_risk, unread = _money(answer.rows, money) if money else ((), 0)
    if unread:
        said += f"; {unread:,} without a usable amount in {money.column if money else ''}"
    return CheckResult(
        status,
        f"{said}{_beyond(status, limit)}",
        as_of=answer.as_of,
        measured={"count": count},
        evidence=_evidence(answer.rows, "postgres", answer.as_of),
        actions=actions if status is not Status.OK else (),
        money_at_risk=at_risk if status is not Status.OK else (),
    )


def _of_value(
    answer: Value,
    limit: Threshold,
    otherwise: Literal["WARN", "CRIT"],
    actions: tuple[Action, ...],
) -> CheckResult:
    number = _number(answer.value)
    parts, statuses = [], []
    if answer.wrong:
        parts.append(answer.wrong)
        statuses.append(Status[otherwise])
    if number is not None:
        judged = limit.judge(number)
        statuses.append(judged)
        parts.append(_with_unit(number, limit.unit) + _beyond(judged, limit))
    elif not answer.wrong:
        statuses.append(Status.UNKNOWN)
        parts.append(_no_number(answer))
    status = worst(statuses)
    told: dict[str, Scalar] = {} if number is None else {answer.measured: number}
    return CheckResult(
        status,
        "; ".join(parts),
        source=answer.source,
        as_of=answer.as_of,
        measured=told,
        evidence=_evidence(answer.rows, answer.source, answer.as_of)
        if any(len(row) > 1 for row in answer.rows)
        else (),
        actions=actions if status is not Status.OK else (),
    )


def _no_number(answer: Value) -> str:
    if answer.value is None and answer.source == "postgres":
        return (
            "the query gave no value: it needs one row with a column `value`, or one column; "
            "coalesce(…, 0) where nothing is nothing"
        )
    if answer.value is None:
        return "the answer is no number"
    return f"the answer is no number but {excerpt(repr(answer.value), 60)}"


def _number(value: object) -> Number | None:
    """A finite number; a boolean is 1 or 0, a text is read."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value if abs(value) < _TOO_LARGE else None
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    try:
        exact = value if isinstance(value, Decimal) else Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not exact.is_finite() or exact.adjusted() >= _MOST_DIGITS:
        return None
    # 10.00 is 10, and a count stays a whole number
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def _with_unit(number: Number, unit: str) -> str:
    match unit:
        case "s":
            return human_duration(number) if number >= 0 else f"{number:g} s"
        case "ms":
            return human_duration(number / 1000) if number >= 0 else f"{number:g} ms"
        case "%":
            return f"{number:g} %"
        case "bytes":
            return f"{number:,} bytes"
    return f"{number:,}"


def _beyond(status: Status, limit: Threshold) -> str:
    """` (WARN above 10)`, nothing where it is well."""
    if status not in (Status.WARN, Status.CRIT):
        return ""
    edge = limit.crit if status is Status.CRIT else limit.warn
    side = "above" if limit.worse == "higher" else "below"
    return f" ({status.value} {side} {_with_unit(edge or 0, limit.unit)})"


def _money(
    rows: Sequence[Mapping[str, object]], money: OwnMoney
) -> tuple[tuple[MoneyAtRisk, ...], int]:
    """The sum of the rows by currency, and how many have no amount that can be read."""
    amounts, unread = [], 0
    for row in rows:
        named = row.get(money.currency_column) if money.currency_column else None
        currency = (str(named).strip() if named else "") or money.currency
        amount = row.get(money.column)
        try:
            if amount is None or isinstance(amount, bool):
                raise ValueError
            minor = (
                minor_units(str(amount), currency)
                if money.unit == "major"
                else minor_units(str(amount), "jpy")  # a whole number as it is
            )
        except ValueError:
            unread += 1
            continue
        amounts.append(Money(currency, minor))
    return total_at_risk(amounts), unread


def _evidence(
    rows: Sequence[Mapping[str, object]], source: str, as_of: datetime
) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            f"row {number}" if row else f"row {number}: too long to be shown",
            source,
            as_of,
            {name: _shown(value) for name, value in list(row.items())[:_MOST_COLUMNS]},
        )
        for number, row in enumerate(rows[:_MOST_EVIDENCE], start=1)
    )


def _shown(value: object) -> Scalar:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < _TOO_LARGE:
        return value
    return excerpt(str(value), _LONGEST)  # redacted whole: half a secret is one, too
