"""Why do banks decline, and are it more than usual?

A decline is the customer's matter and no incident (runbook 002). Many at once are: several cards in
a row, a bank that is down, somebody who tries stolen cards. The ledger counts them where it stores
the code; Stripe's newest PaymentIntents say it where it does not.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from payops.checks import stripe_asked
from payops.checks.contract import Check, Context
from payops.checks.ledger import reason_text, recent_outcomes, tally
from payops.domain.declines import advice, declined_by_issuer
from payops.domain.duration import human_span
from payops.domain.evidence import Action, Evidence
from payops.domain.payment import PaymentStatus
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.threshold import Limits, Threshold
from payops.errors import NotConfiguredError, PayopsError, SourceError
from payops.sources.stripe_standing import RecentIntent

LIMITS = {
    # Shops see 5-15 %; three times that is a bank, a processor or an attack.
    "rate": Threshold(40, 60, "%", "payops: S0-10 gives no number; a rise across cards"),
    "sample": Threshold(10, None, "count", "payops: fewer attempts are at most WARN", "lower"),
    # At Stripe, in its newest 100: one customer tries two or three, a tester dozens.
    "cards": Threshold(10, 25, "count", "payops: different cards declined (S0-10)"),
}
CODES = 10
# charge.outcome.network_status (Stripe's API reference), and who can tell the customer why (S0-09).
_NETWORKS = {
    "declined_by_network": "were refused by the bank itself, which alone can say why",
    "not_sent_to_network": "never reached the bank: Stripe blocked them (Radar, or a rule of ours)",
    "reversed_after_approval": "were approved by the bank, and then blocked by Stripe (Radar)",
}


@dataclass(frozen=True)
class Facts:
    """Declines by code. `source` says whose count it is; `cards` are different cards among Stripe's
    newest declines, None where Stripe was not asked or did not say (`not_asked` tells why).
    `networks` counts these declines by what became of them in the card network (S0-09)."""

    as_of: datetime
    window_s: float
    source: str
    attempts: int
    codes: dict[str, int]
    cards: int | None = None
    at_stripe: dict[str, int] | None = None
    not_asked: str = ""
    networks: dict[str, int] = field(default_factory=dict)

    @property
    def declined(self) -> int:
        """All declines."""
        return sum(self.codes.values())


def gather(ctx: Context) -> Facts:
    ledger = ctx.settings.payments
    in_ledger = ledger is not None and bool(ledger.columns.failure_code)
    # The ledger first: a Stripe that hangs would leave no time for it.
    told = recent_outcomes(ctx) if in_ledger else None
    seen: list[RecentIntent] | None = None
    as_of, not_asked = ctx.now, ""
    try:
        answer = stripe_asked.permitted(lambda: stripe_asked.intents(ctx), "PaymentIntents")
        seen, as_of = answer.value.data, stripe_asked.as_of(answer, ctx)
    except PayopsError as error:
        if not in_ledger:
            raise
        not_asked = error.kind.value if isinstance(error, SourceError) else error.message
    declined = [one for one in seen or () if declined_by_issuer(one.decline or None)]
    at_stripe = dict(Counter(one.decline for one in declined).most_common())
    cards = {one.last_payment_error.card for one in declined if one.last_payment_error} - {""}
    window_s = ctx.window.length.total_seconds()
    networks = dict(Counter(one.network_status for one in declined if one.network_status))
    if told is None or ledger is None:
        if seen is None:
            raise NotConfiguredError("neither a ledger with failure codes nor Stripe to ask")
        attempts, of_cards = len(seen), len(cards)
        return Facts(
            as_of, window_s, "stripe", attempts, at_stripe, cards=of_cards, networks=networks
        )
    outcomes, window, _ = told
    codes: Counter[str] = Counter()
    for row in outcomes.rows:
        if row.status is PaymentStatus.FAILED and declined_by_issuer(
            row.failure_code, ledger.issuer_declines
        ):
            codes[row.failure_code or ""] += row.count
    return Facts(
        as_of=outcomes.as_of,
        window_s=window.length.total_seconds(),
        source="postgres",
        attempts=tally(outcomes, ledger).attempts,
        codes=dict(codes.most_common()),
        cards=len(cards) if seen is not None else None,
        at_stripe=at_stripe if seen is not None else None,
        not_asked=not_asked,
        networks=networks,
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    span, attempts = human_span(facts.window_s), facts.attempts
    where = " at Stripe" if facts.source == "stripe" else ""
    noun = "payment" if attempts == 1 else "payments"
    rate = 100 * facts.declined / attempts if attempts else 0.0
    status = limits["rate"].judge(rate)
    few = limits["sample"].judge(attempts) is not Status.OK
    if few and status is not Status.OK:
        status = Status.WARN if facts.declined > 1 else Status.OK
    of_cards = limits["cards"].judge(facts.cards or 0)
    status = max((status, of_cards), key=lambda one: one.rank)
    if not attempts:
        summary = f"no payment was attempted{where} in {span}: nothing to judge"
    elif facts.declined:
        top = next(iter(facts.codes))
        most = "most " if len(facts.codes) > 1 else ""
        summary = (
            f"{facts.declined:,} of {attempts:,} {noun}{where} declined in {span} "
            f"({rate:.1f} %), {most}{reason_text(top)}: {advice(top)}"
        )
    else:
        summary = f"none of {attempts:,} {noun}{where} was declined in {span}"
    if of_cards is not Status.OK:
        summary += f"; {facts.cards} different cards: card testing?"
    if few and status is not Status.OK:
        summary += "; too few to be sure"
    if facts.not_asked:
        summary += f"; Stripe was not heard ({facts.not_asked})"
    return CheckResult(
        status,
        summary,
        source=facts.source,
        as_of=facts.as_of,
        measured={
            "rate": round(rate, 2),
            "sample": attempts,
            "declined": facts.declined,
            "cards": facts.cards,
        },
        evidence=_evidence(facts),
        actions=_actions(facts) if status is not Status.OK else (),
    )


def _evidence(facts: Facts) -> tuple[Evidence, ...]:
    shown = [
        Evidence(
            f"{count:,} by {reason_text(code)}: {advice(code)}",
            facts.source,
            facts.as_of,
            {"code": reason_text(code), "count": count},
        )
        for code, count in list(facts.codes.items())[:CODES]
    ]
    if len(facts.codes) > CODES:
        others = sum(list(facts.codes.values())[CODES:])
        shown.append(
            Evidence(
                f"{others:,} by {len(facts.codes) - CODES:,} other codes",
                facts.source,
                facts.as_of,
                {"count": others},
            )
        )
    if facts.at_stripe:
        codes = ", ".join(
            f"{count:,} {reason_text(code)}" for code, count in list(facts.at_stripe.items())[:5]
        )
        shown.append(
            Evidence(
                f"Stripe's newest {stripe_asked.PAGE} say: {codes}",
                "stripe",
                facts.as_of,
                {"cards": facts.cards},
            )
        )
    shown += [
        Evidence(f"{facts.networks[word]:,} {said}", "stripe", facts.as_of, {"network": word})
        for word, said in _NETWORKS.items()
        if facts.networks.get(word)
    ]
    return tuple(shown)


def _actions(facts: Facts) -> tuple[Action, ...]:
    return (
        Action(
            "One code, or one bank? See Radar and Payments in the Dashboard: an issuer that is "
            "down passes, a rule of Radar's that blocks too much does not",
        ),
        Action(
            "Many cards, small amounts, one address: card testing. Turn on a CAPTCHA and a limit "
            "of attempts at the checkout",
            "payops health --only 'payments.velocity,payments.failing-customers'",
        ),
    )


CHECK = Check(
    title="Banks do not decline more than usual",
    source="postgres+stripe",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-01", "S0-02", "S0-03", "S0-04", "S0-05", "S0-08", "S0-09", "S0-10", "S2-31"),
)
