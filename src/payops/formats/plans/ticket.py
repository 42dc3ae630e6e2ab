"""A plan and its outcome as GitHub's Markdown, for the ticket; text from outside is no markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from payops.domain.duration import utc_text
from payops.domain.plan import Change, Plan
from payops.domain.plan_outcome import Applied, shown
from payops.domain.secret import redact
from payops.domain.text import harmless, shortened
from payops.formats.grid import tabulate
from payops.formats.markdown import escaped
from payops.formats.plans.text import amount

_LONGEST_VALUE = 200


def plan_as_markdown(plan: Plan, now: datetime) -> str:
    """The whole plan."""
    del now  # a ticket is read later: no ages
    target = plan.target
    account = f", Stripe {target.account}" if target.account else ""
    blocks = [
        f"# payops plan {plan.digest[:12]}: {amount(plan)}",
        "\n".join(
            [
                f"- environment: {_text(target.environment)}",
                f"- made: {utc_text(plan.created_at)} by `{_code(plan.command)}`",
                f"- for: {_text(f'{target.database} ({target.fingerprint}){account}')}",
                f"- digest: {plan.digest}",
            ]
        ),
    ]
    for number, change in enumerate(plan.changes, start=1):
        blocks += _change(number, change)
    return "\n\n".join(blocks) + "\n"


def outcome_as_markdown(plan: Plan, applied: Applied) -> str:
    """What became of it."""
    rows = [
        (_text(change.id), outcome.result.value, _text(outcome.why), str(outcome.entry or ""))
        for change, outcome in applied.outcomes
    ]
    rows += [(_text(change.id), "not tried", "", "") for change in applied.untried]
    blocks = [f"# payops apply {plan.digest[:12]}: {amount(plan)}"]
    if rows:
        headers = ("Change", "Result", "Why", "Entry")
        blocks.append(tabulate(rows, headers, tablefmt="github", disable_numparse=True))
    if applied.reread:
        blocks.append("Ledger afterwards:")
        told = [
            (_text(each.event), each.moved, _text(each.local_id), _text(each.advice))
            for each in applied.reread
        ]
        headers = ("Event", "Shown", "Row", "What to do")
        blocks.append(tabulate(told, headers, tablefmt="github", disable_numparse=True))
    if applied.stopped:
        blocks.append(f"Stopped: {_text(applied.stopped)}")
    if applied.head:
        blocks.append(f"Journal's last hash: {applied.head}")
    return "\n\n".join(blocks) + "\n"


def _change(number: int, change: Change) -> Iterator[str]:
    money = f", {change.money}" if change.money else ""
    yield f"## {number}. {_text(change.id)}{money}"
    rows = [
        (
            _text(name),
            _text(shown(change.before[name])) if name in change.before else "",
            _text(shown(change.after[name])) if name in change.after else "",
        )
        for name in dict.fromkeys((*change.before, *change.after))
    ]
    yield tabulate(rows, ("Column", "Seen", "Becomes"), tablefmt="github", disable_numparse=True)
    facts = [("why", change.why), *(("seen", seen) for seen in change.evidence)]
    facts += [("risk", change.risk)] if change.risk else []
    facts += [("undo", "payops undo" if change.undoable else "not by payops")]
    yield "\n".join(f"- {name}: {_text(text)}" for name, text in facts)
    text = "\n".join(harmless(line) for line in change.statement.split("\n"))
    yield _fenced(text, "" if change.kind == "send" else "sql")


def _fenced(text: str, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{redact(text)}\n{fence}"


def _code(text: str) -> str:
    return harmless(redact(text)).replace("`", "'")


def _text(text: str) -> str:
    return escaped(shortened(harmless(redact(text)), _LONGEST_VALUE))
