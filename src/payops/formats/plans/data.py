"""A plan, its outcome and the journal as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from payops.domain.plan import Plan, body_of
from payops.domain.plan_facts import Refusal
from payops.domain.plan_outcome import Applied, Result
from payops.domain.secret import redact

SCHEMA_VERSION = 1
_WORDS = {0: "done", 1: "refused", 2: "failed", 130: "interrupted"}


def plan_as_json(command: str, plan: Plan, refused: Sequence[Refusal] = ()) -> str:
    """`{"plan": {...}, "left_out": [{"subject", "why"}]}`."""
    return _document(
        command,
        {
            "environment": plan.target.environment,
            "plan": {"digest": plan.digest, **body_of(plan)},
            "left_out": [{"subject": each.subject, "why": each.why} for each in refused],
        },
    )


def outcome_as_json(command: str, plan: Plan, applied: Applied, *, dry_run: bool) -> str:
    """`{"status", "changes": [{"id", "result", "why", "now", "entry"}], "untried": [...], ...}`."""
    return _document(
        command,
        {
            "status": _WORDS[applied.exit_code],
            "environment": plan.target.environment,
            "plan": plan.digest,
            "dry_run": dry_run,
            "changes": [
                {
                    "id": change.id,
                    "result": outcome.result.value,
                    "why": outcome.why,
                    "now": outcome.now,
                    "entry": outcome.entry or None,
                }
                for change, outcome in applied.outcomes
            ],
            "untried": [change.id for change in applied.untried],
            "counts": {result.value: applied.count(result) for result in Result},
            "ledger_afterwards": [
                {
                    "change": each.change,
                    "event": each.event,
                    "moved": each.moved,
                    "local_id": each.local_id or None,
                    "advice": each.advice or None,
                }
                for each in applied.reread
            ],
            "stopped": applied.stopped,
            "interrupted": applied.interrupted,
            "journal_head": applied.head,
        },
    )


def entries_as_json(command: str, entries: Sequence[dict[str, Any]]) -> str:
    """`{"entries": [...]}`, each as it stands in the journal."""
    return _document(command, {"entries": list(entries)})


def document(command: str, body: dict[str, Any]) -> str:
    """Any other answer."""
    return _document(command, body)


def _document(command: str, body: dict[str, Any]) -> str:
    whole = _redacted({"schema_version": SCHEMA_VERSION, "command": command, **body})
    return json.dumps(whole, indent=2, ensure_ascii=True) + "\n"


def _redacted(value: Any) -> Any:
    """Before it is escaped: a secret cut by an escape would be missed after it."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(str(name)): _redacted(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(each) for each in value]
    return value
