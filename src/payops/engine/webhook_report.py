"""What `payops webhooks status` says: a check a cause, a check a question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from payops.domain.duration import ago, human_duration, utc_text
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.threshold import Limits
from payops.domain.webhook import Cause, Loss
from payops.engine.untold import untold
from payops.engine.webhook_limits import id_of
from payops.errors import Failure, NotConfiguredError, PayopsError, SourceError
from payops.webhooks.advice import title_of
from payops.webhooks.classify import Ground, Place, Verdict
from payops.webhooks.endpoints import Remark, Wanted, remarks
from payops.webhooks.funnel import delivery, lags
from payops.webhooks.path import Part

if TYPE_CHECKING:
    from payops.config.settings import Settings

ROWS: Mapping[Cause, tuple[str, ...]] = {
    Cause.UNREACHABLE: ("S0-24", "S4-05", "S4-41"),
    Cause.SIGNATURE: ("S0-15", "S4-41"),
    Cause.NOT_PROCESSED: ("S1-02", "S1-05", "S0-31"),
    Cause.UNDELIVERED: ("S0-33", "S4-04"),
    Cause.SWALLOWED: ("S0-15", "S4-03"),
    Cause.DISABLED: ("S0-28",),
    Cause.NOT_SUBSCRIBED: ("S0-28",),
}
_PARTS = {
    Part.LOG: ("webhooks.log", "The event log answers"),
    Part.KEYS: ("webhooks.keys", "Dedupe keys can be read"),
    Part.LEDGER: ("webhooks.ledger", "The ledger answers"),
    Part.OBJECTS: ("webhooks.objects", "Objects have their events"),
}


def checks_of(
    settings: Settings,
    ground: Ground,
    verdicts: Sequence[Verdict],
    found: Sequence[Loss],
    limits: Mapping[str, Limits],
) -> tuple[CheckResult, ...]:
    """The checks: what was lost first, by money; then the path's own."""
    return (
        *(_of_loss(loss, ground, limits) for loss in found),
        _delivery(settings, ground, limits["webhooks.delivery"]),
        _handling(ground, verdicts, limits["webhooks.handling"]),
        endpoints_check(settings, ground),
        *_objects(ground),
        *untold_parts(settings, ground),
    )


def _of_loss(loss: Loss, ground: Ground, limits: Mapping[str, Limits]) -> CheckResult:
    id_ = id_of(loss.cause)
    payments = sum(each.count for each in loss.money)
    return CheckResult(
        loss.status,
        loss.summary,
        id=id_,
        title=title_of(loss.cause),
        source="stripe",
        as_of=ground.path.as_of,
        since=loss.since,
        measured={
            "count": loss.count,
            "payments": payments,
            "detail": loss.detail,
            "certain": loss.certain,
        },
        limits={name: limit for name, limit in limits[id_].items() if name != "age"},
        evidence=loss.evidence,
        actions=loss.actions,
        money_at_risk=loss.money,
        rows=ROWS.get(loss.cause, ()),
    )


def _delivery(settings: Settings, ground: Ground, limits: Limits) -> CheckResult:
    path = ground.path
    id_, title = "webhooks.delivery", "Deliveries succeed"
    rows = ("S2-04", "S2-05", "S1-04")
    failure = path.failures.get(Part.EVENTS)
    if failure is not None and not path.events:
        return _untold(settings, failure, ground, id_, title)
    told = delivery(path)
    kind = "events of the types in webhooks.needs" if path.types else "events"
    least = "" if path.events_complete else "at least "
    on_way = f", {told.in_flight:,} on their way" if told.in_flight else ""
    if told.success is None:
        return CheckResult(
            Status.OK,
            f"no {kind.replace('events', 'event', 1)} to be delivered{on_way}",
            source="stripe",
            as_of=path.as_of,
            measured={"count": 0},
            rows=rows,
            id=id_,
            title=title,
        )
    measured = {
        "success": round(told.success, 2),
        "in_a_row": told.row,
        "in_an_hour": told.hour,
        "pending": told.pending,
        "settled": told.settled,
        "sent_again": sum(event.id in path.sent_again for event in path.events),
    }
    status = worst(limits[name].judge(measured[name]) for name in limits)
    if failure is not None:
        status = worst((status, Status.UNKNOWN))
    summary = (
        f"{least}{told.settled - told.pending:,} of {told.settled:,} {kind} have no failed or "
        f"pending delivery ({told.success:.1f} %){on_way}"
    )
    if told.pending:
        summary += f"; {told.row:,} not delivered in a row, {told.hour:,} within an hour"
    if told.sent_again:
        summary += f"; {told.sent_again:,} that Stripe still owes were sent again by payops"
    if failure is not None:
        summary += f"; not all was read: {failure}"
    return CheckResult(
        status,
        summary,
        source="stripe",
        as_of=path.as_of,
        measured=measured,
        limits=limits,
        actions=tuple(_delivery_actions(failure, pending=told.pending)),
        rows=rows,
        id=id_,
        title=title,
    )


