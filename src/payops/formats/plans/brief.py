"""A plan before somebody says yes: what would change, one line each, never more than a screen.

A replay of eighty events is a thousand lines in full, and what it adds up to would be scrolled away
by the time of the question. A few changes are shown as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from payops.domain.plan import Change, Plan
from payops.domain.plan_outcome import shown
from payops.domain.secret import redact
from payops.domain.text import harmless, shortened
from payops.formats.plans.text import WIDTH, field, heading, plan_for_people

FEW = 2  # so many are shown whole: some twenty lines each
_NAMED = 8
_REASONS = 4


def plan_in_brief(plan: Plan, now: datetime, whole: str) -> str:
    """Heading, the first changes a line each, why and at which risk, counted; `whole` is the
    command that shows all of it."""
    if len(plan.changes) <= FEW:
        return plan_for_people(plan, now)
    lines = [*heading(plan, now)]
    lines += [_line(each) for each in plan.changes[:_NAMED]]
    left = len(plan.changes) - _NAMED
    if left > 0:
        lines.append(f"   … {left:,} more")
    lines += _counted("why", Counter(each.why for each in plan.changes))
    lines += _counted("risk", Counter(each.risk for each in plan.changes if each.risk))
    undoable = sum(each.undoable for each in plan.changes)
    several = f"payops undo, {undoable:,} of {len(plan.changes):,}"
    undo = "payops undo" if undoable == len(plan.changes) else several
    lines += field("undo", undo if undoable else "not by payops")
    lines.append(f"   all of it: {harmless(redact(whole))}")
    return "\n".join(lines) + "\n"


def _line(change: Change) -> str:
    """`   39.98 USD  payments bf329612: status 'pending' -> 'succeeded'`."""
    money = f"{change.money}" if change.money else ""
    key = " ".join(shown(value).strip("'") for value in change.key.values())
    parts = []
    for name, value in change.after.items():
        before = f"{shown(change.before[name])} -> " if name in change.before else ""
        parts.append(f"{name} {before}{shown(value)}")
    what = f" {change.before.get('type') or ''}".rstrip() if change.kind == "send" else ""
    after = f": {', '.join(parts)}" if parts else ""
    text = f"{change.table} {key}{what}{after}"
    return f"   {money:>12}  {shortened(harmless(redact(text)), WIDTH - 17)}"


def _counted(name: str, found: Counter[str]) -> Iterator[str]:
    for text, count in found.most_common(_REASONS):
        yield from field(name, f"{text} ({count:,})" if count > 1 else text)
    if len(found) > _REASONS:
        yield from field(name, f"… {len(found) - _REASONS:,} more, a change each")
