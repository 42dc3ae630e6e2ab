"""One comparison of what was fetched: matched, confirmed, matched again, and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from payops.domain.discrepancy import HARMLESS, MatchClass
from payops.domain.duration import utc_text
from payops.domain.report import Report
from payops.domain.threshold import Limits
from payops.engine.clues import clues_for
from payops.engine.reconcile_affected import write_affected
from payops.engine.reconcile_checks import Told, judge
from payops.engine.reconcile_compared import Compared
from payops.engine.reconcile_json import as_json, total_json
from payops.engine.reconcile_plan import write_plan
from payops.errors import NotConfiguredError, SourceError
from payops.reconcile.causes import Clue
from payops.reconcile.confirm import Confirmed, confirm, write_found
from payops.reconcile.fetch import Fetched
from payops.reconcile.match import Match, MatchOptions
from payops.reconcile.totals import Row, Totals
from payops.sources import Sources

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.engine.reconcile import ReconcileOptions


class Run:
    """One comparison of what was fetched; `limits` are those in force, by id."""

    def __init__(
        self,
        settings: Settings,
        options: ReconcileOptions,
        sources: Sources,
        fetched: Fetched,
        limits: Mapping[str, Limits],
        started: float,
    ) -> None:
        read = [fetched.stripe.as_of, *(each.as_of for each in fetched.ledgers.values())]
        of_ledger = {each.source for each in fetched.ledgers.values()}
        self._compared = Compared(
            settings,
            options,
            sources,
            {name: settings.ledgers[name] for name in fetched.ledgers},
            (fetched.stripe.source, "file" if of_ledger == {"file"} else "postgres"),
            # What neither side could know yet when it was read is no discrepancy.
            min([datetime.now(UTC), *read]),
            started,
        )
        self._options = options
        self._fetched = fetched
        self._limits = limits
        self._confirmed = Confirmed()
        self._told = options.only or tuple(MatchClass)
        every = {n for n, ledger in settings.ledgers.items() if ledger.kind == "payments"}
        if not every <= set(fetched.ledgers):
            # What is not in this ledger may be in another: that is not told of some of them.
            self._told = tuple(e for e in self._told if e is not MatchClass.MISSING_IN_LEDGER)
        self._shown = [each for each in self._told if each not in HARMLESS]
        self._notes: list[str] = []

    def all(self) -> tuple[Report, list[str]]:
        """Match, confirm, match again where something was found, and tell: the report, and lines
        for a person on what else was done."""
        compared, spool = self._compared, self._fetched.spool.path
        matching = MatchOptions(
            self._options.window,
            compared.now,
            compared.ledgers,
            timedelta(seconds=compared.settings.reconcile.grace),
            _livemode(compared.settings, compared.places[0]),
            knows_refunds=compared.asks_stripe or bool(self._fetched.counts.get("refunds")),
        )
        with Match(spool, matching) as match:
            write_found(spool, {})
            match.run()
            if missing := match.missing():
                self._confirmed = confirm(
                    missing,
                    compared.ledgers,
                    compared.sources,
                    ask_stripe=compared.asks_stripe,
                    ask_ledger=compared.places[1] == "postgres",
                    at_most=self._options.confirm_at_most,
                )
                write_found(spool, self._confirmed.found)
                match.run(self._confirmed.absent)
            report = self._report(match)
            write_found(spool, {})
        return report, self._notes

    def _report(self, match: Match) -> Report:
        options, totals = self._options, match.totals()
        rows = list(match.findings(self._shown, options.limit))
        everything = rows
        if options.limit is not None and (options.save_plan or options.affected):
            everything = list(match.findings(self._shown))
        clues = self._clues(everything if options.save_plan else rows)
        told = Told(self._told, totals, match.oldest(), self._confirmed)
        checks = judge(self._compared, told, self._limits)
        extra = self._sections(match, totals, rows, clues)
        if options.affected:
            self._notes += write_affected(self._compared, options.affected, everything)
        if options.save_plan:
            extra["plan"], note = write_plan(
                self._compared, options.save_plan, match, everything, clues
            )
            self._notes.append(note)
        return Report(
            command="reconcile",
            generated_at=datetime.now(UTC),
            environment=self._compared.settings.environment,
            checks=checks,
            stripe_calls=self._fetched.stripe.calls + self._compared.sources.stripe_calls(),
            duration_ms=self._compared.duration_ms,
            extra=extra,
        )

    def _sections(
        self, match: Match, totals: Totals, rows: Sequence[Row], clues: Mapping[str, Clue]
    ) -> dict[str, object]:
        """The report's own JSON beside its checks."""
        compared = self._compared
        listed = [compared.discrepancy(row, clues) for row in rows]
        if self._options.show_matched:
            harmless = [each for each in self._told if each in HARMLESS]
            matched = match.findings(harmless, self._options.limit)
            listed += [compared.discrepancy(row, clues) for row in matched]
        with_refunds = any(ledger.kind == "refunds" for ledger in compared.ledgers.values())
        return {
            "window": {
                "since": utc_text(self._options.window.since),
                "until": utc_text(self._options.window.until),
            },
            "totals": {each.value: total_json(total) for each, total in totals.payments.items()},
            "refunds": {
                each.value: total_json(total)
                for each, total in totals.refunds.items()
                if with_refunds
            },
            "sides": self._sides(),
            "discrepancies": [as_json(each) for each in listed],
            "left_out": sum(totals.payments[each].count for each in self._shown) - len(rows),
            "unconfirmed": {
                "count": self._confirmed.unconfirmed,
                "reasons": list(self._confirmed.reasons),
            },
        }

    def _clues(self, rows: Sequence[Row]) -> Mapping[str, Clue]:
        if not self._options.look_for_causes or not self._compared.asks_stripe or not rows:
            return {}
        try:
            return clues_for(rows, self._compared.settings, self._compared.sources)
        except (SourceError, NotConfiguredError) as error:
            self._notes.append(f"causes: events were not looked at: {error}")
            return {}

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


def _livemode(settings: Settings, source: str) -> bool | None:
    """Which mode the objects should be of: the key's; of files, production's is live."""
    if settings.stripe is not None:
        kind = settings.stripe.secret_key.reveal().split("_")[1:2]
        if kind in (["live"], ["test"]):
            return kind == ["live"]
    return True if source == "file" and settings.environment == "production" else None
