"""What the journal's entries say of earlier runs: what was begun, done, and put back.

apply      a run begins: plan, target, who
intent     one change is about to be made, in the transaction `txid`; nothing is written yet
outcome    what became of it; `intent` is that entry's number, 0 when nothing was begun
end        the run's counts
reread     what the ledger shows of the events that a run sent
repair     a crash left half a line before this one
runbook    a step of a runbook, or what a person said at one: engine/runbook_log.py
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from payops.domain.money import Money
from payops.domain.plan import Change, Plan
from payops.domain.plan_outcome import Outcome, Result
from payops.engine.journal_chain import Entry

NOT_DONE = "not done"
"""Beside Result's words: an interrupted change of which nothing reached the database."""
NOT_KNOWN = "not known"
"""Likewise: the database no longer knows how its transaction ended, and the row is another now."""


class Past:
    """The journal, read for one purpose: what to make of a change now."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.by_seq: dict[int, Entry] = {}
        self._outcome_of: dict[int, Entry] = {}
        self._undone_by: dict[int, int] = {}
        for entry in entries:
            self.by_seq[entry["seq"]] = entry
            if entry["kind"] == "outcome":
                if entry.get("intent"):
                    self._outcome_of[entry["intent"]] = entry
                if entry.get("result") == Result.DONE.value and entry.get("undoes"):
                    self._undone_by[entry["undoes"]] = entry["seq"]

    def open_intents(self, fingerprint: str) -> list[Entry]:
        """Changes of this database that were begun, and of which nobody knows the end."""
        return [
            entry
            for entry in self.by_seq.values()
            if entry["kind"] == "intent"
            and entry["target"]["fingerprint"] == fingerprint
            and self._outcome_of.get(entry["seq"], {"result": "unknown"})["result"] == "unknown"
        ]

    def done(self, digest: str) -> dict[str, Entry]:
        """The outcomes `done` of a plan, by the change's id."""
        return {
            entry["change"]: entry
            for entry in self.by_seq.values()
            if entry["kind"] == "outcome"
            and entry["plan"] == digest
            and entry["result"] == Result.DONE.value
        }

    def undone_by(self, seq: int) -> int:
        """The entry that put this outcome back; 0 when none did."""
        return self._undone_by.get(seq, 0)

    def outcome_of(self, seq: int) -> Entry | None:
        """The last outcome of an intent."""
        return self._outcome_of.get(seq)


def run_body(plan: Plan, count: int, who: str, forced: bool) -> dict[str, Any]:
    """The `apply` entry."""
    return {
        "plan": plan.digest,
        "command": plan.command,
        "target": asdict(plan.target),
        "changes": count,
        "forced": forced,
        "operator": who,
    }


def intent_body(run: int, plan: Plan, change: Change, txid: int) -> dict[str, Any]:
    """The `intent` entry: all that an undo or a resolution needs."""
    body = asdict(change)
    body["change"] = body.pop("id")
    return {**body, "run": run, "plan": plan.digest, "target": asdict(plan.target), "txid": txid}


def outcome_body(
    run: int, plan: str, change: Change, outcome: Outcome, intent: int
) -> dict[str, Any]:
    """The `outcome` entry."""
    return {
        "run": run,
        "plan": plan,
        "change": change.id,
        "table": change.table,
        "intent": intent,
        "result": outcome.result.value,
        "why": outcome.why,
        "now": outcome.now,
        "row": outcome.row,
        "undoes": change.undoes,
    }


def change_of(intent: Entry) -> Change:
    """The change that an intent told of."""
    money = intent["money"]
    return Change(
        id=intent["change"],
        remedy=intent["remedy"],
        table=intent["table"],
        key=intent["key"],
        before=intent["before"],
        after=intent["after"],
        statement=intent["statement"],
        why=intent["why"],
        evidence=tuple(intent["evidence"]),
        risk=intent["risk"],
        undoable=intent["undoable"],
        money=Money(money["currency"], money["minor"]) if money else None,
        row=intent["row"],
        undoes=intent["undoes"],
    )
