"""The journal's lines for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from payops.domain.secret import redact
from payops.domain.text import harmless, shortened
from payops.formats.grid import tabulate
from payops.formats.markdown import escaped

_HEADERS = ("Entry", "At", "Kind", "Plan", "What", "Result")
_STYLES = {"table": "simple", "plain": "plain", "markdown": "github"}
_LONGEST = 60
_LONGEST_IN_TICKET = 200


def listing(entries: Sequence[Mapping[str, Any]], output: str) -> str:
    """One line an entry, oldest first."""
    if not entries:
        return "the journal has no such entry\n"
    clean = _ticket if output == "markdown" else _line
    rows = [[clean(cell) for cell in _cells(entry)] for entry in entries]
    return tabulate(rows, _HEADERS, tablefmt=_STYLES[output], disable_numparse=True) + "\n"


def one(entries: Sequence[Mapping[str, Any]], output: str) -> str:
    """Entries with everything that is in them."""
    blocks = []
    for entry in entries:
        text = json.dumps(dict(entry), indent=2, ensure_ascii=True)
        blocks.append(f"```json\n{text}\n```\n" if output == "markdown" else f"{text}\n")
    return redact("\n".join(blocks))


def _cells(entry: Mapping[str, Any]) -> list[str]:
    result = str(entry.get("result", ""))
    why = str(entry.get("why", "")) if entry["kind"] == "outcome" else ""
    return [
        str(entry["seq"]),
        str(entry["at"]),
        str(entry["kind"]),
        str(entry.get("plan", ""))[:12],
        _what(entry),
        f"{result}: {why}" if result and why else result,
    ]


def _what(entry: Mapping[str, Any]) -> str:
    match entry["kind"]:
        case "apply":
            return f"{entry['changes']} changes by {entry['operator']}"
        case "end":
            counts = [f"{count} {word}" for word, count in entry["counts"].items()]
            return ", ".join(counts) or "nothing to do"
        case "repair":
            return str(entry["why"])
        case "runbook":
            return _of_runbook(entry)
        case _:
            return str(entry.get("change") or entry.get("what") or "")


def _of_runbook(entry: Mapping[str, Any]) -> str:
    """`begin circuit-stuck-open by ann@bastion`, `step circuit-stuck-open close: done`."""
    event = str(entry.get("event", ""))
    words = [event, str(entry.get("runbook", "")), str(entry.get("step", ""))]
    told = " ".join(word for word in words if word)
    if event in {"begin", "resume"}:
        return f"{told} by {entry.get('operator', '')}"
    if event == "step":
        return f"{told}: {entry.get('outcome', '')}"
    return f"{told}: {entry.get('text', '')}" if event == "note" else told


def _line(text: str) -> str:
    return shortened(harmless(redact(text)), _LONGEST)


def _ticket(text: str) -> str:
    return escaped(shortened(harmless(redact(text)), _LONGEST_IN_TICKET))
