"""Runbooks as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from payops.domain.report import SCHEMA_VERSION
from payops.domain.runbook import Runbook, Step
from payops.formats.json import plain_value


def list_as_json(runbooks: Sequence[Runbook]) -> str:
    """`{"runbooks": [{"id", "title", "kind", "severity", "mttr_s", "rows", "scenarios", ...}]}`."""
    body: dict[str, object] = {"runbooks": [_head(each) for each in runbooks]}
    return _document("runbook list", body)


def page_as_json(runbook: Runbook) -> str:
    """One runbook with its steps and its prose."""
    body = {
        **_head(runbook),
        "parameters": {
            name: {"default": one.default, "meaning": one.meaning}
            for name, one in runbook.parameters.items()
        },
        "steps": [_step(step) for step in runbook.steps],
        "verify": [_step(step) for step in runbook.verify],
        "next": [{"text": each.text, "command": each.command} for each in runbook.next],
        "prose": runbook.prose,
    }
    return _document("runbook show", body)


def _head(runbook: Runbook) -> dict[str, object]:
    return {
        "id": runbook.id,
        "title": runbook.title,
        "kind": runbook.kind,
        "severity": runbook.severity or None,
        "mttr_s": runbook.mttr_s,
        "source": runbook.source,
        "rows": runbook.rows,
        "presets": runbook.presets,
        "scenarios": [suspect.scenario for suspect in runbook.suspects],
        "file": runbook.path,
    }


def _step(step: Step) -> dict[str, object]:
    return {
        "id": step.id,
        "title": step.title,
        "kind": step.kind,
        "what": step.what,
        "expect": step.expect,
        "answers": step.answers,
        "then": step.then,
        "why": step.why,
        "risk": step.risk,
        "timeout_s": step.timeout_s if step.kind == "wait" else None,
        "rows": step.rows,
    }


def _document(command: str, body: dict[str, object]) -> str:
    document = {"schema_version": SCHEMA_VERSION, "command": command, **body}
    return json.dumps(plain_value(document), indent=2) + "\n"
