"""`payops reconcile payouts`: did the bank get what was earned, and does the ledger know of it?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from payops.domain.duration import utc_text
from payops.domain.evidence import Action, Evidence
from payops.domain.money import Money, MoneyAtRisk, total_at_risk
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Threshold
from payops.errors import NotConfiguredError, SourceError
from payops.reconcile.payouts import (
    Line,
    Payout,
    PayoutFinding,
    hold_against_lines,
    not_recorded,
    reference,
)
from payops.sources import Sources

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.window import Window

# A payout of a large shop has more lines; then what was read is said, and nothing more claimed.
MOST_LINES = 20_000
MOST_PAYOUTS = 400
SUM = Threshold(None, 0, "count", "payops: a payout is the sum of its lines, to the cent")
RECORDED = Threshold(None, 0, "count", "S2-20: paid out, and not in the ledger")


class PayoutObject(Struct, frozen=True):
    """Stripe's payout: only what is needed."""

    id: str
    amount: int
    currency: str
    status: str
    created: int
    automatic: bool = False
    arrival_date: int | None = None
    reconciliation_status: str | None = None


class _Source(Struct, frozen=True):
    id: str
    payment_intent: str | None = None


class BalanceTransaction(Struct, frozen=True):
    """Stripe's balance transaction, its source expanded."""

    id: str
    amount: int
    fee: int
    net: int
    currency: str
    reporting_category: str
    source: _Source | str | None = None


def reconcile_payouts(settings: Settings, window: Window, deadline: Deadline) -> Report:
    """Take apart every payout created in the window. Raises nothing that a source does: a side
    that does not answer is a check that says so."""
    started, now = time.monotonic(), datetime.now(UTC)
    sources = Sources(settings, deadline)
    findings: list[PayoutFinding] = []
    try:
        try:
            found, complete = _take_apart(sources, window)
            findings, ledger_says = _with_ledger(settings, sources, found)
            checks = [_sums(findings, complete, now), ledger_says or _recorded(findings, now)]
        except (SourceError, NotConfiguredError) as error:
            checks = [_not_told("payouts.sum", "Payouts are the sum of their lines", error, now)]
        return Report(
            command="reconcile payouts",
            generated_at=now,
            environment=settings.environment,
            checks=tuple(checks),
            stripe_calls=sources.stripe_calls(),
            duration_ms=round((time.monotonic() - started) * 1000),
            extra={
                "window": {"since": utc_text(window.since), "until": utc_text(window.until)},
                "payouts": [_told(finding) for finding in findings],
            },
        )
    finally:
        sources.close()


Apart = tuple[PayoutFinding, tuple[Line, ...]]


def _take_apart(sources: Sources, window: Window) -> tuple[list[Apart], bool]:
    stripe = sources.stripe
    created = {"gte": int(window.since.timestamp()), "lt": int(window.until.timestamp())}
    listed = stripe.list("/v1/payouts", PayoutObject, at_most=MOST_PAYOUTS, created=created)
    complete, found = listed.complete, []
    for each in listed.items:
        payout = _payout(each)
        lines: tuple[Line, ...] = ()
        if payout.can_be_taken_apart:
            told = stripe.list(
                "/v1/balance_transactions",
                BalanceTransaction,
                at_most=MOST_LINES,
                payout=each.id,
                expand=["data.source"],
            )
            lines = tuple(_line(one) for one in told.items)
            if not told.complete:
                payout = replace(payout, reconciliation_status=f"more than {MOST_LINES:,} lines")
        found.append((hold_against_lines(payout, lines), lines))
    return found, complete


def _payout(given: PayoutObject) -> Payout:
    return Payout(
        id=given.id,
        minor=given.amount,
        currency=given.currency,
        status=given.status,
        automatic=given.automatic,
        reconciliation_status=given.reconciliation_status or "",
        created=datetime.fromtimestamp(given.created, UTC),
        arrives=datetime.fromtimestamp(given.arrival_date, UTC) if given.arrival_date else None,
    )


def _line(given: BalanceTransaction) -> Line:
    source = given.source
    return Line(
        id=given.id,
        category=given.reporting_category,
        amount=given.amount,
        fee=given.fee,
        net=given.net,
        currency=given.currency,
        source=source if isinstance(source, str) else source.id if source else "",
        payment_intent=(source.payment_intent or "") if isinstance(source, _Source) else "",
    )


def _with_ledger(
    settings: Settings, sources: Sources, found: Sequence[Apart]
) -> tuple[list[PayoutFinding], CheckResult | None]:
    """The findings with what the ledgers do not know; a check that says why they were not asked."""
    findings = [finding for finding, _ in found]
    lines = [line for _, inside in found for line in inside]
    try:
        known = {
            "charge": _known(sources, _mapped(settings, "payments"), lines, "charge"),
            "refund": _known(sources, _mapped(settings, "refunds"), lines, "refund"),
        }
        if known["charge"] is None:
            raise NotConfiguredError("no ledger of payments with a processor_ref is mapped")
    except (SourceError, NotConfiguredError) as error:
        title = "What was paid out is in the ledger"
        return findings, _not_told("payouts.ledger", title, error, datetime.now(UTC))
    return [
        replace(finding, unrecorded=not_recorded(inside, known)) for finding, inside in found
    ], None


def _mapped(settings: Settings, kind: str) -> Ledger | None:
    return next(
        (each for each in settings.ledgers.values() if each.kind == kind and _has_ref(each)), None
    )


