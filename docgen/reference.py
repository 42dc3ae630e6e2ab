"""Writes the generated pages: docs/cli.md, docs/checks.md, docs/coverage.md and docs/health.svg.

`python -m docgen.reference`; a test compares the pages with what this would write.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import typer

from docgen import coverage
from payops.checks import check_ids, load_check
from payops.cli.main import app
from payops.domain.threshold import Threshold

DOCS = Path(__file__).parent.parent / "docs"
CLI_HEADING = """\
# Commands

Written by `make docs` from the command line itself. The options of `payops` may stand before or
after the command.
"""
CHECKS_HEADING = """\
# Checks

Written by `make docs` from the checks themselves. A limit is overridden in the configuration:
`thresholds: {payments.stuck-pending: {count: {warn: 2, crit: 20}}}`. `rows` are those of the
runbooks' checklist.
"""


def cli_page() -> str:
    """Every command with its help, as the command line itself tells it."""
    parts = [CLI_HEADING]
    for path, help_text in _helps(typer.main.get_command(app), "payops", None):
        parts.append(f"## `{path}`\n\n```text\n{help_text.rstrip()}\n```\n")
    return "\n".join(parts)


def _helps(command: Any, path: str, parent: Any) -> Iterator[tuple[str, str]]:
    """(path, help) of a command and all below it, 80 columns wide."""
    context = type(command).context_class(
        command,
        info_name=path.rpartition(" ")[2],
        parent=parent,
        terminal_width=80,
        max_content_width=80,
        help_option_names=["-h", "--help"],
    )
    with context:
        yield path, command.get_help(context)
        for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
            child = command.get_command(context, name)
            if not child.hidden:
                yield from _helps(child, f"{path} {name}", context)


def checks_page() -> str:
    """Every check: what it means, its limits and where they come from."""
    parts = [CHECKS_HEADING]
    for id_ in check_ids():
        check = load_check(id_)
        module = __import__(check.judge.__module__, fromlist=["__doc__"])
        advisory = " Advisory: shown, never counted." if check.advisory else ""
        meaning = (module.__doc__ or "").strip()
        parts.append(f"## `{id_}`\n\n**{check.title}.**{advisory}\n\n{meaning}\n")
        if check.limits:
            parts.append(
                "| limit | unit | WARN | CRIT | source |\n|---|---|---|---|---|\n"
                + "".join(_limit_row(name, limit) for name, limit in check.limits.items())
            )
        if check.rows:
            parts.append(f"rows: {', '.join(check.rows)}\n")
    return "\n".join(parts)


def _limit_row(name: str, limit: Threshold) -> str:
    side = "below" if limit.worse == "lower" else "above"
    warn, crit = (f"{side} {v:g}" if v is not None else "-" for v in (limit.warn, limit.crit))
    return f"| `{name}` | {limit.unit} | {warn} | {crit} | {limit.source} |\n"


def health_picture() -> str:
    """`payops health` during an incident, as an SVG: drawn by the real table format.

    The report is that of the demo's two scenarios, judged by the real checks.
    """
    from rich.console import Console
    from rich.text import Text

    from payops.formats import render

    report, now = _incident()
    drawn = render(report, "table", colour=True, width=88, now=now, ascii_only=False)
    console = Console(record=True, width=88, file=io.StringIO(), force_terminal=True)
    console.print(Text.from_ansi(drawn))
    return console.export_svg(title="payops health", unique_id="payops")


def _incident() -> tuple[Any, datetime]:
    from payops.checks.circuit import state
    from payops.checks.contract import NamedCheck
    from payops.checks.ledger import Tally
    from payops.checks.payments import failure_rate, stuck_pending
    from payops.checks.stripe import api
    from payops.checks.webhooks import backlog
    from payops.domain.breaker import BreakerReading, BreakerState
    from payops.domain.money import MoneyAtRisk
    from payops.domain.report import Report

    now = datetime(2026, 2, 11, 3, 12, 40, tzinfo=UTC)
    opened = now - timedelta(minutes=12, seconds=4)
    oldest = now - timedelta(hours=2, minutes=39)
    money = (
        MoneyAtRisk("usd", 74785, 11),
        MoneyAtRisk("eur", 7824, 2),
        MoneyAtRisk("jpy", 4900, 1),
    )
    tally = Tally(
        paid=24,
        declined=1,
        ours=16,
        undecided=6,
        unknown=0,
        money=(MoneyAtRisk("usd", 93800, 15), MoneyAtRisk("eur", 743, 1)),
        since=opened,
        reasons={"circuit_open": 16},
        unknown_words=(),
    )
    reading = BreakerReading("stripe", BreakerState.OPEN, "open", 7, 5, opened, opened, 30)
    row = stuck_pending.Row("f3c12a5d-5c00", "pi_3Qxample72", "pending", "72.79 EUR", oldest)
    facts: dict[str, Any] = {
        "circuit.state": state.Facts(now, (reading,)),
        "payments.failure-rate": failure_rate.Facts(now, 3600, tally),
        "payments.stuck-pending": stuck_pending.Facts(now, 14, oldest, money, 0, 0, (row,)),
        "stripe.api": api.Facts(now, 180, "sk_live_…", account="acct_1Example"),
        "webhooks.backlog": backlog.Facts(now, (), True),
    }
    results = []
    for id_, seen in facts.items():
        check = load_check(id_)
        named = NamedCheck(id_, check, check.limits)
        results.append(named.signed(check.judge(seen, check.limits), now, 9))
    return Report("health", now, "production", tuple(results), 2, 410), now


def main() -> None:
    """Write all generated pages."""
    DOCS.mkdir(exist_ok=True)
    (DOCS / "cli.md").write_text(cli_page(), encoding="utf-8")
    (DOCS / "checks.md").write_text(checks_page(), encoding="utf-8")
    coverage.main()
    (DOCS / "health.svg").write_text(health_picture(), encoding="utf-8")


if __name__ == "__main__":
    main()
