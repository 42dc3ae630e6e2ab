"""A breaker closed or opened by hand: the plan of it, and whether it may be made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from payops.checks.contract import Context
from payops.domain.breaker import BreakerReading, BreakerState
from payops.domain.breaker_verdict import Guarded
from payops.domain.duration import human_duration
from payops.domain.layouts import layouts
from payops.domain.plan import Caps, Change, Plan, Target, signed
from payops.domain.plan_redis import planned, statement_of
from payops.domain.window import Window
from payops.engine.circuit import chosen
from payops.engine.circuit_evidence import ask_guards
from payops.errors import RefusedError, UsageError
from payops.sources.breakers import place_of, read_breakers, reading

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.sources import Sources
    from payops.sources.breakers import BreakerFound
    from payops.sources.redis_writer import RedisWriter

RESET, TRIP = "circuit.reset", "circuit.trip"


@dataclass(frozen=True)
class Wanted:
    """`seconds` is how long it is forced open; None closes it. `force` goes against evidence."""

    name: str
    command: str
    seconds: int | None = None
    force: bool = False


def plan_breaker(
    settings: Settings, sources: Sources, writer: RedisWriter, wanted: Wanted, now: datetime
) -> Plan:
    """The plan that closes or opens one breaker; without changes when it is so already.

    Raises RefusedError when the evidence is against it and `force` is not given: closing while what
    it guards fails, opening while it is well. UsageError, NotConfiguredError, SourceError.
    """
    breakers = chosen(settings, wanted.name)
    if len(breakers) > 1:
        names = ", ".join(breaker.name for breaker in breakers)
        raise UsageError("name the breaker", hint=f"there are: {names}")
    (breaker,) = breakers
    (found,) = read_breakers(sources.redis, [place_of(breaker)])
    one = reading(found, breaker)
    guarded = _guarded(settings, sources, breaker.guards, now)
    _allowed(one, guarded, wanted, found.as_of)
    changes = _changes(one, found, wanted, guarded)
    fingerprint, database = writer.fingerprint()
    limits = settings.apply
    return signed(
        Plan(
            command=wanted.command,
            created_at=now,
            expires_s=max(1, round(limits.max_age)),
            target=Target("redis", settings.environment, database, fingerprint),
            changes=changes,
            caps=Caps(limits.max_changes, dict(limits.max_money)),
        )
    )


def _guarded(settings: Settings, sources: Sources, name: str, now: datetime) -> Guarded:
    window = Window(now - timedelta(hours=1), now)
    ctx = Context(settings, sources, window, now, sources.deadline)
    return ask_guards(ctx, [name])[name]


def _allowed(one: BreakerReading, guarded: Guarded, wanted: Wanted, now: datetime) -> None:
    name = guarded.name.capitalize()
    seen = f" ({guarded.how})" if guarded.how else ""
    force = "--force goes against it"
    if one.busy:
        raise RefusedError(
            f"breaker {one.name} is being written by its program in this moment",
            hint="try again in a few seconds",
        )
    if one.state is None:
        raise RefusedError(
            f"breaker {one.name} is stored in a way that payops does not understand",
            hint="see `payops circuit status`; the layout in the configuration may be another's",
        )
    if wanted.force:
        return
    if wanted.seconds is None and guarded.answers is not True:
        fails = "still fails" if guarded.answers is False else "could not be asked"
        raise RefusedError(
            f"{name} {fails}{seen}: closed, the breaker would send payments into it",
            hint=f"wait until it answers; {force}",
        )
    if wanted.seconds is not None and guarded.answers is True:
        raise RefusedError(
            f"{name} answers{seen}: open, the breaker would refuse payments that can be made",
            hint=f"trip it when {name} fails; {force}",
        )


def _changes(
    one: BreakerReading, found: BreakerFound, wanted: Wanted, guarded: Guarded
) -> tuple[Change, ...]:
    layout = layouts()[found.layout]
    if wanted.seconds is None:
        if one.state is BreakerState.CLOSED and not one.failures:
            return ()
        written = layout.closed(found.values)
        why = "closes the breaker: payments are tried again"
        risk = (
            f"if {guarded.name.capitalize()} fails all the same, payments fail slowly until "
            f"{one.failure_threshold} failures open it again"
        )
    else:
        written = layout.opened(found.values, found.as_of, wanted.seconds, one.recovery_s)
        span = human_duration(wanted.seconds)
        why = f"opens the breaker for {span}: payments are refused at once"
        risk = "every payment is refused meanwhile"
    parts = found.place.parts
    busy = layout.busy
    before = {parts[part]: value for part, value in found.values.items() if part not in busy}
    after = {parts[part]: value for part, value in written.values.items() if part in parts}
    if all(before.get(key) == value for key, value in after.items()):
        return ()
    lasting = written.expires_s
    expires = {key: lasting for key, value in after.items() if value is not None and lasting}
    ttls = {parts[part]: left for part, left in found.ttls.items()}
    seen, new = planned(before, ttls, after, expires)
    state = one.state.value if one.state else "unknown"
    change = Change(
        id=f"{RESET if wanted.seconds is None else TRIP}:{one.name}",
        remedy=RESET if wanted.seconds is None else TRIP,
        table=one.name,
        key={"breaker": one.name},
        before=seen,
        after=new,
        statement="",
        why=why,
        evidence=(
            f"stored as {found.layout}: {state}, {one.failures or 0} failures counted",
            f"{guarded.name}: {guarded.how or 'not asked'}",
        ),
        risk=risk,
    )
    return (replace(change, statement=statement_of(change)),)
