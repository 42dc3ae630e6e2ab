"""`payops journal`: what payops changed, and whether its record was touched."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.apply import PlanOutput, output_of
from payops.cli.boundary import emit, tell
from payops.cli.invocation import Invocation, invocation
from payops.domain.duration import parse_moment
from payops.errors import UsageError

if TYPE_CHECKING:
    from payops.engine.journal import Journal
    from payops.engine.journal_chain import Chain, Entry

app = typer.Typer(
    help="List, show and verify what payops changed.",
    invoke_without_command=True,
    rich_markup_mode=None,
)


@app.callback()
def journal(
    ctx: typer.Context,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Not older: 24h, 7d, an ISO time.")
    ] = None,
    plan: Annotated[
        str | None, typer.Option(metavar="DIGEST", help="Of this plan; its digest's beginning.")
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="KIND", help="apply, intent, outcome, end, reread, repair or runbook."
        ),
    ] = None,
    output: PlanOutput = None,
) -> int:
    """List, show and verify what payops changed.

    Exit status: 0, or 2 when the journal was touched; then what is whole is listed.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    chosen = output_of(output)
    chain = _read(invocation(ctx))
    entries = [
        entry
        for entry in chain.entries
        if (plan is None or str(entry.get("plan", "")).startswith(plan.lower()))
        and (kind is None or entry["kind"] == kind)
    ]
    if since is not None:
        begin = _moment(since)
        entries = [entry for entry in entries if datetime.fromisoformat(entry["at"]) >= begin]
    if chosen == "json":
        from payops.formats.plans.data import entries_as_json

        emit(entries_as_json("journal", entries))
    else:
        from payops.formats.plans.journal import listing

        emit(listing(entries, chosen))
    return 2 if chain.broken else 0


@app.command()
def show(
    ctx: typer.Context,
    entry: Annotated[int, typer.Argument(metavar="ENTRY", help="Its number.")],
    output: PlanOutput = None,
) -> int:
    """Show one entry with everything in it, and what it belongs to."""
    chosen = output_of(output)
    chain = _read(invocation(ctx))
    entries = chain.entries
    if not 1 <= entry <= len(entries):
        raise UsageError(
            f"the journal has no entry {entry}", hint=f"it has {len(entries)}: `payops journal`"
        )
    wanted = entries[entry - 1]
    shown: list[Entry] = [wanted]
    if wanted["kind"] == "intent":
        shown += [each for each in entries if each.get("intent") == entry]
    if wanted.get("intent"):
        shown.insert(0, entries[wanted["intent"] - 1])
    if chosen == "json":
        from payops.formats.plans.data import entries_as_json

        emit(entries_as_json("journal show", shown))
    else:
        from payops.formats.plans.journal import one

        emit(one(shown, chosen))
    return 2 if chain.broken else 0


@app.command()
def verify(ctx: typer.Context, output: PlanOutput = None) -> int:
    """Say whether the journal was touched, and in which line first.

    Exit status: 0 it is whole, 2 it was touched.
    """
    chosen = output_of(output)
    record = _journal(invocation(ctx))
    chain = record.read()
    if chosen == "json":
        from payops.formats.plans.data import document

        broken = {"line": chain.broken.line, "what": chain.broken.what} if chain.broken else None
        body = {
            "status": "CRIT" if chain.broken else "OK",
            "path": str(record.path),
            "entries": len(chain.entries),
            "head": chain.head,
            "repaired": chain.repaired,
            "torn_bytes": len(chain.torn),
            "broken": broken,
        }
        emit(document("journal verify", body))
        return 2 if chain.broken else 0
    if chain.broken:
        emit(
            f"{record.path}, line {chain.broken.line}: {chain.broken.what}\n"
            f"the {len(chain.entries)} entries before it are whole\n"
        )
        return 2
    emit(f"{record.path}: {len(chain.entries)} entries, whole; last hash {chain.head}\n")
    if chain.repaired:
        emit(f"{chain.repaired} times a crash left half a line, and the next entry says so\n")
    if chain.torn:
        emit(f"a crash left half a line at the end ({len(chain.torn)} bytes)\n")
    return 0


def _journal(asked: Invocation) -> Journal:
    from payops.engine.journal import Journal
    from payops.reconcile.spool import state_folder

    return Journal(state_folder(asked.load().settings))


def _read(asked: Invocation) -> Chain:
    """What is whole of it; that the rest is not is told."""
    record = _journal(asked)
    chain = record.read()
    if chain.broken:
        tell(f"payops: {record.path}, line {chain.broken.line}: {chain.broken.what}")
    return chain


def _moment(since: str) -> datetime:
    try:
        return parse_moment(since, datetime.now(UTC))
    except ValueError as error:
        raise UsageError(f"--since: {error}") from None
