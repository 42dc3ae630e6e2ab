"""`--save-plan`: the plan of what may be put right, written to a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from payops.engine.reconcile_compared import Compared
from payops.reconcile.causes import Clue
from payops.reconcile.match import Match
from payops.reconcile.report import stripe_facts, stripe_id
from payops.reconcile.totals import Row


def write_plan(
    compared: Compared, path: Path, match: Match, rows: Sequence[Row], clues: Mapping[str, Clue]
) -> tuple[dict[str, object], str]:
    """Plan what the configuration's `fixes` allow of these findings, and write it.

    Gives the report's section, and a line for a person. Raises SourceError, UsageError.
    """
    from payops.engine.planning import plan_from, save_plan

    facts = {stripe_id(row): stripe_facts(row, others) for row, others in _others(match, rows)}
    classes = ",".join(each.value for each in compared.options.only)
    only = f" --only {classes}" if classes else ""
    planned = plan_from(
        [compared.discrepancy(row, clues) for row in rows],
        compared.settings,
        facts,
        account=_account(compared),
        command=f"{compared.options.command}{only} --save-plan {path}",
        now=datetime.now(UTC),
    )
    save_plan(planned.plan, path)
    count = len(planned.plan.changes)
    section: dict[str, object] = {
        "file": str(path),
        "changes": count,
        "digest": planned.plan.digest,
        "refused": [{"subject": each.subject, "why": each.why} for each in planned.refused],
    }
    return section, (
        f"plan: {count:,} change{'' if count == 1 else 's'} in {path}, "
        f"{len(planned.refused):,} refused: payops apply {path} --show"
    )


def _account(compared: Compared) -> str:
    """The account that the plan is for; none where Stripe's side came from a file."""
    if not compared.asks_stripe:
        return ""
    stripe = compared.settings.stripe
    configured = stripe.account if stripe is not None else ""
    return configured or compared.sources.stripe.account().value.id


def _others(match: Match, rows: Sequence[Row]) -> Iterable[tuple[Row, list[str]]]:
    """Each row with the other payments that may have paid for the same: of its order, or where that
    is not known of its customer."""

    def order_of(row: Row) -> str:
        return str(row.get("local_order") or row.get("meta_order") or "")

    orders = {order_of(row) for row in rows} - {""}
    customers = {str(row["customer"]) for row in rows if not order_of(row) and row.get("customer")}
    by_name: dict[tuple[str, str], set[str]] = {}
    for live in match.live(orders, customers) if orders or customers else ():
        kind = "order" if live["order_id"] is not None else "customer"
        name = live["order_id"] if kind == "order" else live["customer"]
        by_name.setdefault((kind, name), set()).add(live["id"])
    for row in rows:
        order = order_of(row)
        which = ("order", order) if order else ("customer", str(row.get("customer") or ""))
        yield row, sorted(by_name.get(which, set()) - {row["id"]})
