"""From a selection of events to the plan that sends them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from payops.domain.plan import Caps, Plan, Target, signed
from payops.domain.plan_facts import Refusal
from payops.domain.secret import redact
from payops.domain.webhook import Moved, PathEvent
from payops.engine.planning import Planned
from payops.engine.replay_event import EventGoneError, fetched, superseded
from payops.errors import Failure, NotConfiguredError, RefusedError, SourceError, UsageError
from payops.webhooks.replay import (
    IN_FLIGHT,
    changes_of,
    endpoint_called,
    fingerprint,
    way_of,
)

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.config.sources import StripeSettings
    from payops.config.webhooks import WebhookEndpoint
    from payops.domain.window import Window
    from payops.sources import Sources
    from payops.sources.redis_keys import EventKeys
    from payops.sources.stripe_events import EndpointObject
    from payops.webhooks.whereabouts import Whereabouts

_LIVE_KEYS = ("sk_live_", "rk_live_")
_MOST_ENDPOINTS = 100


@dataclass(frozen=True)
class Wanted:
    """What is to be sent again: these events, or those of a window: all that the ledger does not
    show, those that Stripe could not deliver, or those that arrived and were not handled. `types`
    are globs of the event's type; empty is any."""

    events: tuple[str, ...] = ()
    window: Window | None = None
    undelivered: bool = False
    stuck: bool = False
    types: tuple[str, ...] = ()

    def fits(self, event: PathEvent) -> bool:
        """Whether the type is one of those."""
        return not self.types or any(fnmatchcase(event.type, glob) for glob in self.types)

    def is_one(self, event: PathEvent) -> bool:
        """Whether an event of the window is of the kind that is wanted."""
        if self.undelivered:
            return event.pending_webhooks > 0
        lacking = event.moved in {Moved.NO, Moved.NO_ROW}
        if self.stuck:
            had = bool(event.seen) and lacking
            return had or (bool(event.logged) and event.logged != "handled")
        return lacking or (bool(self.types) and event.moved is Moved.NOT_TOLD)


def plan_replay(
    settings: Settings,
    sources: Sources,
    wanted: Wanted,
    *,
    endpoint: str | None,
    by_stripe: bool,
    force_order: bool,
    command: str,
    now: datetime,
) -> Planned:
    """The plan, and what was left out of it. Reads only.

    Raises NotConfiguredError, UsageError, RefusedError, and SourceError when Stripe, the database
    or Redis does not answer: without having looked nothing is planned.
    """
    from payops.webhooks.whereabouts import whereabouts

    stripe = stripe_of(settings)
    chosen = endpoint_called(settings, endpoint)
    known = registered(sources, chosen, must=by_stripe)
    way = way_of(settings, chosen, _enabled(known) if by_stripe else "")
    versions = {each.api_version for each in known if each.api_version}
    way = replace(way, versions=frozenset(versions))
    account = account_of(settings, sources)
    events, missing = _events(settings, sources, wanted)
    keys = event_keys(settings, sources)
    try:
        seen = whereabouts(settings, sources, keys, events)
    finally:
        if keys is not None:
            keys.close()
    if not force_order:
        events, tried_again = _last_words(sources, events, seen)
        missing += tried_again
    changes, refused = changes_of(
        events,
        seen,
        way,
        livemode=is_live(stripe),
        now=now,
        force_order=force_order,
    )
    limits = settings.apply
    plan = Plan(
        command=redact(command),
        created_at=now,
        expires_s=max(1, round(limits.max_age)),
        target=Target(
            "http", settings.environment, way.name, fingerprint(chosen, account), account
        ),
        changes=tuple(changes),
        caps=Caps(
            limits.max_changes,
            {currency.lower(): minor for currency, minor in limits.max_money.items()},
        ),
    )
    return Planned(signed(plan), (*missing, *refused))


def stripe_of(settings: Settings) -> StripeSettings:
    """The section `stripe:`. Raises NotConfiguredError."""
    if settings.stripe is None:
        raise NotConfiguredError("stripe is not configured", hint="add stripe.secret_key")
    return settings.stripe


def is_live(stripe: StripeSettings) -> bool:
    """Whether the key is of live mode: only its prefix tells."""
    return stripe.secret_key.reveal().startswith(_LIVE_KEYS)


def account_of(settings: Settings, sources: Sources) -> str:
    """Stripe's account. Raises SourceError, or RefusedError when the key may not say and the
    configuration does not."""
    try:
        return sources.stripe.account().value.id
    except SourceError as error:
        if error.kind is not Failure.PERMISSION:
            raise
        if settings.stripe is not None and settings.stripe.account:
            return settings.stripe.account
        raise RefusedError(
            "this restricted key may not read its own account, and a plan is for one account",
            hint="say it in the configuration: stripe.account: acct_…",
        ) from error


