"""Who should take a payment: the platform, or a processor of the owner's own (runbook 003).

Pure. The rules are those of the hybrid router as it really is, with the wall clock in them: a
hybrid owner's own processor takes between 9 and 17 o'clock of the servers, the platform otherwise,
and anything below 50.00 is the platform's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from payops.domain.status import Status

if TYPE_CHECKING:
    from payops.config.trace import Routing
    from payops.sources.mapped_rows import Texts

_YES = frozenset({"true", "t", "1", "yes"})
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class RoutingFacts:
    """What the tables say: the sale, its owner, the owner's configuration and connections.

    None where there is no such row. `amount` in major units and `at` are those of the payment, or
    of the sale where there is none yet.
    """

    sale: Texts | None
    owner: Texts | None
    config: Texts | None
    connections: Sequence[Texts]
    amount: Decimal | None
    at: datetime
    reads_config: bool = True
    by_platform: bool = False
    """Whether the platform's own Stripe account has taken it."""


@dataclass(frozen=True)
class Decision:
    """Who takes it: `platform`, `outside`, or `nobody` (routing raises). `reasons` in the order in
    which they were asked, `odd` what is wrong with the configuration beside it."""

    takes: str
    processor: str = ""
    reasons: tuple[str, ...] = ()
    odd: tuple[str, ...] = ()
    commission: Decimal | None = None
    owner_gets: Decimal | None = None
    status: Status = Status.OK
    connection: str = field(default="")


def decide(facts: RoutingFacts, routing: Routing) -> Decision:
    """The decision that the router makes on these facts."""
    owner, config = facts.owner, facts.config
    if owner is None:
        return Decision("nobody", reasons=("its owner is not in the table",), status=Status.CRIT)
    mode = _word(owner.get("mode")) or "centralized"
    odd = list(_odd(facts, routing, mode))
    reasons = [f"payment mode is {mode}"]
    usable = _usable(facts, routing)
    primary = _word(config.get("primary")) if config else ""
    takes = _takes(facts, routing, mode, reasons)
    processor = connection = ""
    if takes == "outside":
        chosen = next((one for one in usable if _word(one.get("processor")) == primary), None)
        chosen = chosen or (usable[0] if usable else None)
        if chosen is not None:
            processor, connection = _word(chosen.get("processor")), chosen.get("id") or ""
            reasons.append(
                f"connection {connection} ({processor}) is {_word(chosen.get('status'))}"
                + (", the primary one" if processor == primary else "")
            )
        else:
            takes = _without_connection(config, mode, reasons)
    if facts.by_platform and takes != "platform":
        reasons.append("and yet the platform's own Stripe account has it")
    commission, gets = _shares(facts, takes)
    return Decision(
        takes,
        processor,
        tuple(reasons),
        tuple(odd),
        commission,
        gets,
        Status.CRIT if takes == "nobody" else Status.WARN if odd else Status.OK,
        connection,
    )


def _takes(facts: RoutingFacts, routing: Routing, mode: str, reasons: list[str]) -> str:
    if mode == "centralized":
        return "platform"
    if mode != "hybrid":
        return "outside"
    least = Decimal(routing.platform_below)
    amount = facts.amount
    if amount is not None and amount < least:
        reasons.append(f"{amount} is below {least}: the platform's")
        return "platform"
    first, last = routing.outside_hours
    local = facts.at.astimezone(ZoneInfo(routing.timezone))
    inside = first <= local.hour < last
    who = "the owner's own processor takes" if inside else "the platform takes"
    where = "within" if inside else "outside"
    reasons.append(f"{local:%H:%M} {routing.timezone} is {where} {first}-{last} o'clock: {who}")
    return "outside" if inside else "platform"


def _without_connection(config: Texts | None, mode: str, reasons: list[str]) -> str:
    """No connection takes money: the fallback is for hybrid owners alone."""
    reasons.append("no connection of the owner's takes payments")
    falls = config is not None and _yes(config.get("fallback"))
    if mode == "hybrid" and falls:
        reasons.append("the configuration falls back to the platform")
        return "platform"
    if falls:
        reasons.append("routing raises all the same: the fallback is for hybrid owners alone")
    else:
        reasons.append("and it does not fall back to the platform: routing raises")
    return "nobody"


def _usable(facts: RoutingFacts, routing: Routing) -> list[Texts]:
    good = {word.lower() for word in (routing.connections.connected if routing.connections else ())}
    return [
        one
        for one in facts.connections
        if _word(one.get("status")) in good
        and (one.get("payments") is None or _yes(one.get("payments")))
    ]


def _odd(facts: RoutingFacts, routing: Routing, mode: str) -> list[str]:
    found = []
    config = facts.config
    if config is None and facts.reads_config and mode != "centralized":
        found.append(f"the owner is {mode} and has no payment configuration")
    if config is not None:
        other = _word(config.get("mode"))
        if other and other != mode:
            found.append(f"the owner's own row says {mode}, the configuration {other}")
    if mode != "centralized" and routing.connections and not _usable(facts, routing):
        states = ", ".join(sorted({_word(one.get("status")) for one in facts.connections}))
        found.append(
            f"no connection takes payments ({states})" if states else "there is no connection"
        )
    return found


def _shares(facts: RoutingFacts, takes: str) -> tuple[Decimal | None, Decimal | None]:
    """What the platform keeps of a payment that it takes itself, and what the owner gets."""
    rate = decimal_of(facts.owner.get("commission_rate")) if facts.owner else None
    if takes != "platform" or rate is None or facts.amount is None or not 0 <= rate <= 1:
        return None, None
    commission = (facts.amount * rate).quantize(_CENT, ROUND_HALF_UP)
    return commission, facts.amount - commission


def connection_trouble(connection: Texts, routing: Routing) -> list[str]:
    """What keeps a connection from taking payments, or will (S3-22)."""
    found = []
    good = {word.lower() for word in (routing.connections.connected if routing.connections else ())}
    status = _word(connection.get("status"))
    if status not in good:
        error = connection.get("last_error")
        found.append(f"it is {status}" + (f": {error}" if error else ""))
    if connection.get("payments") is not None and not _yes(connection.get("payments")):
        found.append("it takes no payments")
    errors = connection.get("errors")
    if errors and errors.isdigit() and int(errors) > 0:
        found.append(f"{errors} errors in a row")
    url = connection.get("webhook_url") or ""
    if "/api/v1/webhooks/external-payment/" in url:
        # systems/bookedbarber: no such route; the processors post to a 404.
        found.append("its webhook_url is a path that the application does not have (404)")
    return found


def decimal_of(text: str | None) -> Decimal | None:
    """A column's number; None where it is none."""
    try:
        found = Decimal(text) if text else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def _word(text: str | None) -> str:
    return (text or "").strip().lower()


def _yes(text: str | None) -> bool:
    return _word(text) in _YES
