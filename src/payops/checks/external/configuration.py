"""Does how owners are paid make sense?

Runbook 003, 'Payment Routing Failures': an owner who is paid by outside processors and has no
configuration; a least external amount above 1000, a largest platform amount below 10. Beside it
what makes routing fail: two places that disagree on the mode, an owner whom outside processors
alone pay and who has none that is connected, a collection that can never be due.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from payops.checks.contract import Check, Context
from payops.checks.outside import SHOWN, many, outside
from payops.domain.evidence import Action, Evidence
from payops.domain.external import OwnerPaid
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import shortened
from payops.domain.threshold import Limits, Number, Threshold

MOST_OWNERS = 5_000
LIMITS = {
    "min_external": Threshold(1000, None, "count", "S3-25: a least external amount above 1000"),
    "max_platform": Threshold(
        10, None, "count", "S3-25: a largest platform amount below 10", "lower"
    ),
    "missing": Threshold(0, None, "count", "S3-20: paid outside, and no configuration"),
    "differing": Threshold(0, None, "count", "S3-23: two places that disagree on the mode"),
    "unpayable": Threshold(
        0, None, "count", "S3-23: paid by outside processors alone, and none is connected"
    ),
    "never_due": Threshold(
        0, None, "count", "payops: the least that is collected is more than may be owed"
    ),
}


@dataclass(frozen=True)
class Facts:
    """Owners with a configuration or paid outside; `outside` and `only` are the modes' words."""

    as_of: datetime
    owners: tuple[OwnerPaid, ...]
    outside: frozenset[str]
    only: frozenset[str]
    has_configs: bool = True
    remedy: str = ""
    more: bool = False


@dataclass(frozen=True)
class _Odd:
    owner: OwnerPaid
    kind: str
    what: str


def gather(ctx: Context) -> Facts:
    found = outside(ctx).owners(MOST_OWNERS)
    external = ctx.settings.external
    assert external is not None  # noqa: S101  asked by outside()
    table = external.configs.table if external.configs else ""
    return Facts(
        as_of=found.as_of,
        owners=found.rows,
        outside=frozenset(word.lower() for word in external.outside_modes),
        only=frozenset(word.lower() for word in external.only_outside),
        has_configs=external.configs is not None,
        remedy=next(
            (
                name
                for name, one in ctx.settings.remedies.items()
                if table and one.table == table and "new_payment_mode" in one.select
            ),
            "",
        ),
        more=found.more,
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    odd = [each for owner in facts.owners for each in _odd(owner, facts, limits)]
    counts = Counter(each.kind for each in odd)
    least, largest = _extremes(facts)
    judged = {
        name: limits[name].judge(counts[name])
        for name in ("missing", "differing", "unpayable", "never_due")
    }
    if least is not None:
        judged["min_external"] = limits["min_external"].judge(least)
    if largest is not None:
        judged["max_platform"] = limits["max_platform"].judge(largest)
    status = worst(judged.values())
    known = many(len(facts.owners), "owner")
    words = ", ".join(f"{count:,} {_WORDS[kind]}" for kind, count in counts.most_common())
    return CheckResult(
        status,
        f"{words}, of {known}" if words else f"{known}: how each is paid makes sense",
        as_of=facts.as_of,
        measured={
            "min_external": least,
            "max_platform": largest,
            **{name: counts[name] for name in ("missing", "differing", "unpayable", "never_due")},
        },
        evidence=tuple(
            Evidence(
                f"owner {each.owner.owner}: {each.what}",
                "postgres",
                facts.as_of,
                {"mode": each.owner.mode, "configuration": each.owner.config_mode},
            )
            for each in odd[:SHOWN]
        ),
        actions=_actions(facts, counts, odd) if status is not Status.OK else (),
    )


_WORDS = {
    "missing": "paid outside without a configuration",
    "differing": "with two modes that differ",
    "unpayable": "whom nobody can pay",
    "never_due": "whose collections are never due",
    "min_external": "with too large a least external amount",
    "max_platform": "with too small a largest platform amount",
}


def _odd(owner: OwnerPaid, facts: Facts, limits: Limits) -> list[_Odd]:
    found = []

    def odd(kind: str, what: str) -> None:
        found.append(_Odd(owner, kind, what))

    mode = owner.mode or owner.config_mode
    if facts.has_configs and not owner.has_config and owner.mode in facts.outside:
        odd("missing", f"paid {_word(owner.mode)}, and has no configuration")
    if owner.mode and owner.config_mode and owner.mode != owner.config_mode:
        odd(
            "differing",
            f"{_word(owner.mode)} by their own row, {_word(owner.config_mode)} by "
            "the configuration",
        )
    if mode in facts.only and owner.connected == 0:
        odd("unpayable", f"{_word(mode)}, and no connection works: routing fails")
    low, high = _number(owner.minimum_collection), _number(owner.maximum_outstanding)
    if low is not None and high is not None and low > high:
        odd("never_due", f"collected from {low:f} on, and owes at most {high:f}")
    for kind, text in (("min_external", owner.min_external), ("max_platform", owner.max_platform)):
        number = _number(text)
        # Zero is 'no limit' to the runbook's own line.
        if number and limits[kind].judge(float(number)) is not Status.OK:
            odd(kind, f"{kind.replace('_', ' ')} is {number:f}")
    return found


def _extremes(facts: Facts) -> tuple[Number | None, Number | None]:
    least = [float(n) for one in facts.owners if (n := _number(one.min_external))]
    largest = [float(n) for one in facts.owners if (n := _number(one.max_platform))]
    return max(least, default=None), min(largest, default=None)


def _number(text: str | None) -> Decimal | None:
    try:
        number = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def _word(mode: str | None) -> str:
    return shortened(mode or "?", 40)


def _actions(facts: Facts, counts: Counter[str], odd: list[_Odd]) -> tuple[Action, ...]:
    actions = []
    if counts["missing"] and facts.remedy:
        actions.append(
            Action(
                "Plan a default configuration for those who have none",
                f"payops remedy plan {facts.remedy} --save-plan {facts.remedy}.json",
            )
        )
    if counts["unpayable"]:
        actions.append(
            Action("Have the owner connect a processor, or let the platform take their payments")
        )
    if counts["differing"]:
        actions.append(Action("Decide which of the two modes is meant, and make both that"))
    if not actions and odd:
        actions.append(Action(f"Put the configuration of owner {odd[0].owner.owner} right"))
    return (*actions, Action("How their connections are", "payops connections"))


CHECK = Check(
    title="How owners are paid makes sense",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S3-20", "S3-23", "S3-25"),
)
