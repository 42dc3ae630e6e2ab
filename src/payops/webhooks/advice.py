"""What each cause means in a sentence, and what to do about it, with the exact command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from payops.domain.duration import utc_text
from payops.domain.evidence import Action
from payops.domain.webhook import Cause, Moved, PathEvent
from payops.webhooks.classify import NOBODY_TELLS

if TYPE_CHECKING:
    from payops.webhooks.classify import Ground

# Only the Dashboard shows what an endpoint answered; the API and its events do not.
_DASHBOARD = Action("What your endpoint answered stands in Stripe's Dashboard alone: Webhooks")
_RETRIES = "Stripe retries by itself for up to 3 days once the endpoint answers"
# `--since` takes the first event in, whatever the clocks say.
_EARLIER = timedelta(minutes=1)
_TITLES = {
    Cause.UNREACHABLE: "Endpoint does not answer",
    Cause.REDIRECTS: "Endpoint redirects",
    Cause.FORBIDS: "Endpoint forbids",
    Cause.FAILS: "Endpoint fails",
    Cause.DISABLED: "Endpoint disabled at Stripe",
    Cause.NOT_SUBSCRIBED: "Type not subscribed",
    Cause.SIGNATURE: "Signature refused",
    Cause.NOT_PROCESSED: "Received, not processed",
    Cause.SWALLOWED: "Answered 2xx, not processed",
    Cause.LATE: "Processed late",
    Cause.TWICE: "Processed twice",
    Cause.OUT_OF_ORDER: "Out of order",
    Cause.NEVER_GENERATED: "Event never generated",
    Cause.UNDELIVERED: "Undelivered, cause not seen",
}


def title_of(cause: Cause) -> str:
    """A heading for people."""
    return _TITLES[cause]


def meaning(cause: Cause, detail: str, *, certain: bool) -> str:
    """What happened to the events, after their number: `12 events` `not delivered: …`."""
    of = f": {detail}" if detail else ""
    match cause:
        case Cause.UNREACHABLE:
            return f"not delivered, the endpoint does not answer{of}"
        case Cause.REDIRECTS:
            return f"not delivered, the endpoint redirects{of} (to Stripe a failure)"
        case Cause.FORBIDS:
            return f"not delivered, refused before the signature{of}"
        case Cause.FAILS:
            return f"not delivered, the endpoint fails{of}"
        case Cause.DISABLED if certain:
            return "not sent, the endpoint is disabled; Stripe will not send them later"
        case Cause.DISABLED:
            return (
                "left no trace, likely as the endpoint was disabled (else it answered 2xx and "
                f"dropped them){of}; Stripe will not send them later"
            )
        case Cause.NOT_SUBSCRIBED if certain:
            return "not sent, no endpoint is registered for their type"
        case Cause.NOT_SUBSCRIBED:
            return (
                "left no trace, likely as no endpoint is registered for their type (else it "
                f"answered 2xx and dropped them){of}"
            )
        case Cause.SIGNATURE if certain:
            return f"not delivered, the signature is refused{of}"
        case Cause.SIGNATURE:
            return (
                "not delivered though the endpoint answers well: likely it refuses Stripe's "
                "signature (by elimination)"
            )
        case Cause.NOT_PROCESSED:
            return f"received and not processed{of}"
        case Cause.SWALLOWED if certain:
            return f"answered 2xx and not processed: {detail or 'had'}, and the ledger did not move"
        case Cause.SWALLOWED:
            return (
                "that Stripe owes no more have left no trace: answered 2xx and dropped, or made "
                "while the endpoint was disabled"
            )
        case Cause.LATE:
            return "processed late"
        case Cause.TWICE:
            sure = "" if certain else "likely "
            return f"{sure}processed more than once{of}"
        case Cause.OUT_OF_ORDER:
            return "undone by an older event that was processed after them"
        case Cause.NEVER_GENERATED:
            return "changed at Stripe without an event"
        case Cause.UNDELIVERED:
            return f"not delivered{of}"


def actions_for(
    cause: Cause, events: Sequence[PathEvent], ground: Ground, detail: str, *, certain: bool
) -> tuple[Action, ...]:
    """What to do next, the first thing first."""
    since = events[0].created
    types = sorted({event.type for event in events})
    probe = Action("Ask the endpoint as Stripe would", f"payops webhooks probe{_urls(ground)}")
    sure = Action(
        "Be sure, with harmless signed events", f"payops webhooks probe{_urls(ground)} --signed"
    )
    resend = Action(f"Then wait ({_RETRIES}), or send them now", _replay("--undelivered", since))
    match cause:
        case Cause.UNREACHABLE | Cause.REDIRECTS | Cause.FORBIDS | Cause.FAILS:
            return (_repair(cause, detail), probe, resend, _DASHBOARD)
        case Cause.UNDELIVERED if certain:
            return (
                Action(f"Nothing, or hurry: {_RETRIES}", _replay("--undelivered", since)),
                _DASHBOARD,
            )
        case Cause.UNDELIVERED:
            return (sure if ground.asked else probe, _DASHBOARD, resend)
        case Cause.SIGNATURE:
            repair = Action(
                "Put the endpoint's own secret (whsec_…, Dashboard, Webhooks) into the application"
                if detail in {"wrong secret", "by elimination"}
                else f"Repair it at the application: {detail}"
            )
            order = (repair, sure) if certain else (sure, repair)
            return (*order, resend, _DASHBOARD)
        case Cause.DISABLED:
            enable = "Enable the endpoint: Stripe's Dashboard, Webhooks"
            past = "Was it disabled then? Ask who may do that, and see Stripe's Dashboard, Webhooks"
            now = certain or NOBODY_TELLS in detail
            return (Action(enable if now else past), _meanwhile(events))
        case Cause.NOT_SUBSCRIBED:
            named = ", ".join(types)
            return (
                Action(f"Add to the endpoint in Stripe's Dashboard, Webhooks: {named}"),
                _meanwhile(events),
            )
        case Cause.NOT_PROCESSED:
            return (
                Action("See them with their errors", "payops webhooks stuck"),
                Action("Once the handler is repaired, send them again", _replay("--stuck", since)),
            )
        case Cause.SWALLOWED:
            return (
                Action("Look for their handler's errors in the application's log, and mend it"),
                *_put_right(events, marked_before=ground.marked_before),
            )
        case Cause.LATE if all(_came_late(event, ground) for event in events):
            return (
                Action(
                    "Nothing, if they were sent again: they came late, and were handled at once. "
                    "If not, see whether deliveries fail at first",
                    "payops webhooks undelivered",
                ),
            )
        case Cause.LATE:
            return (Action("See whether the queue or the handler is slow", "payops health"),)
        case Cause.TWICE:
            return (
                Action("Make the handler know an event that it has had, by its id"),
                _reconcile(since),
            )
        case Cause.OUT_OF_ORDER:
            return (
                _reconcile(since),
                Action("Let the handler ask Stripe for the object's state, not the event"),
            )
        case Cause.NEVER_GENERATED:
            return (
                _reconcile(since),
                Action("Give Stripe's support the objects' ids: no replay brings these back"),
            )


def _repair(cause: Cause, detail: str) -> Action:
    match cause:
        case Cause.REDIRECTS:
            return Action(
                "Register the address that it redirects to, in Stripe's Dashboard, Webhooks; or "
                "take the redirect away (www, a trailing slash, https)"
            )
        case Cause.FORBIDS:
            return Action(
                "Let POSTs to it pass: a login wall, a firewall's rule, another path? It is no "
                "signature that is refused"
            )
        case Cause.FAILS:
            return Action("See the application's log: it fails on any POST", "payops health")
        case _:
            why = f" ({detail})" if detail else ""
            return Action(f"Bring the endpoint back{why}", "payops health --only app")


def _meanwhile(events: Sequence[PathEvent]) -> Action:
    """To send what was never sent; the ledger may have some of it by another way."""
    lacking = [event for event in events if event.moved is not Moved.YES]
    if not lacking:
        return Action("Nothing needs to be sent: the ledger shows all of them")
    types = sorted({event.type for event in lacking})
    return Action("Send what was made meanwhile", _replay("", lacking[0].created, types))


def _put_right(events: Sequence[PathEvent], *, marked_before: bool) -> tuple[Action, ...]:
    """Rows of events that were answered 2xx. Where a key is set once an event was handled, the same
    event would be answered as a duplicate: `replay` leaves it out, and the row itself is mended."""
    known = [event for event in events if event.seen and not marked_before]
    unknown = [event for event in events if not event.seen or marked_before]
    found: list[Action] = []
    if unknown:
        types = sorted({event.type for event in unknown})
        found.append(Action("Then send them again", _replay("", unknown[0].created, types)))
    if known:
        some = f"{len(known):,} of them" if unknown else "them"
        found.append(
            Action(
                f"Then put the rows right: sent again, the handler would answer {some} as "
                "duplicates (their dedupe keys are set)",
                f"{_compare(known[0].created)} --save-plan rows.json",
            )
        )
        found.append(Action("Look the plan over, and apply it", "payops apply rows.json"))
    else:
        found.append(_reconcile(events[0].created))
    return tuple(found)


def _came_late(event: PathEvent, ground: Ground) -> bool:
    """Whether the time was lost before the event log had it, and not at the handler."""
    return event.received_at is not None and event.received_at - event.created > ground.late


def _reconcile(since: datetime) -> Action:
    return Action("See which payments the ledger is wrong about", _compare(since))


def _compare(since: datetime) -> str:
    # A payment is older than its event.
    return f"payops reconcile --since {utc_text(since - timedelta(hours=1))}"


def _replay(what: str, since: datetime, types: Sequence[str] = ()) -> str:
    start = f"--since {utc_text(since - _EARLIER)}"
    only = "".join(f" --type {shlex.quote(each)}" for each in types[:5])
    # More types than that are better sent whole: what the ledger shows is skipped anyway.
    return " ".join(
        part
        for part in ("payops webhooks replay", what, start + (only if len(types) <= 5 else ""))
        if part
    )


def _urls(ground: Ground) -> str:
    faulty = [each.url for each in ground.asked.values() if each.fault is not None]
    return f" {shlex.quote(faulty[0])}" if len(ground.asked) > 1 and faulty else ""
