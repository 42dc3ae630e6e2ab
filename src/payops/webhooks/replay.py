"""Which events are sent again, and each as a change of a plan. Pure: what was seen is given.

A plan holds ids and what was seen of them, never an event's body: that is asked of Stripe when it
is applied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from payops.config.settings import Settings
from payops.config.webhooks import WebhookEndpoint
from payops.domain.duration import utc_text
from payops.domain.money import Money
from payops.domain.plan import Change, Values
from payops.domain.plan_facts import Refusal
from payops.domain.secret import masked_url
from payops.domain.webhook import Moved, PathEvent
from payops.errors import NotConfiguredError, UsageError
from payops.sources.redis_keys import OTHER, Mark
from payops.webhooks.told import rank
from payops.webhooks.whereabouts import Whereabouts, overtaken

# Stripe keeps an event for so long (its reference, 'Events').
KEPT = timedelta(days=30)
# A first delivery may still be on its way.
IN_FLIGHT = timedelta(seconds=60)
_LEDGER = "the ledger shows it already"
# A key beside such a row says nothing: the handler died, or failed, after it had set the key.
_UNHANDLED = frozenset({"failed", "waiting"})
_LOG = "the event log has it as handled"
NOT_NEEDED = frozenset({_LEDGER, _LOG})
"""Reasons for which an event is left out that leave nothing to be done."""


@dataclass(frozen=True)
class Way:
    """How events are sent: to which endpoint, and by whom.

    `retry` is the id of Stripe's own object (`we_…`) where Stripe is to send; empty when payops
    does. `dedupe` is the pattern of the keys, each of which lives `ttl_s` seconds; `clears` tells
    that the application marks an event before it handles it, `looks` that something here tells
    later whether an event arrived.
    """

    endpoint: WebhookEndpoint
    retry: str = ""
    dedupe: str = ""
    ttl_s: float = 0.0
    clears: bool = False
    looks: bool = True
    versions: frozenset[str] = frozenset()
    """API versions that Stripe renders this endpoint's events in, where it is pinned to any."""

    @property
    def name(self) -> str:
        """How the endpoint is called: by its name, else by its URL without a password."""
        return self.endpoint.name or masked_url(self.endpoint.url)

    @property
    def remedy(self) -> str:
        return "webhook.retry" if self.retry else "webhook.replay"


def way_of(settings: Settings, endpoint: WebhookEndpoint, retry: str = "") -> Way:
    """The way to an endpoint, as the configuration has it."""
    dedupe = settings.webhooks.dedupe
    return Way(
        endpoint,
        retry,
        dedupe.key if dedupe else "",
        float(dedupe.ttl) if dedupe else 0.0,
        clears=dedupe is not None and dedupe.marked == "before",
        looks=dedupe is not None or bool(settings.event_logs),
    )


