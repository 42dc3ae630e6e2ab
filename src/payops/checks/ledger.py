"""What the checks of the ledger share: which ledger, and a window by the database's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Context
from payops.config.ledger import Ledger
from payops.domain.declines import declined_by_issuer
from payops.domain.evidence import Action
from payops.domain.money import MoneyAtRisk
from payops.domain.payment import PAID, PaymentStatus
from payops.domain.text import shortened
from payops.domain.window import Window
from payops.errors import NotConfiguredError
from payops.sources.ledger import Outcome, Outcomes
from payops.sources.ledger_signs import Customers, LedgerSigns


def payments_ledger(ctx: Context) -> Ledger:
    """The mapped ledger of payments. Raises NotConfiguredError when there is none."""
    ledger = ctx.settings.payments
    if ledger is None:
        raise NotConfiguredError("no ledger of payments is mapped (ledgers.payments)")
    return ledger


def recent_outcomes(ctx: Context) -> tuple[Outcomes, Window, Ledger]:
    """What became of the window's payments; the window is shifted to the database's clock. Asked
    once a run."""
    ledger, window = payments_ledger(ctx), database_window(ctx)
    reader = ctx.sources.postgres.ledger(ledger)
    return ctx.sources.once("ledger outcomes", lambda: reader.outcomes(window)), window, ledger


def database_window(ctx: Context) -> Window:
    """The window by the database's clock. Asked once a run."""
    postgres = ctx.sources.postgres
    offset = ctx.sources.once("database clock", lambda: postgres.server().now - ctx.now)
    return Window(ctx.window.since + offset, ctx.window.until + offset)


def signs(ctx: Context) -> LedgerSigns:
    """A reader of the signs of trouble in the ledger of payments."""
    ledger = payments_ledger(ctx)
    return LedgerSigns(ctx.sources.postgres, ledger)


def recent_customers(ctx: Context) -> Customers:
    """The window's busiest and most failing customers. Asked once a run.

    Raises NotConfiguredError when no column says who pays.
    """
    if not payments_ledger(ctx).columns.customer_id:
        raise NotConfiguredError("no column says who pays (columns.customer_id of the ledger)")
    window, reader = database_window(ctx), signs(ctx)
    return ctx.sources.once("ledger customers", lambda: reader.customers(window, MOST_CUSTOMERS))


MOST_CUSTOMERS = 10


@dataclass(frozen=True)
class Tally:
    """Payments of a window by whose doing their end was.

    `paid` took money, `declined` were refused by the issuer or the customer, `ours` failed by our
    fault, Stripe's, or for a reason that nobody names, `undecided` are still open (pending, waiting
    for the customer) or were canceled, `unknown` have a status that the mapping does not know.
    `money` is that of `ours`, `since` the first of them; `reasons` counts their codes, `inexact`
    those whose amount is in no sum.
    """

    paid: int
    declined: int
    ours: int
    undecided: int
    unknown: int
    money: tuple[MoneyAtRisk, ...]
    since: datetime | None
    reasons: dict[str, int]
    unknown_words: tuple[str, ...]
    inexact: int = 0

    @property
    def attempts(self) -> int:
        """All payments that the mapping understands."""
        return self.paid + self.declined + self.ours + self.undecided

    @property
    def decided(self) -> int:
        """Payments whose end was in our hands: paid, or failed by our fault."""
        return self.paid + self.ours


def tally(outcomes: Outcomes, ledger: Ledger) -> Tally:
    """Sort a window's outcomes by whose doing they were."""
    paid = declined = ours = undecided = unknown = 0
    failed: list[Outcome] = []
    for row in outcomes.rows:
        if row.status is None:
            unknown += row.count
        elif row.status in PAID:
            paid += row.count
        elif row.status is not PaymentStatus.FAILED:
            undecided += row.count
        elif declined_by_issuer(row.failure_code, ledger.issuer_declines):
            declined += row.count
        else:
            ours += row.count
            failed.append(row)
    return Tally(
        paid=paid,
        declined=declined,
        ours=ours,
        undecided=undecided,
        unknown=unknown,
        money=_money(failed),
        since=min((row.first for row in failed), default=None),
        reasons=_reasons(failed),
        unknown_words=tuple(sorted({row.raw for row in outcomes.unknown})),
        inexact=sum(row.inexact for row in failed),
    )


# Codes and statuses are the application's own text, as many and as long as it likes.
_MOST_WORDS = 5
_LONGEST_WORD = 60


def reason_text(code: str) -> str:
    """A failure code as one word of a sentence."""
    return shortened(code, _LONGEST_WORD)


def unmapped(counted: Tally) -> str:
    """`5 have a status that is not mapped: 'weird'`; empty when the mapping knows them all."""
    if not counted.unknown:
        return ""
    words = [repr(shortened(word, _LONGEST_WORD)) for word in counted.unknown_words[:_MOST_WORDS]]
    if len(counted.unknown_words) > _MOST_WORDS:
        words.append(f"{len(counted.unknown_words) - _MOST_WORDS:,} more")
    verb = "has" if counted.unknown == 1 else "have"
    return f"{counted.unknown:,} {verb} a status that is not mapped: {', '.join(words)}"


MAP_THEM = Action(
    "Map the unknown statuses (statuses of the ledger in the configuration): until then nobody "
    "knows what became of these payments",
    "payops config check",
)


USABLE = Action(
    "Most amounts are NULL or no whole minor units, and in no sum: see amount_unit of the ledger "
    "in the configuration (minor is 1999, major is 19.99)",
    "payops config show",
)


def not_judged(counted: Tally, span: str) -> str:
    """Why nothing can be said of a window in which no payment was decided."""
    parts = [
        f"{number:,} {what}"
        for number, what in (
            (counted.declined, "declined by the issuer"),
            (counted.undecided, "still open or canceled"),
        )
        if number
    ]
    if counted.unknown:
        parts.append(unmapped(counted))
    if not parts:
        return f"no payment was attempted in {span}: nothing to judge"
    return f"no payment was paid or failed by our fault in {span}: {'; '.join(parts)}"


def _money(rows: list[Outcome]) -> tuple[MoneyAtRisk, ...]:
    """By currency; one without a single usable amount is left out: it is not 'nothing at risk'."""
    sums: dict[str, tuple[int, int, int]] = {}
    for row in rows:
        minor, count, usable = sums.get(row.currency, (0, 0, 0))
        usable += row.count - row.inexact
        sums[row.currency] = (minor + row.minor, count + row.count, usable)
    found = (
        MoneyAtRisk(currency, minor, count)
        for currency, (minor, count, usable) in sums.items()
        if usable
    )
    return tuple(sorted(found, key=lambda money: (-money.count, money.currency)))


def _reasons(rows: list[Outcome]) -> dict[str, int]:
    """Counts by failure code, most frequent first."""
    counts: dict[str, int] = {}
    for row in rows:
        word = row.failure_code or "no reason recorded"
        counts[word] = counts.get(word, 0) + row.count
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
