"""A plan that puts back what the journal saw."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from payops.domain.plan import Caps, Change, Plan, Target, signed
from payops.domain.plan_outcome import Result
from payops.domain.plan_redis import statement_of
from payops.engine.journal_chain import Chain, Entry
from payops.engine.journal_past import Past, change_of
from payops.engine.planning import reading
from payops.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from payops.config.settings import Settings

_SHORTEST_PREFIX = 6


def undo_plan(
    chain: Chain,
    settings: Settings,
    *,
    entry: int | None = None,
    plan: str = "",
    command: str,
    now: datetime,
) -> Plan:
    """The inverse of one entry, or of all that a plan (the beginning of its digest) changed, last
    first. What was put back already is left out.

    Raises UsageError when there is nothing of the sort in the journal, RefusedError when it cannot
    be undone.
    """
    past = Past(chain.entries)
    outcomes = _entry(past, entry) if entry is not None else _of_plan(past, plan)
    changes = [_inverse(past, outcome) for outcome in outcomes]
    targets = {tuple(sorted(_intent(past, outcome)["target"].items())) for outcome in outcomes}
    if len(targets) > 1:
        raise RefusedError("they are of several databases", hint="undo them entry by entry")
    target = Target(**dict(next(iter(targets))))
    if target.system == "redis":
        changes = [replace(change, statement=statement_of(change)) for change in changes]
    else:
        with reading(settings) as rows:
            changes = [replace(change, statement=rows.statement(change)) for change in changes]
    limits = settings.apply
    return signed(
        Plan(
            command=command,
            created_at=now,
            expires_s=max(1, round(limits.max_age)),
            # Putting back rests on the journal, not on what Stripe says today.
            target=replace(target, account=""),
            changes=tuple(changes),
            caps=Caps(limits.max_changes, dict(limits.max_money)),
        )
    )


def _entry(past: Past, seq: int) -> list[Entry]:
    found = past.by_seq.get(seq)
    if found is None:
        raise UsageError(f"the journal has no entry {seq}", hint="see `payops journal`")
    if found["kind"] == "intent":
        found = past.outcome_of(seq) or found
    if found["kind"] != "outcome" or found["result"] != Result.DONE.value:
        raise UsageError(
            f"entry {seq} changed nothing: it is {found.get('result', found['kind'])}",
            hint="see `payops journal --kind outcome`",
        )
    if undone := past.undone_by(found["seq"]):
        raise RefusedError(f"entry {seq} was put back by entry {undone} already")
    return [found]


def _of_plan(past: Past, prefix: str) -> list[Entry]:
    if len(prefix) < _SHORTEST_PREFIX:
        raise UsageError(f"--plan: give at least {_SHORTEST_PREFIX} characters of the digest")
    known = {e["plan"] for e in past.by_seq.values() if e["kind"] == "outcome"}
    digests = [digest for digest in known if digest.startswith(prefix.lower())]
    if len(digests) != 1:
        what = "several plans begin" if digests else "no plan begins"
        raise UsageError(f"--plan: {what} with {prefix!r}", hint="see `payops journal`")
    done = [entry for entry in past.done(digests[0]).values() if not past.undone_by(entry["seq"])]
    if not done:
        raise RefusedError("nothing of that plan is left to be put back")
    return sorted(done, key=lambda entry: -int(entry["seq"]))


def _intent(past: Past, outcome: Entry) -> Entry:
    found = past.by_seq.get(outcome.get("intent") or 0)
    if found is None:
        raise RefusedError(f"entry {outcome['seq']} does not say what was there before")
    return found


def _inverse(past: Past, outcome: Entry) -> Change:
    """after -> before, by the same compare-and-set on what the journal saw last."""
    intent = _intent(past, outcome)
    change = change_of(intent)
    if change.kind == "send":
        raise RefusedError(
            f"entry {outcome['seq']} cannot be undone: an event that was sent stays sent",
            hint="see what it did with `payops reconcile`, and put a row right by its plan",
        )
    if not change.undoable or change.kind == "delete":
        raise RefusedError(
            f"entry {outcome['seq']} cannot be undone",
            hint="make a plan that does it again" if change.kind == "delete" else "",
        )
    now = outcome["now"] or {**change.key, **change.before, **change.after}
    key = {column: now.get(column, value) for column, value in change.key.items()}
    insert = change.kind == "insert"
    if insert and not outcome["row"]:
        raise RefusedError(
            f"entry {outcome['seq']} cannot be undone: the row was changed after it was inserted"
        )
    return Change(
        id=f"undo:{outcome['seq']}:{change.id}",
        remedy="undo",
        table=change.table,
        key=key,
        before={column: now[column] for column in (change.after if insert else change.before)},
        after={} if insert else {column: change.before[column] for column in change.after},
        statement="",
        why=f"puts back entry {outcome['seq']}: {change.why}",
        evidence=(f"journal entry {outcome['seq']} of {outcome['at']}, {outcome['hash'][:12]}",),
        risk="whoever relied on the change meanwhile",
        undoable=not insert,
        money=change.money,
        row=outcome["row"] if insert else "",
        undoes=outcome["seq"],
    )