def endpoint_called(settings: Settings, name: str | None) -> WebhookEndpoint:
    """The configured endpoint of this name or URL, or the only one. Nothing is ever sent elsewhere.

    Raises NotConfiguredError, UsageError.
    """
    endpoints = settings.webhooks.endpoints
    if not endpoints:
        raise NotConfiguredError(
            "no webhook endpoint is configured, and nothing is sent anywhere else",
            hint="add webhooks.endpoints: - {url: …} to the configuration",
        )
    found = [each for each in endpoints if name in (None, each.name, each.url)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(each.name or masked_url(each.url) for each in endpoints)
    if found:
        raise UsageError("there are several endpoints", hint=f"--endpoint, one of: {known}")
    raise UsageError(f"--endpoint: {name!r} is not configured", hint=f"one of: {known}")


def fingerprint(endpoint: WebhookEndpoint, account: str) -> str:
    """Tells this endpoint of this account from every other, without showing a URL's secrets."""
    digest = hashlib.sha256(f"{endpoint.url}\n{account}".encode()).hexdigest()
    return f"http:{digest[:16]}"


def changes_of(
    events: Iterable[PathEvent],
    found: Mapping[str, Whereabouts],
    way: Way,
    *,
    livemode: bool,
    now: datetime,
    force_order: bool = False,
) -> tuple[list[Change], list[Refusal]]:
    """Each event that may be sent, in the order of their creation, and why the others may not."""
    changes: list[Change] = []
    refused: list[Refusal] = []
    counted: set[str] = set()
    for event in sorted(events, key=lambda event: (event.created, rank(event), event.id)):
        its = found.get(event.id, Whereabouts())
        why = left_out(event, its, way, livemode=livemode, now=now, force_order=force_order)
        if why:
            refused.append(Refusal(event.id, why))
            continue
        payment = event.payment_intent or event.object_id or event.id
        money = None if payment in counted else event.amount
        if money is not None:  # an event without an amount has not counted its payment
            counted.add(payment)
        changes.append(change_of(event, its, way, money))
    return changes, refused


def left_out(
    event: PathEvent,
    its: Whereabouts,
    way: Way,
    *,
    livemode: bool,
    now: datetime,
    force_order: bool = False,
) -> str:
    """Why an event is not sent; empty when it may be."""
    if event.livemode != livemode:
        kind, other = ("live", "test") if event.livemode else ("test", "live")
        return f"a {kind} event, and this configuration's key is a {other} key"
    if now - event.created > KEPT:
        return "older than 30 days: Stripe has it no more; `payops reconcile` compares the payment"
    if overtaken(event, its.status):
        now_is = its.status.value if its.status else ""
        if not force_order:
            return (
                f"the ledger shows a later state ({now_is}), which it might overwrite; "
                "--force-order sends it all the same"
            )
    elif its.moved is Moved.YES:
        return _LEDGER
    if its.moved is Moved.NOT_TOLD and its.logged == "handled":
        return _LOG
    if its.mark is None:
        return ""
    if not way.clears and its.logged not in _UNHANDLED:
        return (
            "its dedupe key is set, so it would be answered as a duplicate and change nothing: "
            "`payops reconcile --save-plan F` puts the row right (where the key is set before an "
            "event is handled, say webhooks.dedupe.marked: before)"
        )
    if its.mark.value == OTHER:
        return (
            "its dedupe key is no string, so that nobody could tell it from one that the handler "
            "sets again; delete it by hand"
        )
    if its.mark.expires_ms is None:
        return (
            "its dedupe key never expires, so that nobody could tell it from one that the handler "
            "sets again; delete it by hand"
        )
    set_at = its.mark.expires_ms / 1000 - way.ttl_s
    if now.timestamp() - set_at < IN_FLIGHT.total_seconds():
        return "its dedupe key was set within the last minute: the handler may be at work on it"
    return ""


def change_of(event: PathEvent, its: Whereabouts, way: Way, money: Money | None) -> Change:
    """One event to be sent."""
    key: dict[str, str | None] = {"event": event.id}
    if way.retry:
        key["webhook_endpoint"] = way.retry
    before = before_of(event, its)
    return Change(
        id=f"replay:{event.id}",
        remedy=way.remedy,
        table=way.name,
        key=key,
        before=before,
        after={},
        statement=statement_of(key, before, way),
        why=_why(event, its),
        evidence=(f"{event.type}, created {utc_text(event.created)}", *_paid(event)),
        risk=_risk(event, way, its),
        undoable=False,
        money=money,
    )


def before_of(event: PathEvent, its: Whereabouts) -> dict[str, str | None]:
    """What a plan saw of an event."""
    mark = its.mark
    expires = mark.expires_ms if mark is not None else None
    return {
        "type": event.type,
        "ledger": its.moved.value,
        "ledger_status": its.status.value if its.status else None,
        "event_log": its.logged or None,
        "event_log_attempts": str(its.attempts) if its.logged else None,
        "event_log_received_at": its.received_at.isoformat() if its.received_at else None,
        "dedupe_key": mark.value if mark is not None else None,
        "dedupe_key_expires_ms": None if expires is None else str(expires),
    }


def mark_in(before: Values) -> Mark | None:
    """The dedupe key that a plan saw."""
    value, expires = before.get("dedupe_key"), before.get("dedupe_key_expires_ms")
    if value is None:
        return None
    return Mark(value, int(expires) if expires is not None and expires.isdigit() else None)


def clears_key(before: Values, way: Way) -> bool:
    """Whether the key that a plan saw is in the way: set before an event is handled, or left behind
    by a handler whose row in the event log says that it did not come to its end."""
    if mark_in(before) is None:
        return False
    return way.clears or before.get("event_log") in _UNHANDLED


def statement_of(key: Values, before: Values, way: Way) -> str:
    """What is done, for people; made anew when it is applied, and another one is refused."""
    event = key["event"] or ""
    lines = []
    if clears_key(before, way):
        lines.append(f"DEL {way.dedupe.replace('{event}', event)}  -- if it is still the one seen")
    if way.retry:
        lines.append(f"POST Stripe /v1/events/{event}/retry  webhook_endpoint={way.retry}")
    else:
        lines.append(f"POST {shown_url(way.endpoint.url)}  -- body of GET /v1/events/{event}")
    return "\n".join(lines)


def reached(before: Values, now: Whereabouts) -> str:
    """What shows that an event reached the handler since a plan saw it; empty when nothing does."""
    if now.moved is Moved.YES and before.get("ledger") != Moved.YES.value:
        return _LEDGER
    seen = mark_in(before)
    if now.mark is not None and (seen is None or not now.mark.same_as(seen)):
        return "its dedupe key was set since"
    if now.logged and (
        now.logged != before.get("event_log")
        or str(now.attempts) != before.get("event_log_attempts")
        or (now.received_at and now.received_at.isoformat() != before.get("event_log_received_at"))
    ):
        return f"the event log has it as {now.logged} since"
    return ""


def _why(event: PathEvent, its: Whereabouts) -> str:
    if its.mark is not None:
        return "its key says that it was had, and the ledger does not show it"
    if its.logged and its.logged != "handled":
        return f"it arrived, and the event log has it as {its.logged}"
    if event.pending_webhooks:
        return "Stripe could not deliver it"
    return "the ledger does not show it"


def _paid(event: PathEvent) -> Sequence[str]:
    return (f"payment {event.payment_intent}",) if event.payment_intent else ()


def _risk(event: PathEvent, way: Way, its: Whereabouts) -> str:
    risks = []
    if way.versions and event.api_version not in way.versions and not way.retry:
        risks.append(
            f"Stripe sends this endpoint version {', '.join(sorted(way.versions))}, and gives this "
            f"event in {event.api_version or 'none'}: --via stripe sends that one"
        )
    if way.retry:
        risks.append("Stripe's retry call is not documented, and tells nothing of the answer")
    if its.moved is Moved.NOT_TOLD:
        risks.append("the ledger cannot tell whether this event was handled before")
    if not way.looks:
        risks.append("no event log and no dedupe key: after an interruption it may be sent twice")
    return "; ".join(risks)


def shown_url(url: str) -> str:
    """Without user, password and query: a token may stand there."""
    parts = urlsplit(url)
    query = "?…" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}{query}"