_SHORT_OF_TIME = frozenset({Failure.RATE_LIMITED, Failure.TIMED_OUT})


def _delivery_actions(failure: PayopsError | None, *, pending: int) -> Iterator[Action]:
    if isinstance(failure, SourceError) and failure.kind in _SHORT_OF_TIME:
        yield Action(
            "To read it all: a shorter --since, a longer --deadline, or more "
            "stripe.max_requests_per_second (a request is 100 events); --no-objects leaves out the "
            "lists of payments and refunds",
            "payops webhooks status --no-objects --deadline 10m",
        )
    elif failure is not None and failure.hint:
        yield Action(failure.hint)
    if pending:
        yield Action("List what was not delivered", "payops webhooks undelivered")


def _handling(ground: Ground, verdicts: Sequence[Verdict], limits: Limits) -> CheckResult:
    """What the event log says, or what stands in for it."""
    path = ground.path
    id_, title = "webhooks.handling", "What arrives is handled"
    if Part.LOG not in path.asked:
        return CheckResult(
            Status.SKIP,
            f"no event log is mapped; {_stands_in(ground)}",
            id=id_,
            title=title,
            as_of=path.as_of,
            rows=("S1-02", "S1-05"),
        )
    if not path.knows(Part.LOG):
        return CheckResult(
            Status.UNKNOWN,
            "the event log could not be asked",
            id=id_,
            title=title,
            as_of=path.as_of,
        )
    causes = Counter(verdict.cause for verdict in verdicts if verdict.place is Place.LOST)
    unfinished = causes[Cause.NOT_PROCESSED]
    measured: dict[str, float | None] = {"unfinished": unfinished}
    handled = next((lag for lag in lags(path) if lag.name == "processed"), None)
    statuses = [limits["unfinished"].judge(unfinished)]
    summary = f"{unfinished:,} received and not processed" if unfinished else "nothing is stuck"
    if handled is not None:
        p95 = handled.p95.total_seconds()
        measured["lag"] = round(p95, 3)
        statuses.append(limits["lag"].judge(p95))
        summary += (
            f"; 95 % processed within {human_duration(p95)}, the newest "
            f"{ago(handled.newest, path.as_of)}"
        )
    return CheckResult(
        worst(statuses),
        summary,
        id=id_,
        title=title,
        source="postgres",
        as_of=path.as_of,
        measured=measured,
        limits=limits,
        actions=(Action("List them", "payops webhooks stuck"),) if unfinished else (),
        rows=("S1-02", "S1-05"),
    )


def _stands_in(ground: Ground) -> str:
    """What is gone by without an event log, and how sure that is."""
    path = ground.path
    if path.knows(Part.KEYS):
        when = "before it is handled" if ground.marked_before else "once it was handled"
        return (
            f"Redis stands in while its keys live (a key is set {when}), and the ledger, which "
            "shows the outcome and not who wrote it"
        )
    if path.knows(Part.LEDGER):
        return (
            "the ledger stands in: it shows the outcome, not whether an event or somebody else "
            "wrote it"
        )
    return "and nothing stands in for it: only what Stripe owes is told"


def endpoints_check(settings: Settings, ground: Ground) -> CheckResult:
    """All that is wrong with the endpoints, in one check."""
    path = ground.path
    id_, title = "webhooks.endpoints", "Endpoints are registered as they should be"
    if path.endpoints is None:
        failure = path.failures.get(Part.ENDPOINTS) or path.failures.get(Part.EVENTS)
        if failure is None:
            failure = NotConfiguredError("Stripe's endpoints were not asked")
        return _untold(settings, failure, ground, id_, title)
    found = remarks(wanted_of(settings, ground), path.endpoints)
    enabled = sum(each.enabled for each in path.endpoints)
    summary = f"{enabled} of {len(path.endpoints)} enabled"
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        summary = f"{found[0].said}{more}"
    actions = [action for remark in found for action in remark.actions]
    if len(found) > 1:
        actions.insert(0, Action("See them all", "payops webhooks endpoints"))
    return CheckResult(
        worst(remark.status for remark in found) if found else Status.OK,
        summary,
        id=id_,
        title=title,
        source="stripe",
        as_of=path.as_of,
        measured={
            "endpoints": len(path.endpoints),
            "enabled": enabled,
            "remarks": len(found),
            "words": " ".join(sorted({remark.word for remark in found})),
        },
        actions=tuple(actions[:4]),
        rows=("S0-28", "S4-05"),
    )


