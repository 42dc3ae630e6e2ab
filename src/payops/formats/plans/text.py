"""A plan and its outcome for a person: calm, 80 columns, SQL unbroken."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from payops.domain.duration import ago, human_duration, utc_text
from payops.domain.money import Money
from payops.domain.plan import Change, Plan, money_of
from payops.domain.plan_facts import Refusal
from payops.domain.plan_outcome import Applied, Outcome, Reread, Result, shown
from payops.domain.secret import redact
from payops.domain.text import harmless, shortened

WIDTH = 80
_LONGEST_VALUE = 120
_MOST_ALIKE = 3  # of what is left out for one reason, so many are named each
_KINDS = {
    "insert": "new row in",
    "delete": "delete from",
    "update": "update",
    "send": "send to",
}
_ORDER = (Result.DONE, Result.WOULD, Result.ALREADY, Result.REFUSED, Result.FAILED, Result.UNKNOWN)


def plan_for_people(plan: Plan, now: datetime) -> str:
    """The whole plan."""
    lines = [*heading(plan, now), ""]
    for number, change in enumerate(plan.changes, start=1):
        lines += [*_change(number, change), ""]
    return "\n".join(lines[:-1] if plan.changes else lines).rstrip("\n") + "\n"


def heading(plan: Plan, now: datetime) -> Iterator[str]:
    """What it is, where it may be applied, how much it is."""
    target = plan.target
    yield f"Plan {plan.digest[:12]} for {_clean(target.environment)}: {amount(plan)}"
    left = plan.expires_s - (now - plan.created_at).total_seconds()
    until = f"good for {human_duration(left)}" if left > 0 else "TOO OLD to be applied"
    yield from field("made", f"{utc_text(plan.created_at)} ({ago(plan.created_at, now)}), {until}")
    yield from field("by", plan.command)
    account = f", Stripe {target.account}" if target.account else ""
    yield from field("for", f"{target.system} {target.database} ({target.fingerprint}){account}")
    caps = [f"{plan.caps.changes:,} changes"]
    caps += [str(Money(currency, minor)) for currency, minor in plan.caps.minor.items()]
    yield from field("caps", ", ".join(caps))
    yield from field("digest", plan.digest)


def amount(plan: Plan) -> str:
    """`2 changes, 39.98 USD`."""
    count = len(plan.changes)
    parts = [f"{count:,} change" + ("" if count == 1 else "s")]
    parts += [str(Money(c, minor)) for c, minor in sorted(money_of(plan.changes).items())]
    return ", ".join(parts) if count else "nothing to do"


def _change(number: int, change: Change) -> Iterator[str]:
    money = f"  {change.money}" if change.money else ""
    yield from _wrapped(f"{number}. {_clean(change.id)}{money}", "", "   ")
    key = ", ".join(f"{_clean(name)} {shown(value)}" for name, value in change.key.items())
    word = _KINDS[change.kind]
    yield from field(word, f"{change.table}, {key}")
    width = max((len(_clean(name)) for name in change.after), default=0)
    for name, value in change.after.items():
        before = f"{_value(change.before[name])} -> " if name in change.before else ""
        yield from _wrapped(f"{_clean(name):{width}}  {before}{_value(value)}", "     ", "       ")
    guards = [
        f"{_clean(name)} {_value(value)}"
        for name, value in change.before.items()
        if name not in change.after and (value is not None or change.kind != "send")
    ]
    if guards:
        yield from field("seen" if change.kind == "send" else "only if", ", ".join(guards))
    yield from field("why", change.why)
    for seen in change.evidence:
        yield from field("seen", seen)
    if change.risk:
        yield from field("risk", change.risk)
    yield from field("undo", "payops undo" if change.undoable else "not by payops")
    for line in change.statement.split("\n"):
        yield f"   | {_clean(line)}".rstrip()


def outcome_line(change: Change, outcome: Outcome) -> str:
    """One line: what became of one change."""
    why = f": {outcome.why}" if outcome.why else ""
    entry = f" [entry {outcome.entry}]" if outcome.entry else ""
    return f"{outcome.result.value:<13} {_clean(change.id)}{_clean(why)}{entry}\n"


def ending(applied: Applied, *, dry_run: bool, command: str) -> str:
    """The last lines: how many, why it stopped, what next."""
    counts = [
        f"{applied.count(result)} {result.value}" for result in _ORDER if applied.count(result)
    ]
    if applied.untried:
        counts.append(f"{len(applied.untried)} not tried")
    lines = [", ".join(counts) or "nothing to do"]
    if dry_run:
        lines[0] += " (dry run: nothing was changed)"
    if applied.interrupted:
        lines[0] = f"interrupted: {lines[0]}"
    if applied.stopped:
        lines += textwrap.wrap(f"stopped: {_clean(applied.stopped)}", WIDTH)
    if applied.interrupted or applied.stopped:
        lines.append(f"go on with: {_clean(command)}")
    lines += _ledger_afterwards(applied.reread)
    if applied.head:
        lines.append(f"journal: {applied.head[:16]} is its last hash; payops journal")
    return "\n".join(lines) + "\n"


def refusals(refused: tuple[Refusal, ...]) -> str:
    """What a plan leaves out, one line each; many for one reason on one line."""
    by_why: dict[str, list[str]] = {}
    for each in refused:
        by_why.setdefault(each.why, []).append(each.subject)
    lines = []
    for why, subjects in by_why.items():
        if len(subjects) > _MOST_ALIKE:
            lines.append(f"left out {len(subjects):,}: {_clean(why)}")
        else:
            lines += [f"left out {_clean(subject)}: {_clean(why)}" for subject in subjects]
    return "".join(f"{line}\n" for line in lines)


def _ledger_afterwards(reread: Sequence[Reread]) -> Iterator[str]:
    """What the ledger shows of what was sent: how many, and each that it lacks with what to do."""
    if not reread:
        return
    counts = Counter(each.moved for each in reread)
    words = {
        "yes": "shown",
        "no": "not moved",
        "no row": "no row",
        "not told": "of which it tells nothing",
    }
    told = ", ".join(f"{counts[word]} {words[word]}" for word in words if counts[word])
    yield f"the ledger afterwards: {told}"
    by_advice: dict[str, list[str]] = {}
    for each in reread:
        if each.advice:
            by_advice.setdefault(each.advice, []).append(each.event)
    for advice, events in by_advice.items():
        more = f" and {len(events) - _MOST_ALIKE} more" if len(events) > _MOST_ALIKE else ""
        named = ", ".join(events[:_MOST_ALIKE])
        yield from _wrapped(f"{_clean(named)}{more}: {_clean(advice)}", "   ", "     ")


def _value(value: str | None) -> str:
    return shortened(_clean(shown(value)), _LONGEST_VALUE)


def field(name: str, text: str) -> Iterator[str]:
    """`name: text`, indented and wrapped."""
    yield from _wrapped(f"{name}: {_clean(text)}", "   ", "     ")


def _wrapped(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_on_hyphens=False,
    )


def _clean(text: str) -> str:
    return harmless(redact(text))
