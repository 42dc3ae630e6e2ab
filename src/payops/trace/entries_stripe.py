"""Stripe's side of the story: intent, charges, refunds, disputes, money, payout, events. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from payops.domain.evidence import Scalar
from payops.domain.money import Money
from payops.domain.timeline import Entry, Move, Rank
from payops.sources.stripe_payment import BalanceLine, ChargeObject, DisputeObject, Intent, id_of
from payops.trace.meanings import DISPUTE, NETWORK, of_intent
from payops.trace.story import Story, moment

_LINES = {"charge": "captured", "payment": "captured", "refund": "refunded"}


def from_objects(story: Story) -> Iterator[Entry]:
    """What the objects themselves tell of their past."""
    intent = story.intent
    if intent is not None and not story.made_of_charge:
        yield from _intent(story, intent)
    for session in story.sessions:
        status = "/".join(part for part in (session.status, session.payment_status) if part)
        yield Entry(
            moment(session.created),
            "stripe",
            "session.created",
            f"Checkout Session {session.id} was made; now {status or 'unknown'}",
            Rank.ASKED,
            id=session.id,
            status=session.status or "",
            money=_money(session.currency, session.amount_total),
        )
    for charge in story.charges:
        yield from _charge(charge)
    for refund in story.refunds:
        moved = refund.status not in ("failed", "canceled")
        money = Money(refund.currency, refund.amount)
        why = f", {refund.reason}" if refund.reason else ""
        failed = f": {refund.failure_reason}" if refund.failure_reason else ""
        yield Entry(
            moment(refund.created),
            "stripe",
            f"refund.{refund.status or 'created'}",
            f"refund {refund.id} {refund.status or ''}{why}{failed}",
            Rank.CHARGE,
            id=refund.id,
            status=refund.status or "",
            money=money,
            moves=(Move("refunded", money),) if moved else (),
        )
    for dispute in story.disputes:
        yield _dispute(dispute)
    for line in story.lines:
        yield _line(line)
    for payout, line_id in story.payouts:
        yield Entry(
            moment(payout.created),
            "stripe",
            f"payout.{payout.status}",
            f"payout {payout.id} pays {line_id} out; {payout.status}, arrives "
            f"{moment(payout.arrival_date):%Y-%m-%d}",
            Rank.MONEY,
            id=payout.id,
            status=payout.status,
            detail={"payout_minor": payout.amount, "currency": payout.currency},
        )


def _intent(story: Story, intent: Intent) -> Iterator[Entry]:
    money = Money(intent.currency, intent.amount)
    yield Entry(
        moment(intent.created),
        "stripe",
        "intent.created",
        f"PaymentIntent {intent.id} was made",
        Rank.ASKED,
        id=intent.id,
        money=money,
        moves=(Move("authorized", money),) if intent.status == "requires_capture" else (),
        detail={"capture_method": intent.capture_method} if intent.capture_method else {},
    )
    if intent.canceled_at:
        why = f": {intent.cancellation_reason}" if intent.cancellation_reason else ""
        yield Entry(
            moment(intent.canceled_at),
            "stripe",
            "intent.canceled",
            f"PaymentIntent {intent.id} was canceled{why}",
            Rank.STATE,
            id=intent.id,
            status="canceled",
        )
    error = intent.last_payment_error
    code = (error.decline_code or error.code or "") if error else ""
    meaning = of_intent(intent.status)
    yield Entry(
        story.now,
        "stripe",
        f"intent.{intent.status}",
        f"PaymentIntent {intent.id} is {intent.status}"
        + (f": {meaning}" if meaning else "")
        + (f"; the last error was {code}" if code else ""),
        Rank.NOW,
        id=intent.id,
        status=intent.status,
        detail={"meaning": meaning, "error": code},
    )


def _charge(charge: ChargeObject) -> Iterator[Entry]:
    outcome, method = charge.outcome, charge.payment_method_details
    card = method.card if method else None
    parts = [f"charge {charge.id} {charge.status}"]
    if card is not None and card.last4:
        parts.append(f"{card.brand or 'card'} …{card.last4}")
    detail: dict[str, Scalar] = {}
    if outcome is not None:
        detail = {
            "network_status": outcome.network_status,
            "outcome": outcome.type,
            "reason": outcome.reason,
            "risk_level": outcome.risk_level,
            "network_decline_code": outcome.network_decline_code,
        }
        if outcome.network_status in NETWORK:
            parts.append(NETWORK[outcome.network_status])
    if charge.failure_code:
        reason = outcome.reason if outcome and outcome.reason != charge.failure_code else None
        parts.append(charge.failure_code + (f" ({reason})" if reason else ""))
        detail["failure_code"] = charge.failure_code
    taken = charge.taken
    money = Money(charge.currency, charge.amount)
    if charge.status == "succeeded" and taken < charge.amount:
        parts.append(
            f"{Money(charge.currency, taken)} of it captured" if taken else "authorised alone"
        )
    secure = card.three_d_secure if card else None
    if secure is not None and secure.result:
        yield Entry(
            moment(charge.created),
            "stripe",
            f"3ds.{secure.result}",
            f"3-D Secure {secure.version or ''} {secure.result}".replace("  ", " "),
            Rank.CUSTOMER,
            id=charge.id,
            status=secure.result,
            detail={"flow": secure.authentication_flow},
        )
    yield Entry(
        moment(charge.created),
        "stripe",
        f"charge.{charge.status}",
        ", ".join(parts),
        Rank.CHARGE,
        id=charge.id,
        status=charge.status,
        money=money,
        moves=(Move("captured", Money(charge.currency, taken)),) if taken else (),
        detail={name: value for name, value in detail.items() if value},
    )


def _dispute(dispute: DisputeObject) -> Entry:
    money = Money(dispute.currency, dispute.amount)
    away = not dispute.status.startswith(("warning", "won", "prevented"))
    meaning = DISPUTE.get(dispute.status, "")
    return Entry(
        moment(dispute.created),
        "stripe",
        f"dispute.{dispute.status}",
        f"dispute {dispute.id} ({dispute.reason or 'no reason given'}), now {dispute.status}"
        + (f": {meaning}" if meaning else ""),
        Rank.CHARGE,
        id=dispute.id,
        status=dispute.status,
        money=money,
        moves=(Move("disputed", money),) if away else (),
    )


def _line(line: BalanceLine) -> Entry:
    moves = [Move("net", Money(line.currency, line.net))]
    if line.fee:
        moves.insert(0, Move("fee", Money(line.currency, line.fee)))
    rate = f" at {line.exchange_rate:g}" if line.exchange_rate else ""
    kind = line.reporting_category or line.type or "line"
    return Entry(
        moment(line.created),
        "stripe",
        f"balance.{kind}",
        f"balance transaction {line.id} ({kind}){rate}: fee {Money(line.currency, line.fee)}, "
        f"net {Money(line.currency, line.net)}, there on {moment(line.available_on):%Y-%m-%d}",
        Rank.MONEY,
        id=line.id,
        status=line.status,
        money=Money(line.currency, line.amount),
        moves=tuple(moves),
        detail={"source": id_of(line.source)},
    )


def from_events(story: Story) -> Iterator[Entry]:
    """What Stripe told, and whether its endpoints have had it."""
    for event in story.events:
        owed = event.pending_webhooks
        subject = event.data.object
        parts = [event.type]
        if owed:
            parts.append(f"{owed} endpoint{'s have' if owed > 1 else ' has'} not accepted it")
        yield Entry(
            moment(event.created),
            "stripe",
            f"event.{event.type}",
            f"event {', '.join(parts)}",
            Rank.EVENT,
            id=event.id,
            status=subject.status if isinstance(subject.status, str) else "",
            detail={
                "type": event.type,
                "about": event.about,
                "pending_webhooks": owed,
                "request": event.request_id or None,
                "idempotency_key": event.idempotency_key or None,
            },
        )


def _money(currency: str | None, minor: int | None) -> Money | None:
    return Money(currency, minor) if currency and minor is not None else None