def wanted_of(settings: Settings, ground: Ground) -> Wanted:
    """What the configuration wants of the endpoints."""
    stripe = settings.stripe
    key = stripe.secret_key.reveal() if stripe else ""
    live = "_live_" in key[:12]
    return Wanted(
        urls=tuple(each.url for each in settings.webhooks.endpoints),
        needs=settings.webhooks.needs,
        live=live,
        production=live,
        api_version=stripe.api_version if stripe else "",
        asked=ground.asked,
    )


def remark_checks(found: Sequence[Remark], ground: Ground) -> tuple[CheckResult, ...]:
    """A check a remark, for `payops webhooks endpoints`."""
    by_word: dict[str, list[Remark]] = {}
    for remark in found:
        by_word.setdefault(remark.word, []).append(remark)
    return tuple(
        CheckResult(
            worst(remark.status for remark in its),
            "; ".join(remark.said for remark in its),
            id=f"endpoints.{word}",
            title=_REMARKS[word],
            source="http" if word == "answer" else "stripe",
            as_of=ground.path.as_of,
            measured={"count": len(its)},
            actions=tuple(dict.fromkeys(action for remark in its for action in remark.actions)),
            rows=("S0-28",),
        )
        for word, its in by_word.items()
    )


_REMARKS = {
    "none": "Stripe knows an endpoint",
    "not-registered": "Configured endpoints are registered",
    "disabled": "Endpoints are enabled",
    "not-configured": "Registered endpoints are ours",
    "types": "Types that the ledger needs are subscribed",
    "duplicate": "No endpoint is registered twice",
    "mode": "Endpoints are of the key's mode",
    "trial": "Live endpoints are for real",
    "version": "API version is the pinned one",
    "answer": "Endpoints answer",
}


def _objects(ground: Ground) -> tuple[CheckResult, ...]:
    path = ground.path
    if path.never_generated is None or path.never_generated:
        return ()
    cost = f"{path.object_calls:,} request{'s' if path.object_calls != 1 else ''} for their lists"
    return (
        CheckResult(
            Status.OK,
            f"no object changed without an event ({cost}; --no-objects leaves them out)",
            id="webhooks.objects",
            title="Objects have their events",
            source="stripe",
            as_of=path.as_of,
            measured={"count": 0, "requests": path.object_calls},
        ),
    )


def untold_parts(settings: Settings, ground: Ground) -> tuple[CheckResult, ...]:
    """The parts that gave no answer, each for itself."""
    return tuple(
        _untold(settings, failure, ground, *_PARTS[part])
        for part, failure in ground.path.failures.items()
        if part in _PARTS
    )


def _untold(
    settings: Settings, failure: Exception, ground: Ground, id_: str, title: str
) -> CheckResult:
    assert isinstance(failure, SourceError | NotConfiguredError)  # noqa: S101  no other is kept
    result = untold(settings, failure, ground.path.as_of)
    return replace(result, id=id_, title=title)


def causes_json(found: Sequence[Loss]) -> list[dict[str, object]]:
    """`causes` of the JSON, in the order of their money."""
    return [
        {
            "cause": loss.cause.value,
            "status": loss.status.value,
            "summary": loss.summary,
            "count": loss.count,
            "detail": loss.detail,
            "certain": loss.certain,
            "since": utc_text(loss.since) if loss.since else None,
            "newest": utc_text(loss.newest) if loss.newest else None,
            "money": [
                {"currency": each.currency, "minor": each.minor, "count": each.count}
                for each in loss.money
            ],
            "events": list(loss.events),
            "evidence": [
                {
                    "what": each.what,
                    "source": each.source,
                    "as_of": utc_text(each.as_of),
                    "detail": dict(each.detail),
                }
                for each in loss.evidence
            ],
            "actions": [
                {"text": action.text, "command": action.command} for action in loss.actions
            ],
        }
        for loss in found
    ]