def _has_ref(ledger: Ledger) -> bool:
    return bool(ledger.columns.processor_ref)


def _known(
    sources: Sources, ledger: Ledger | None, lines: Sequence[Line], category: str
) -> set[str] | None:
    if ledger is None:
        return None
    from payops.sources.lookup import rows_named

    wanted = [reference(line) for line in lines if line.category == category]
    rows = rows_named(sources.postgres, ledger, {"processor_ref": [ref for ref in wanted if ref]})
    return {row.processor_ref for row in rows if row.processor_ref}


def _sums(findings: Sequence[PayoutFinding], complete: bool, now: datetime) -> CheckResult:
    wrong = [each for each in findings if each.difference or each.broken or each.strangers]
    apart = sum(1 for each in findings if each.difference is not None)
    untold = len(findings) - apart
    noun = "payout" if len(findings) == 1 else "payouts"
    summary = f"{apart:,} of {len(findings):,} {noun} taken apart"
    if wrong:
        summary = f"{len(wrong):,} of {apart:,} payouts are not the sum of their lines"
    elif apart:
        summary += ": each is the sum of its lines to the cent"
    if untold:
        summary += f"; of {untold:,} Stripe does not tell what is in them"
    if not complete:
        summary += f"; only the newest {MOST_PAYOUTS:,} were read"
    return _signed(
        "payouts.sum",
        "Payouts are the sum of their lines",
        CheckResult(
            SUM.judge(len(wrong)),
            summary,
            source="stripe",
            as_of=now,
            since=min((each.payout.created for each in wrong), default=None),
            measured={"count": len(wrong), "payouts": len(findings)},
            limits={"count": SUM},
            evidence=tuple(_evidence(each, now) for each in wrong[:10]),
            actions=tuple(
                Action(
                    "Look at what the Dashboard lists in it",
                    f"stripe payouts retrieve {each.payout.id}",
                )
                for each in wrong[:1]
            ),
            money_at_risk=total_at_risk(
                Money(each.payout.currency, abs(each.difference))
                for each in wrong
                if each.difference
            ),
        ),
    )


def _evidence(finding: PayoutFinding, now: datetime) -> Evidence:
    said = []
    if finding.money is not None:
        sign = "more" if finding.money.minor > 0 else "less"
        amount = Money(finding.money.currency, abs(finding.money.minor))
        said.append(f"paid out {amount} {sign} than its lines add up to")
    if finding.broken:
        said.append(f"{len(finding.broken)} lines whose net is not amount less fee")
    if finding.strangers:
        said.append(f"{len(finding.strangers)} lines in another currency")
    detail = {"arrives": utc_text(finding.payout.arrives) if finding.payout.arrives else None}
    return Evidence(f"{finding.payout.id}: {'; '.join(said)}", "stripe", now, detail)


def _recorded(findings: Sequence[PayoutFinding], now: datetime) -> CheckResult:
    missing = [(each, line) for each in findings for line in each.unrecorded or ()]
    money: tuple[MoneyAtRisk, ...] = total_at_risk(
        Money(line.currency, abs(line.amount)) for _, line in missing
    )
    lines = "line" if len(missing) == 1 else "lines"
    return _signed(
        "payouts.ledger",
        "What was paid out is in the ledger",
        CheckResult(
            RECORDED.judge(len(missing)),
            f"{len(missing):,} {lines} of payouts are in no ledger"
            if missing
            else "every charge and refund that was paid out is in the ledger",
            source="stripe+postgres",
            as_of=now,
            since=min((each.payout.created for each, _ in missing), default=None),
            measured={"count": len(missing)},
            limits={"count": RECORDED},
            evidence=tuple(
                Evidence(
                    f"{line.category} {reference(line)} {Money(line.currency, line.amount)} "
                    f"in {each.payout.id}",
                    "stripe",
                    now,
                    {"balance_transaction": line.id, "source": line.source},
                )
                for each, line in missing[:10]
            ),
            actions=(
                Action(
                    "See what else is missing around it",
                    f"payops reconcile --since {_day(missing[0][0].payout.created)}",
                ),
            )
            if missing
            else (),
            money_at_risk=money,
        ),
    )


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _not_told(
    id_: str, title: str, error: SourceError | NotConfiguredError, now: datetime
) -> CheckResult:
    status = Status.SKIP if isinstance(error, NotConfiguredError) else Status.UNKNOWN
    actions = (Action(error.hint),) if error.hint else ()
    result = CheckResult(status, f"could not be told: {error}", as_of=now, actions=actions)
    return _signed(id_, title, result)


def _signed(id_: str, title: str, result: CheckResult) -> CheckResult:
    return replace(result, id=id_, title=title)


def _told(finding: PayoutFinding) -> Mapping[str, Any]:
    payout = finding.payout
    return {
        "id": payout.id,
        "status": payout.status,
        "created": utc_text(payout.created),
        "arrives": utc_text(payout.arrives) if payout.arrives else None,
        "currency": payout.currency,
        "minor": payout.minor,
        "difference": finding.difference,
        "why_not": finding.why_not,
        "categories": {
            name: {"count": one.count, "amount": one.amount, "fee": one.fee, "net": one.net}
            for name, one in finding.categories.items()
        },
        "broken": list(finding.broken),
        "other_currency": list(finding.strangers),
        "unrecorded": [line.source for line in finding.unrecorded or ()],
    }