def event_keys(settings: Settings, sources: Sources) -> EventKeys | None:
    """What reads and clears dedupe keys; None where there are none."""
    if settings.webhooks.dedupe is None and settings.webhooks.queue is None:
        return None
    if settings.redis is None:
        raise NotConfiguredError(
            "webhooks.dedupe and webhooks.queue are in Redis, and redis is not configured",
            hint="add redis.url",
        )
    from payops.sources.redis_keys import EventKeys

    return EventKeys(settings.redis, sources.deadline)


def registered(sources: Sources, endpoint: WebhookEndpoint, *, must: bool) -> list[EndpointObject]:
    """Stripe's own objects for an endpoint; none where the key may not see them, unless it must.
    Raises SourceError."""
    from payops.sources.stripe_events import EndpointObject

    try:
        listed = sources.stripe.list(
            "/v1/webhook_endpoints", EndpointObject, at_most=_MOST_ENDPOINTS
        )
    except SourceError as error:
        if must or error.kind is not Failure.PERMISSION:
            raise
        return []
    return [each for each in listed.items if each.url == endpoint.url]


def _enabled(known: Sequence[EndpointObject]) -> str:
    """The id of the one that Stripe sends to. Raises RefusedError when there is not one."""
    enabled = [each for each in known if each.status == "enabled"]
    if len(enabled) == 1:
        return enabled[0].id
    what = "is registered with Stripe several times" if enabled else "is not registered with Stripe"
    if known and not enabled:
        what = "is disabled at Stripe, which sends it nothing"
    raise RefusedError(
        f"the endpoint {what}",
        hint="leave --via out, and payops sends itself; see `payops webhooks endpoints`",
    )


def _last_words(
    sources: Sources, events: Sequence[PathEvent], found: Mapping[str, Whereabouts]
) -> tuple[list[PathEvent], list[Refusal]]:
    """Without failed attempts that were tried again since."""
    kept: list[PathEvent] = []
    refused: list[Refusal] = []
    for event in events:
        if why := superseded(sources, event, found[event.id].status):
            refused.append(Refusal(event.id, why))
        else:
            kept.append(event)
    return kept, refused


def _events(
    settings: Settings, sources: Sources, wanted: Wanted
) -> tuple[list[PathEvent], list[Refusal]]:
    if wanted.events:
        return _named(sources, wanted, wanted.events)
    if wanted.window is None:
        raise UsageError("a replay needs events or a window")
    from payops.webhooks.gather import gather
    from payops.webhooks.path import Part

    globs = any(set("*?[") & set(each) for each in wanted.types)
    path = gather(
        settings,
        sources,
        wanted.window,
        types=() if globs else (wanted.types or None),
        undelivered=wanted.undelivered,
    )
    # Without the ledger nothing lacks, and in an incident "nothing to do" would be told.
    ledger = () if wanted.undelivered else (Part.LEDGER,)
    for part in (Part.EVENTS, *ledger, *([Part.LOG, Part.KEYS] if wanted.stuck else [])):
        if part in path.failures:
            raise path.failures[part]
    fresh = path.as_of - IN_FLIGHT
    events = [
        event
        for event in path.events
        if event.created <= fresh and wanted.fits(event) and wanted.is_one(event)
    ]
    if not wanted.stuck:
        return events, []
    # Rows of the log whose events are older than the window, or of a type that nobody asked for.
    strangers = [event.id for event in path.strangers if event.created <= fresh]
    more, missing = _named(sources, wanted, strangers)
    return [*events, *more], missing


def _named(
    sources: Sources, wanted: Wanted, ids: Sequence[str]
) -> tuple[list[PathEvent], list[Refusal]]:
    """Events by their ids, asked one by one."""
    events: list[PathEvent] = []
    missing: list[Refusal] = []
    for id_ in dict.fromkeys(ids):
        try:
            event = fetched(sources, id_).event
        except EventGoneError as gone:
            missing.append(Refusal(id_, str(gone)))
            continue
        if wanted.fits(event):
            events.append(event)
        else:
            missing.append(Refusal(id_, f"it is a {event.type}, which --type leaves out"))
    return events, missing


def asked_ids(given: Sequence[str]) -> tuple[str, ...]:
    """Ids of events as they were typed. Raises UsageError for what is none."""
    for id_ in given:
        if not id_.startswith("evt_") or not id_[4:].isalnum() or not id_.isascii():
            raise UsageError(
                f"--event: {id_!r} is no event of Stripe's", hint="they begin with evt_"
            )
    return tuple(given)
