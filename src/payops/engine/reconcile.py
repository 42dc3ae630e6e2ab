"""`payops reconcile`: both sides into a spool, matched, confirmed, judged and told."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from payops.domain.discrepancy import HARMLESS, Discrepancy, MatchClass
from payops.domain.duration import utc_text
from payops.domain.evidence import Action, Evidence, Scalar
from payops.domain.money import Money, MoneyAtRisk
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.engine.clues import clues_for
from payops.engine.reconcile_alarm import Alarm
from payops.engine.reconcile_json import as_json, total_json
from payops.engine.reconcile_limits import TITLES, limits_for
from payops.engine.reconcile_one_side import one_side, too_late
from payops.errors import NotConfiguredError, SourceError, UsageError
from payops.reconcile.causes import Clue
from payops.reconcile.confirm import MOST_STRIPE_CALLS, Confirmed, confirm, write_found
from payops.reconcile.fetch import Fetched, FetchOptions, fetch
from payops.reconcile.match import Match, MatchOptions
from payops.reconcile.report import discrepancy, moment, stripe_facts, stripe_id
from payops.reconcile.totals import ClassTotal, Row, Totals
from payops.sources import Sources

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.window import Window
    from payops.reconcile.progress import Report as Progress

# What the customers of a class have lived through, for whoever writes to them.
_HAPPENED = {
    MatchClass.MISSING_IN_LEDGER: "charged; the payment is not recorded",
    MatchClass.DUPLICATE_CHARGE: "charged twice for one order",
    MatchClass.REFUND_MISSING: "refund not recorded",
    MatchClass.REFUND_PARTIAL_MISMATCH: "refunded another amount than recorded",
    MatchClass.AMOUNT_MISMATCH: "charged another amount than recorded",
    MatchClass.CURRENCY_MISMATCH: "charged in another currency than recorded",
    MatchClass.PARTIAL_CAPTURE: "charged in part",
    MatchClass.DISPUTE_UNRECORDED: "disputed the payment",
    MatchClass.MISSING_IN_STRIPE: "recorded; Stripe knows no such payment",
    MatchClass.NO_REFERENCE: "recorded without a payment at Stripe",
    MatchClass.DUPLICATE_IN_LEDGER: "recorded twice",
}


@dataclass(frozen=True)
class ReconcileOptions:
    """What to compare, and what to tell of it.

    `only` limits what is told and judged to these classes (empty: all), `limit` how many
    discrepancies are listed. `look_for_causes` asks Stripe for events, up to ten pages of them.
    `command` is the command line that can be repeated, without --only and --save-plan.
    `save_plan` and `affected` are files to write.
    """

    window: Window
    ledgers: tuple[str, ...] | None = None
    stripe_files: tuple[str, ...] = ()
    ledger_files: tuple[str, ...] = ()
    only: tuple[MatchClass, ...] = ()
    limit: int | None = None
    show_matched: bool = False
    fresh: bool = False
    look_for_causes: bool = True
    save_plan: Path | None = None
    affected: Path | None = None
    command: str = "payops reconcile --since 24h"
    progress: Progress | None = None
    confirm_at_most: int = MOST_STRIPE_CALLS


@dataclass
class Reconciled:
    """The report, and lines for a person on what else was done."""

    report: Report
    notes: list[str] = field(default_factory=list)


def reconcile(settings: Settings, options: ReconcileOptions, deadline: Deadline) -> Reconciled:
    """Compare both sides. Raises UsageError or ConfigError for what cannot be asked; a side that
    does not answer becomes a report that says so, and what can be said all the same."""
    started = time.monotonic()
    limits = limits_for(settings)
    if not any(each.kind == "payments" for each in settings.ledgers.values()):
        raise NotConfiguredError(
            "no ledger of payments is mapped (ledgers.payments)",
            hint="payops init, or docs/your-own-system.md",
        )
    sources = Sources(settings, deadline)
    alarm = Alarm(deadline)
    try:
        with alarm:
            fetched = fetch(
                settings,
                sources,
                FetchOptions(
                    options.window,
                    slack=timedelta(seconds=settings.reconcile.slack),
                    fresh=options.fresh,
                    ledgers=options.ledgers,
                    stripe_files=options.stripe_files,
                    ledger_files=options.ledger_files,
                    progress=options.progress,
                ),
            )
            try:
                return _Run(settings, options, sources, fetched, limits, started).all()
            finally:
                fetched.spool.close()
    except SourceError as error:
        return Reconciled(one_side(settings, options, sources, error, started))
    except KeyboardInterrupt:
        if not alarm.rang:
            raise
        return Reconciled(too_late(settings, options, sources, started))
    finally:
        sources.close()


class _Run:
    """One comparison of what was fetched."""

    def __init__(
        self,
        settings: Settings,
        options: ReconcileOptions,
        sources: Sources,
        fetched: Fetched,
        limits: Mapping[MatchClass, Mapping[str, object]],
        started: float,
    ) -> None:
        self._settings = settings
        self._options = options
        self._sources = sources
        self._fetched = fetched
        self._limits = limits
        self._started = started
        self._ledgers: dict[str, Ledger] = {
            name: settings.ledgers[name] for name in fetched.ledgers
        }
        read = [fetched.stripe.as_of, *(each.as_of for each in fetched.ledgers.values())]
        # What neither side could know yet when it was read is no discrepancy.
        self._now = min([datetime.now(UTC), *read])
        of_ledger = {each.source for each in fetched.ledgers.values()}
        self._places = (fetched.stripe.source, "file" if of_ledger == {"file"} else "postgres")
        self._confirmed = Confirmed()
        self._told = options.only or tuple(MatchClass)
        every = {n for n, ledger in settings.ledgers.items() if ledger.kind == "payments"}
        if not every <= set(self._ledgers):
            # What is not in this ledger may be in another: that is not told of some of them.
            self._told = tuple(e for e in self._told if e is not MatchClass.MISSING_IN_LEDGER)
        self.notes: list[str] = []

    def all(self) -> Reconciled:
        """Match, confirm, match again where something was found, and tell."""
        matching = MatchOptions(
            self._options.window,
            self._now,
            self._ledgers,
            timedelta(seconds=self._settings.reconcile.grace),
            _livemode(self._settings, self._places[0]),
            knows_refunds=self._places[0] == "stripe" or bool(self._fetched.counts.get("refunds")),
        )
        with Match(self._fetched.spool.path, matching) as match:
            write_found(self._fetched.spool.path, {})
            match.run()
            if missing := match.missing():
                self._confirmed = confirm(
                    missing,
                    self._ledgers,
                    self._sources,
                    ask_stripe=self._places[0] == "stripe",
                    ask_ledger=self._places[1] == "postgres",
                    at_most=self._options.confirm_at_most,
                )
                write_found(self._fetched.spool.path, self._confirmed.found)
                match.run(self._confirmed.absent)
            report = self._report(match)
            write_found(self._fetched.spool.path, {})
        return Reconciled(report, self.notes)

    def _report(self, match: Match) -> Report:
        totals = match.totals()
        shown = [each for each in self._told if each not in HARMLESS]
        rows = list(match.findings(shown, self._options.limit))
        everything = rows
        if self._options.limit is not None and (self._options.save_plan or self._options.affected):
            everything = list(match.findings(shown))
        clues = self._clues(everything if self._options.save_plan else rows)
        found = [self._discrepancy(row, clues) for row in rows]
        listed = list(found)
        if self._options.show_matched:
            harmless = [each for each in self._told if each in HARMLESS]
            matched = match.findings(harmless, self._options.limit)
            listed += [self._discrepancy(row, clues) for row in matched]
        checks = self._checks(totals, match.oldest())
        extra: dict[str, object] = {
            "window": {
                "since": utc_text(self._options.window.since),
                "until": utc_text(self._options.window.until),
            },
            "totals": {each.value: total_json(total) for each, total in totals.payments.items()},
            "refunds": {
                each.value: total_json(total)
                for each, total in totals.refunds.items()
                if any(ledger.kind == "refunds" for ledger in self._ledgers.values())
            },
            "sides": self._sides(),
            "discrepancies": [as_json(each) for each in listed],
            "left_out": sum(totals.payments[each].count for each in shown) - len(found),
            "unconfirmed": {
                "count": self._confirmed.unconfirmed,
                "reasons": list(self._confirmed.reasons),
            },
        }
        if self._options.affected:
            self._write_affected(everything)
        if self._options.save_plan:
            extra["plan"] = self._plan(match, everything, clues)
        return Report(
            command="reconcile",
            generated_at=datetime.now(UTC),
            environment=self._settings.environment,
            checks=checks,
            stripe_calls=self._fetched.stripe.calls + self._sources.stripe_calls(),
            duration_ms=round((time.monotonic() - self._started) * 1000),
            extra=extra,
        )

    def _discrepancy(self, row: Row, clues: Mapping[str, Clue]) -> Discrepancy:
        return discrepancy(
            row,
            self._ledgers,
            now=self._now,
            clue=clues.get(stripe_id(row)),
            again=self._options.command,
            sources=self._places,
        )

    def _clues(self, rows: Sequence[Row]) -> Mapping[str, Clue]:
        if not self._options.look_for_causes or self._places[0] != "stripe" or not rows:
            return {}
        try:
            return clues_for(rows, self._settings, self._sources)
        except (SourceError, NotConfiguredError) as error:
            self.notes.append(f"causes: events were not looked at: {error}")
            return {}

    def _checks(self, totals: Totals, oldest: Mapping[MatchClass, int]) -> tuple[CheckResult, ...]:
        checks = []
        for each in self._told:
            total = totals.payments[each]
            since = moment(oldest.get(each))
            checks.append(self._check(each, total, since if total.count else None, totals))
        return tuple(checks)

    def _check(
        self, each: MatchClass, total: ClassTotal, since: datetime | None, totals: Totals
    ) -> CheckResult:
        limits = self._limits[each]
        largest = max(total.minor.values(), default=0)
        measured: dict[str, Scalar] = {"count": total.count, "money": largest}
        if each not in HARMLESS:
            measured["critical"] = total.critical
        judged = [limit.judge(measured[name] or 0) for name, limit in limits.items()]  # type: ignore[attr-defined]
        status = worst(judged) if judged else Status.OK
        money = tuple(
            MoneyAtRisk(currency, minor, total.counts.get(currency, 0))
            for currency, minor in total.minor.items()
            if currency and each not in HARMLESS and minor
        )
        actions: tuple[Action, ...] = ()
        if total.count and each not in HARMLESS:
            fixes = any(
                fix.when.match_class == each.value
                for ledger in self._ledgers.values()
                for fix in ledger.fixes
            )
            command = f"{self._options.command} --only {each.value}"
            if fixes:
                command += " --save-plan plan.json"
            what = "Plan the change, look at it (payops apply plan.json --show), apply it"
            actions = (Action(what if fixes else "See each of them", command),)
        return CheckResult(
            status=status,
            summary=self._summary(each, total, totals),
            source="+".join(dict.fromkeys(self._places)),
            as_of=self._now,
            since=since if each not in HARMLESS else None,
            measured=measured,
            limits=limits,  # type: ignore[arg-type]
            actions=actions,
            money_at_risk=money,
            evidence=self._notes_of(each, totals),
            id=f"reconcile.{each.value}",
            title=TITLES[each],
            duration_ms=round((time.monotonic() - self._started) * 1000),
        )

    def _summary(self, each: MatchClass, total: ClassTotal, totals: Totals) -> str:
        sums = ", ".join(str(Money(c, minor)) for c, minor in total.minor.items() if c and minor)
        text = f"{total.count:,} {TITLES[each]}"
        if sums and total.count:
            text += f": {sums}" + ("" if each in HARMLESS else " at risk")
        if each is MatchClass.MATCHED and totals.cut_cents:
            text += f"; {totals.cut_cents:,} with cents cut, a known quirk"
        return text

    def _notes_of(self, each: MatchClass, totals: Totals) -> tuple[Evidence, ...]:
        notes: list[Evidence] = []
        asked = {MatchClass.MISSING_IN_LEDGER, MatchClass.MISSING_IN_STRIPE}
        if each in asked and totals.payments[each].count and self._confirmed.unconfirmed:
            what = "not asked for by id: " + "; ".join(self._confirmed.reasons)
            detail: dict[str, Scalar] = {"unconfirmed": self._confirmed.unconfirmed}
            notes.append(Evidence(what, "+".join(self._places), self._now, detail))
        if each is MatchClass.MATCHED and totals.cut_cents:
            what = "one minor unit less at Stripe: cents cut by floating point (truncated_cents)"
            notes.append(Evidence(what, self._places[1], self._now, {"count": totals.cut_cents}))
        return tuple(notes)

    def _sides(self) -> dict[str, object]:
        fetched = self._fetched
        return {
            "stripe": {
                "count": fetched.stripe.count,
                "source": fetched.stripe.source,
                "as_of": utc_text(fetched.stripe.as_of),
            },
            "ledgers": {
                name: {"count": s.count, "source": s.source, "as_of": utc_text(s.as_of)}
                for name, s in fetched.ledgers.items()
            },
        }

    def _plan(
        self, match: Match, rows: Sequence[Row], clues: Mapping[str, Clue]
    ) -> dict[str, object]:
        from payops.engine.planning import plan_from, save_plan

        path = self._options.save_plan
        assert path is not None  # noqa: S101  asked for
        facts = {stripe_id(row): stripe_facts(row, others) for row, others in _others(match, rows)}
        stripe = self._settings.stripe
        account = stripe.account if stripe is not None else ""
        if self._places[0] == "stripe" and not account:
            account = self._sources.stripe.account().value.id
        classes = ",".join(each.value for each in self._options.only)
        only = f" --only {classes}" if classes else ""
        planned = plan_from(
            [self._discrepancy(row, clues) for row in rows],
            self._settings,
            facts,
            account=account if self._places[0] == "stripe" else "",
            command=f"{self._options.command}{only} --save-plan {path}",
            now=datetime.now(UTC),
        )
        save_plan(planned.plan, path)
        count = len(planned.plan.changes)
        self.notes.append(
            f"plan: {count:,} change{'' if count == 1 else 's'} in {path}, "
            f"{len(planned.refused):,} refused: payops apply {path} --show"
        )
        return {
            "file": str(path),
            "changes": count,
            "digest": planned.plan.digest,
            "refused": [{"subject": r.subject, "why": r.why} for r in planned.refused],
        }

    def _write_affected(self, rows: Sequence[Row]) -> None:
        path = self._options.affected
        assert path is not None  # noqa: S101  asked for
        whom = self._contacts(rows)
        lines = []
        for row in rows:
            match_class = MatchClass(row["class"])
            contact = whom.get((row["ledger"] or "", row["key"] or ""), "")
            money = row["money"] if row["money"] is not None else row["minor"]
            what = _what(row, match_class)
            line = (row["key"] or "", contact, money, row["currency"] or "", what)
            lines.append((*line, match_class.value, stripe_id(row)))
        _write_private(
            path, ("key", "contact", "amount", "currency", "what", "class", "stripe_id"), lines
        )
        self.notes.append(f"affected: {len(lines):,} in {path}")

    def _contacts(self, rows: Sequence[Row]) -> dict[tuple[str, str], str]:
        if self._settings.postgres is None:
            return {}
        from payops.sources.lookup import contacts

        found: dict[tuple[str, str], str] = {}
        for name, ledger in self._ledgers.items():
            keys = [row["key"] for row in rows if row["ledger"] == name and row["key"]]
            if not keys or ledger.kind != "payments":
                continue
            try:
                asked = contacts(self._sources.postgres, ledger, keys)
            except SourceError as error:
                self.notes.append(f"affected: contacts of {name} could not be read: {error}")
                continue
            found.update(((name, key), contact) for key, contact in asked.items())
        return found


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


def _what(row: Row, match_class: MatchClass) -> str:
    if match_class is MatchClass.STATUS_MISMATCH:
        state = row.get("true_state") or row["stripe_status"]
        return f"recorded as {row['local_status']}; at Stripe {state}"
    happened = _HAPPENED.get(match_class)
    return happened or match_class.value.replace("_", " ")


def _write_private(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A CSV file that only its owner may read. Raises UsageError when it cannot be written."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            os.fchmod(file.fileno(), 0o600)
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)
    except OSError as error:
        raise UsageError(f"--affected: {path}: {error.strerror or error}") from None


def _livemode(settings: Settings, source: str) -> bool | None:
    """Which mode the objects should be of: the key's; of files, production's is live."""
    if settings.stripe is not None:
        kind = settings.stripe.secret_key.reveal().split("_")[1:2]
        if kind in (["live"], ["test"]):
            return kind == ["live"]
    return True if source == "file" and settings.environment == "production" else None


def without_empty(report: Report) -> Report:
    """The report without classes in which there is nothing: JSON has them all, people need not."""
    kept = tuple(
        check
        for check in report.checks
        if check.measured.get("count") != 0 or check.id == "reconcile.matched"
    )
    return replace(report, checks=kept or report.checks)
