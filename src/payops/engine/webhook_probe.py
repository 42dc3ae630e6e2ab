"""`payops webhooks probe`: every endpoint side by side, within one deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from payops.config.webhooks import WebhookEndpoint
from payops.domain.report import Report
from payops.domain.secret import masked_url, remember_url
from payops.domain.status import Status
from payops.domain.text import shortened
from payops.errors import ConfigError, UsageError
from payops.sources import Sources
from payops.webhooks.probe import Probe, Step, probe, probe_endpoint
from payops.webhooks.probe_event import may_move
from payops.webhooks.probe_report import results, table

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline


@dataclass(frozen=True)
class Target:
    """An endpoint to probe; a foreign one is not of the configuration and gets nothing signed."""

    endpoint: WebhookEndpoint
    foreign: bool = False

    @property
    def name(self) -> str:
        return self.endpoint.name or masked_url(self.endpoint.url)


def targets(settings: Settings, wanted: str | None) -> tuple[Target, ...]:
    """The endpoint that `wanted` names by name or URL; all configured ones without it.

    Raises UsageError for what is neither, and where there is none.
    """
    endpoints = settings.webhooks.endpoints
    if wanted is None:
        if not endpoints:
            raise UsageError(
                "no endpoint is configured",
                hint="add webhooks.endpoints to the configuration, or give a URL",
            )
        return tuple(Target(_checked(endpoint)) for endpoint in endpoints)
    named = [each for each in endpoints if wanted in (each.name, each.url)]
    if named:
        return tuple(Target(_checked(endpoint)) for endpoint in named)
    if not wanted.lower().startswith(("http://", "https://")):
        names = ", ".join(each.name or masked_url(each.url) for each in endpoints)
        raise UsageError(
            f"{shortened(wanted, 80)!r} is neither an http(s) URL nor the name of an endpoint",
            hint=f"there are: {names}" if names else "no endpoint is configured",
        )
    remember_url(wanted)
    return (Target(_checked(WebhookEndpoint(url=wanted)), foreign=True),)


def probe_all(
    settings: Settings, chosen: Sequence[Target], deadline: Deadline, *, signed: bool
) -> Report:
    """Probe the targets side by side; never later than `deadline`.

    Raises UsageError for `signed` with a foreign target, ConfigError for a probe event by which a
    ledger could be kept.
    """
    started, now = time.monotonic(), datetime.now(UTC)
    # The clients give up a little earlier than the run, so that they can still say why.
    sources = Sources(settings, deadline.sooner(0.1, at_most=0.5))
    try:
        probes = ask(settings, sources, chosen, deadline, signed=signed)
    finally:
        sources.close()
    return Report(
        command="webhooks probe",
        generated_at=now,
        environment=settings.environment,
        checks=results(probes),
        duration_ms=round((time.monotonic() - started) * 1000),
        tables=(table(probes, signed=signed),),
    )


def ask(
    settings: Settings,
    sources: Sources,
    chosen: Sequence[Target],
    deadline: Deadline,
    *,
    signed: bool,
) -> list[Probe]:
    """What each target was seen to do, in their order. Raises as `probe_all` does."""
    if signed:
        _refuse_signing(settings, chosen)
    now = datetime.now(UTC)
    found: dict[int, Probe] = {}

    def one(number: int, target: Target) -> None:
        found[number] = _probe(target, settings, sources, signed=signed)

    threads = [
        threading.Thread(target=one, args=each, name="payops-probe", daemon=True)
        for each in enumerate(chosen)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(deadline.remaining)
    return [found.get(n) or _unfinished(target, now) for n, target in enumerate(chosen)]


def _probe(target: Target, settings: Settings, sources: Sources, *, signed: bool) -> Probe:
    now = datetime.now(UTC)
    if not target.foreign:
        return probe_endpoint(target.endpoint, settings, sources, now=now, signed=signed)
    return probe(
        target.endpoint.url,
        sources,
        now=now,
        event_type=settings.webhooks.probe_event,
        unsigned_good=settings.webhooks.unsigned,
        unreachable=Status[settings.unreachable],
    )


def _refuse_signing(settings: Settings, chosen: Sequence[Target]) -> None:
    for target in chosen:
        if target.foreign:
            raise UsageError(
                f"{target.name} is not one of webhooks.endpoints: nothing signed is sent there",
                hint="leave out --signed, or add it to the configuration",
            )
    event_type = settings.webhooks.probe_event
    if may_move(event_type, settings.webhooks.needs):
        raise ConfigError(
            f"{event_type} may move a ledger, so nothing is signed with it",
            path="webhooks.probe_event",
            hint="choose a type that nothing here listens to: product.updated, price.updated",
        )


def _checked(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """The endpoint, if its URL can be asked at all."""
    try:
        parts = urlsplit(endpoint.url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or any(character.isspace() for character in endpoint.url):
        raise UsageError(f"{shortened(masked_url(endpoint.url), 80)!r} is no http(s) URL")
    return endpoint


def _unfinished(target: Target, now: datetime) -> Probe:
    late = Step("unsigned", Status.UNKNOWN, "not finished within the deadline, see --deadline")
    return Probe(masked_url(target.endpoint.url), target.name, now, (late,))
