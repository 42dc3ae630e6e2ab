"""A result as large as a report can hold, whatever the database or Stripe answered.

Who writes rows can make up currencies by the hundred thousand, and words of a megabyte. What is
left out is counted; a text is redacted before it is cut, since half a secret is one, too.
"""

from __future__ import annotations

from dataclasses import replace

from payops.domain.evidence import Action, Evidence, Scalar
from payops.domain.money import MoneyAtRisk
from payops.domain.result import CheckResult
from payops.domain.secret import excerpt

# Stripe takes some 135 currencies; a ledger that really has more than these is yet to be seen.
MOST_CURRENCIES = 60
MOST_EVIDENCE = 200
LONGEST = 2_000  # characters of one text
_LONGEST_CURRENCY = 16


def sized(result: CheckResult) -> CheckResult:
    """`result` itself when it is no larger than results are; else what fits, and how much more
    there is in its summary."""
    said = _cut(result.summary)
    if (more := len(result.money_at_risk) - MOST_CURRENCIES) > 0:
        said += f"; the money of {more:,} more currencies is left out"
    if (more := len(result.evidence) - MOST_EVIDENCE) > 0:
        said += f"; {more:,} more were seen"
    return replace(
        result,
        summary=said,
        measured={_cut(name): _scalar(value) for name, value in result.measured.items()},
        evidence=tuple(map(_evidence, result.evidence[:MOST_EVIDENCE])),
        actions=tuple(map(_action, result.actions)),
        money_at_risk=tuple(map(_money, result.money_at_risk[:MOST_CURRENCIES])),
    )


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else excerpt(text, LONGEST)


def _scalar(value: Scalar) -> Scalar:
    return _cut(value) if isinstance(value, str) else value


def _evidence(one: Evidence) -> Evidence:
    detail = {_cut(name): _scalar(value) for name, value in one.detail.items()}
    return replace(one, what=_cut(one.what), detail=detail)


def _action(one: Action) -> Action:
    # Half a command is none, and does something else.
    command = one.command if len(one.command) <= LONGEST else ""
    return Action(_cut(one.text), command)


def _money(one: MoneyAtRisk) -> MoneyAtRisk:
    if len(one.currency) <= _LONGEST_CURRENCY:
        return one
    return replace(one, currency=excerpt(one.currency, _LONGEST_CURRENCY))
