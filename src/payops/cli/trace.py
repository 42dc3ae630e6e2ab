"""`payops trace`: one payment's whole story, and the first point where the sides disagree."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from payops.cli.boundary import tell
from payops.cli.invocation import (
    CheckOption,
    DeadlineOption,
    OutputOption,
    SinceOption,
    chosen_output,
    duration_option,
    invocation,
    pasteable,
    show,
    window_option,
)
from payops.errors import UsageError

if TYPE_CHECKING:
    from payops.engine.trace import Ask, ByAmount

# What one run traces at most: each payment costs up to 12 requests.
_MOST = 20


def trace(
    ctx: typer.Context,
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]...",
            help="pi_…, ch_…, cs_…, evt_…, re_…, dp_…, txn_…, po_…, cus_…, req_…, a row's id, an "
            "order, an idempotency key, an e-mail; local:X, order:X, key:X say which is meant.",
            show_default=False,
        ),
    ] = None,
    amount: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", help="Find a payment by its amount: 49.99. With --around."),
    ] = None,
    around: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="And when: 14:05 (UTC, the last time it was that), an ISO time, or 2h ago as 2h.",
        ),
    ] = None,
    window: Annotated[
        str, typer.Option(metavar="DURATION", help="So far before and after --around.")
    ] = "10m",
    newest: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, max=100, help="List the N newest payments of --since instead."
        ),
    ] = None,
    since: SinceOption = "1h",
    from_: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Trace what `payops reconcile -o json` found."),
    ] = None,
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, help="Of --from, trace so many.")
    ] = _MOST,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the trace there too: JSON, or Markdown for .md."),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Wait until something happens to it, or --timeout.")
    ] = False,
    timeout: Annotated[
        str, typer.Option(metavar="DURATION", help="How long --follow waits.")
    ] = "5m",
    probe: Annotated[
        bool,
        typer.Option(
            "--probe/--no-probe",
            help="Ask the webhook endpoint why it has not taken an event: a POST unsigned.",
        ),
    ] = True,
    deadline: DeadlineOption = "10s",
    output: OutputOption = None,
    check: CheckOption = False,
) -> int:
    """Tell one payment's story: Stripe, ledger, events and keys on one clock, and where they part.

    Exit status: 0 OK, 1 WARN, 2 CRIT, 3 UNKNOWN.
    """
    from payops.domain.deadline import Deadline

    asked = invocation(ctx)
    now = datetime.now(UTC)
    chosen = chosen_output(output, check=check)
    seconds = duration_option("--deadline", deadline).total_seconds()
    waits = duration_option("--timeout", timeout).total_seconds()
    if newest is not None:
        if ids or amount or around or from_ or follow:
            raise UsageError("--newest lists payments, and traces none", hint="leave the ids out")
        wanted: list[Ask] = [_newest(since, newest, now)]
    else:
        wanted = _wanted(ids or [], amount, around, window, from_, limit, now)
    if follow and (len(wanted) != 1 or not isinstance(wanted[0], str)):
        raise UsageError("--follow follows one payment", hint="give one id")
    loaded = asked.load()

    from payops.config.load import located
    from payops.engine import trace as engine

    with located(loaded.path):
        if follow:
            from payops.engine.trace_follow import follow as follow_one

            report = follow_one(
                loaded.settings, str(wanted[0]), seconds, Deadline.after(waits), tell, probe=probe
            )
        else:
            # Each payment has the deadline for itself.
            ends = Deadline.after(seconds * max(1, len(wanted)))
            report = engine.trace(loaded.settings, wanted, ends, probe=probe)
    if save is not None:
        from payops.formats.saved import save_report

        path = save_report(pasteable(report, asked), save)
        tell(f"payops: the trace is in {path}")
    return show(report, chosen, asked)


def _newest(since: str, most: int, now: datetime) -> Ask:
    from payops.engine.trace import Newest

    return Newest(window_option(since, now).since, most)


def _wanted(
    ids: list[str],
    amount: str | None,
    around: str | None,
    window: str,
    from_: Path | None,
    limit: int,
    now: datetime,
) -> list[Ask]:
    """What is to be traced, in the order given. Raises UsageError for nothing, or nonsense."""
    wanted: list[Ask] = list(dict.fromkeys(ids))
    if (amount is None) != (around is None):
        raise UsageError(
            "--amount and --around belong together",
            hint="payops trace --amount 49.99 --around 14:05",
        )
    if amount is not None and around is not None:
        wanted.append(_by_amount(amount, around, window, now))
    if from_ is not None:
        from payops.engine.trace_from import ids_of

        listed, all_of_them = ids_of(from_, limit)
        wanted += listed
        if all_of_them > len(listed):
            tell(
                f"payops: {from_} has {all_of_them:,} payments: the first {len(listed)} are "
                "traced, see --limit"
            )
        elif not listed:
            raise UsageError(f"{from_} has no discrepancies: there is nothing to trace")
    if not wanted:
        raise UsageError(
            "there is nothing to trace",
            hint="give an id, or --amount with --around, or --from a reconciliation's JSON",
        )
    if len(wanted) > max(_MOST, limit):
        raise UsageError(f"{len(wanted)} ids at once are too many: {_MOST} at most")
    return wanted


def _by_amount(amount: str, around: str, window: str, now: datetime) -> ByAmount:
    from payops.engine.trace import ByAmount
    from payops.trace.around import amount_of, window_of

    span = duration_option("--window", window)
    try:
        found = ByAmount(amount_of(amount), window_of(around, span, now))
    except ValueError as error:
        raise UsageError(str(error)) from None
    seen = found.window
    tell(
        f"payops: looking for {found.amount} from {seen.since:%Y-%m-%d %H:%M:%S} to "
        f"{seen.until:%Y-%m-%d %H:%M:%S} UTC"
    )
    return found
