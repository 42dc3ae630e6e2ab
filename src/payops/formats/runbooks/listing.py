"""The runbooks, a line each."""

from __future__ import annotations

from collections.abc import Sequence

from payops.domain.duration import human_duration
from payops.domain.runbook import Runbook
from payops.domain.secret import redact
from payops.domain.text import harmless, shortened
from payops.formats.grid import tabulate
from payops.formats.markdown import escaped

_HEADERS = ("Runbook", "", "MTTR", "Title")
_STYLES = {"table": "simple", "plain": "plain", "markdown": "github"}
_SHORTEST_TITLE = 20
_GAPS = 6  # two spaces between four columns


def listing(runbooks: Sequence[Runbook], output: str, width: int) -> str:
    """Incidents first, routines behind them; no line of `table` is wider than `width`."""
    ordered = sorted(runbooks, key=lambda each: (each.kind, each.id))
    parts = [(each.id, _standing(each), _mttr(each)) for each in ordered]
    taken = sum(max(map(len, column)) for column in zip(*parts, _HEADERS[:3], strict=True))
    room = max(_SHORTEST_TITLE, width - taken - _GAPS) if output == "table" else 200
    clean = _ticket if output == "markdown" else _line
    rows = [
        (clean(each.id), _standing(each), _mttr(each), clean(shortened(each.title, room)))
        for each in ordered
    ]
    if not rows:
        return "there is no runbook\n"
    return tabulate(rows, _HEADERS, tablefmt=_STYLES[output], disable_numparse=True) + "\n"


def _standing(runbook: Runbook) -> str:
    return runbook.severity or runbook.kind


def _mttr(runbook: Runbook) -> str:
    return "" if runbook.mttr_s is None else human_duration(runbook.mttr_s)


def _line(text: str) -> str:
    return harmless(redact(text))


def _ticket(text: str) -> str:
    return escaped(harmless(redact(text)))
