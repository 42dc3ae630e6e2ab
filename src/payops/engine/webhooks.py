"""`payops webhooks status`: the whole path at a glance, event to row."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from payops.domain.deadline import Deadline
from payops.domain.report import Report
from payops.domain.threshold import Limits
from payops.domain.webhook import Cause, PathEvent
from payops.engine.sent_again import sent_again
from payops.engine.thresholds import limits_in_force
from payops.engine.webhook_limits import CAUSES, WEBHOOKS, id_of
from payops.engine.webhook_report import causes_json, checks_of
from payops.engine.webhook_tables import tables_of
from payops.sources import Sources, borrowed
from payops.webhooks.classify import IN_FLIGHT, Ground, Verdict, classify
from payops.webhooks.faults import Asked, asked
from payops.webhooks.gather import gather
from payops.webhooks.had import owed_in_name
from payops.webhooks.losses import losses
from payops.webhooks.path import Endpoint, Path
from payops.webhooks.replay import KEPT

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.window import Window

# What probing may take of the deadline, at most: an endpoint that hangs is given up after it.
_PROBE_S = 15.0


@dataclass(frozen=True)
class Asking:
    """What is asked beside Stripe, the log and the ledger.

    `probe` is None for: only when something was not delivered. `signed` sends genuine events of a
    type that moves nothing. `objects` lists what changed at Stripe as well. `probe_s` is what
    probing may take at most. `sources` are those of a run that this is a part of.
    """

    probe: bool | None = None
    signed: bool = False
    objects: bool = True
    probe_s: float = _PROBE_S
    sources: Sources | None = None


@dataclass(frozen=True)
class Seen:
    """A path that was judged."""

    ground: Ground
    verdicts: Sequence[Verdict]
    limits: Mapping[str, Limits]

    @property
    def path(self) -> Path:
        return self.ground.path


def status(settings: Settings, window: Window, deadline: Deadline, asking: Asking) -> Report:
    """The report. Raises ConfigError for thresholds that do not fit, and for a probe event that
    may move a ledger."""
    started, now = time.monotonic(), datetime.now(UTC)
    seen = look(settings, window, deadline, asking)
    found = losses(seen.verdicts, seen.ground, {c: seen.limits[id_of(c)] for c in CAUSES})
    return Report(
        command="webhooks status",
        generated_at=now,
        environment=settings.environment,
        checks=checks_of(settings, seen.ground, seen.verdicts, found, seen.limits),
        stripe_calls=seen.path.calls,
        duration_ms=round((time.monotonic() - started) * 1000),
        extra={"causes": causes_json(found)},
        tables=tables_of(seen.ground),
    )


def look(
    settings: Settings,
    window: Window,
    deadline: Deadline,
    asking: Asking,
    *,
    undelivered: bool = False,
) -> Seen:
    """Gather, probe where it helps, and judge. With `undelivered` only what Stripe owes is read.
    Raises as `status` does."""
    limits = limits_in_force(settings, WEBHOOKS)
    # The clients give up a little earlier than the run, so that they can still say why.
    with borrowed(asking.sources, settings, deadline.sooner(0.05, at_most=0.5)) as sources:
        path = gather(
            settings,
            sources,
            window,
            undelivered=undelivered,
            objects=asking.objects,
            deadline=deadline.sooner(0.4, at_most=asking.probe_s),
        )
        sent = sent_again(settings, datetime.now(UTC) - KEPT)
        path = replace(path, sent_again=owed_in_name(path, sent))
        answers: Mapping[str, Asked] = {}
        if asking.probe or (asking.probe is None and _is_owed(path)):
            ends = deadline
            if asking.probe_s < _PROBE_S:
                ends = Deadline.after(deadline.within(asking.probe_s))
            answers = ask_endpoints(settings, sources, path.endpoints, ends, asking.signed)
    dedupe = settings.webhooks.dedupe
    ground = Ground(
        path,
        answers,
        frozenset(settings.webhooks.needs),
        marked_before=dedupe is not None and dedupe.marked == "before",
        stuck=_age(limits, Cause.NOT_PROCESSED),
        late=_age(limits, Cause.LATE),
    )
    return Seen(ground, classify(ground), limits)


def ask_endpoints(
    settings: Settings,
    sources: Sources,
    endpoints: Sequence[Endpoint] | None,
    deadline: Deadline,
    signed: bool,
) -> dict[str, Asked]:
    """What the configured endpoints that Stripe knows answer, by URL, disabled ones too.

    None but the configuration's own addresses are asked: what Stripe's list names may be somebody
    else's.
    """
    from payops.engine.webhook_probe import Target, ask

    known = None if endpoints is None else {each.url for each in endpoints}
    chosen = [
        Target(each) for each in settings.webhooks.endpoints if known is None or each.url in known
    ]
    began = time.monotonic()
    probes = ask(settings, sources, chosen, deadline, signed=signed)
    waited = time.monotonic() - began
    return {
        target.endpoint.url: asked(probe, target.endpoint.url, waited_s=waited)
        for target, probe in zip(chosen, probes, strict=True)
    }


def _is_owed(path: Path) -> bool:
    def settled(event: PathEvent) -> bool:
        return path.as_of - event.created >= IN_FLIGHT

    return any(event.pending_webhooks > 0 and settled(event) for event in path.events)


def _age(limits: Mapping[str, Limits], cause: Cause) -> timedelta:
    """From when on it counts: the nearer of the two limits; never where both are off."""
    limit = limits[id_of(cause)]["age"]
    set_ones = [float(each) for each in (limit.warn, limit.crit) if each is not None]
    return timedelta(seconds=min(set_ones)) if set_ones else timedelta.max
