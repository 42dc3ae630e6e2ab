"""Sends the events of a plan, one after the other, as the applier's writer.

What a transaction is to a row, the dedupe key and the event log are to an event: after a SIGKILL
they say whether it arrived. So the intent is on disk before anything is cleared or sent, a key is
deleted only while it is the very one that the plan saw, and a rerun looks before it sends again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from payops.domain.duration import human_duration
from payops.domain.payment import PaymentStatus
from payops.domain.plan import Change, Plan
from payops.domain.plan_outcome import Outcome, Result, Words
from payops.domain.webhook import Moved, PathEvent
from payops.engine.replay import event_keys, is_live, registered, stripe_of
from payops.engine.replay_event import EventGoneError, Fetched, fetched, superseded
from payops.engine.replay_lock import ReplayLock
from payops.errors import SourceError
from payops.webhooks.failing import Failures
from payops.webhooks.replay import (
    KEPT,
    Way,
    clears_key,
    mark_in,
    reached,
    statement_of,
    way_of,
)
from payops.webhooks.secrets import own_secrets
from payops.webhooks.whereabouts import Whereabouts, overtaken, whereabouts

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.config.webhooks import WebhookEndpoint
    from payops.sources import Sources
    from payops.sources.webhook_sender import Sent

# Five a second: each event costs the application what a payment costs it, beside the live ones, and
# Stripe a request of its budget. A thousand take some three minutes.
PER_SECOND = 5.0
# What was sent just before an interruption may still be on its way into the handler.
SETTLE_S = 5.0
_LOOK_EVERY_S = 0.5
# A queue that does not drain meanwhile has no workers, or more than they can do.
QUEUE_PATIENCE_S = 300.0


@dataclass(frozen=True)
class Manner:
    """How a replay goes about it: events a second, whether somebody wants it to end, and where a
    line for the person goes."""

    per_second: float = PER_SECOND
    stop: Callable[[], bool] = lambda: False
    say: Callable[[str], None] = lambda line: None
    settle_s: float = SETTLE_S
    queue_patience_s: float = QUEUE_PATIENCE_S


class Replayer:
    """Applies changes whose remedy is to send (`payops.domain.plan.SENDS`)."""

    words = Words(
        as_before="nothing shows that it reached the handler",
        not_known="interrupted, and whether it was sent is not known",
        away="",
        stays=True,
    )

    def __init__(
        self,
        settings: Settings,
        sources: Sources,
        endpoint: WebhookEndpoint,
        plan: Plan,
        lock: ReplayLock,
        manner: Manner,
    ) -> None:
        from payops.sources.webhook_sender import StripeRetry, WebhookSender

        self._settings, self._sources = settings, sources
        self._endpoint, self._plan = endpoint, plan
        self._lock, self._manner = lock, manner
        self._keys = event_keys(settings, sources)
        self._secrets = own_secrets(settings, endpoint)
        self._sender = WebhookSender(sources.deadline)
        self._retry = StripeRetry(stripe_of(settings), sources.deadline)
        self._next = 0.0
        self._ids: frozenset[str] | None = None  # Stripe's, of the endpoint
        self._failures = Failures()
        self.events: dict[str, PathEvent] = {}
        """What was sent, by the change's id."""

    # What the applier asks of a writer

    def take_lock(self) -> None:
        """Be the only replay at work."""
        self._lock.take()

    def still_locked(self) -> None:
        """Raises SourceError when that is not so any more."""
        self._lock.still_held()

    def hindrance(self) -> str:
        """Why no more are sent; waits its turn, and for a queue that is too long."""
        if reason := self._failures.reason:
            return f"{reason}; see what it answers with `payops webhooks probe`"
        if reason := self._queue():
            return reason
        return self._turn()

    def ended(self, number: int) -> str:
        """No database knows how a request ended: it is looked at."""
        del number
        return ""

    def reconnect(self) -> None:
        """Each request has a connection of its own."""

    def look(self, change: Change) -> Outcome:
        """Whether an interrupted change reached the handler. Waits a moment for one that is on its
        way."""
        try:
            found = self._fetched(change)
        except EventGoneError as gone:
            return Outcome(Result.REFUSED, str(gone))
        if why := self._arrived(change, found):
            return Outcome(Result.ALREADY, why)
        return Outcome(Result.WOULD)

    def apply(
        self, change: Change, ready: Callable[[int], None], *, dry_run: bool = False
    ) -> Outcome:
        """Clear the key where that is needed, and send. `ready` is called before either."""
        way = self._way(change)
        if statement_of(change.key, change.before, way) != change.statement:
            why = "the plan's text is not what would be done: the configuration has changed since"
            return Outcome(Result.REFUSED, f"{why}; plan again")
        if not self._is_ours(change):
            why = "Stripe's endpoint that it names has not the url of the configured one"
            return Outcome(Result.REFUSED, why)
        try:
            found = self._fetched(change)
        except EventGoneError as gone:
            return Outcome(Result.REFUSED, str(gone))
        now = self._whereabouts(found)
        verdict = self._against(change, found, now, way)
        if verdict is not None:
            return verdict
        if dry_run:
            return Outcome(Result.WOULD)
        ready(0)
        cleared = self._clear(change, now, way)
        if cleared is None:
            why = "its dedupe key was set anew in this very moment: the handler has it"
            return Outcome(Result.REFUSED, why)
        self.events[change.id] = found.event
        return self._send(change, found, cleared)

    def close(self) -> None:
        """Let go of everything."""
        self._sender.close()
        self._retry.close()
        if self._keys is not None:
            self._keys.close()
        self._lock.free()

    # Its parts

    def _way(self, change: Change) -> Way:
        return way_of(self._settings, self._endpoint, change.key.get("webhook_endpoint") or "")

    def _is_ours(self, change: Change) -> bool:
        """Whether it goes to the configured endpoint, also when Stripe is to send it."""
        retry = change.key.get("webhook_endpoint")
        if not retry:
            return True
        if self._ids is None:
            known = registered(self._sources, self._endpoint, must=True)
            self._ids = frozenset(each.id for each in known)
        return retry in self._ids

    def _fetched(self, change: Change) -> Fetched:
        return fetched(self._sources, change.key["event"] or "")

    def _whereabouts(self, found: Fetched) -> Whereabouts:
        event = found.event
        return whereabouts(self._settings, self._sources, self._keys, [event])[event.id]

    def _against(
        self, change: Change, found: Fetched, now: Whereabouts, way: Way
    ) -> Outcome | None:
        """Why it need not or may not be sent."""
        event, seen = found.event, change.before
        if found.account and found.account != self._plan.target.account:
            return Outcome(Result.REFUSED, "it is an event of another account")
        if event.livemode != is_live(stripe_of(self._settings)):
            return Outcome(Result.REFUSED, "it is of the other mode, test or live")
        if event.type != seen.get("type"):
            return Outcome(Result.REFUSED, "its type is not what the plan saw")
        if datetime.now(UTC) - event.created > KEPT:
            return Outcome(Result.REFUSED, "it is older than 30 days")
        if overtaken(event, now.status) and _word(now.status) != seen.get("ledger_status"):
            why = f"the ledger shows a later state since: {_word(now.status)}"
            return Outcome(Result.REFUSED, why)
        if _word(now.status) != seen.get("ledger_status") and (
            why := superseded(self._sources, event, now.status)
        ):
            return Outcome(Result.REFUSED, why)
        why = reached(seen, now)
        if not why:
            return None
        # A key that is set after an event was handled says that it was.
        marked_after = now.mark is not None and not way.clears and not now.logged
        if now.moved is Moved.YES or now.logged == "handled" or marked_after:
            return Outcome(Result.ALREADY, why)
        # It was given to the handler again, and the ledger does not show it: that is for a person.
        return Outcome(Result.REFUSED, f"{why}, and it is not handled: make a new plan")

    def _clear(self, change: Change, now: Whereabouts, way: Way) -> bool | None:
        """Whether a key was deleted; None when it is not the one that the plan saw."""
        seen = mark_in(change.before)
        if not clears_key(change.before, way) or now.mark is None:
            return False
        if seen is None or self._keys is None:
            return False
        key = way.dedupe.replace("{event}", change.key["event"] or "")
        return True if self._keys.clear(key, seen) else None

    def _send(self, change: Change, found: Fetched, cleared: bool) -> Outcome:
        from payops.sources.webhook_sender import never_sent

        also = "; its dedupe key was cleared" if cleared else ""
        try:
            sent = self._answer(change, found)
        except SourceError as error:
            self._failures.note(False, error.told)
            if error.source == "stripe":
                raise
            if not never_sent(error) and (why := self._arrived(change, found)):
                return Outcome(Result.DONE, f"{error.told}, but it arrived: {why}{also}")
            return Outcome(Result.FAILED, f"{error.told}{also}")
        told = _told(sent)
        self._failures.note(sent.accepted, told)
        now = {"status": str(sent.status), "latency_ms": f"{sent.latency_ms:.0f}"}
        result = Result.DONE if sent.accepted else Result.FAILED
        return Outcome(result, f"{told}{also}", now=now)

    def _answer(self, change: Change, found: Fetched) -> Sent:
        retry = change.key.get("webhook_endpoint")
        if retry:
            return self._retry.send(found.event.id, retry)
        return self._sender.send(self._endpoint.url, found.body, self._secrets)

    def _arrived(self, change: Change, found: Fetched) -> str:
        """What shows that it reached the handler; looks until it would have shown."""
        until = time.monotonic() + self._manner.settle_s
        while True:
            if why := reached(change.before, self._whereabouts(found)):
                return why
            if time.monotonic() >= until:
                return ""
            time.sleep(_LOOK_EVERY_S)

    def _turn(self) -> str:
        """Waits for its turn, at most until somebody wants it to end."""
        while (left := self._next - time.monotonic()) > 0 and not self._manner.stop():
            if left > self._sources.deadline.remaining:
                return "its time is up"
            time.sleep(min(left, _LOOK_EVERY_S))
        self._next = time.monotonic() + 1 / self._manner.per_second
        return ""

    def _queue(self) -> str:
        """Waits while the queue is too long; why that was in vain."""
        queue = self._settings.webhooks.queue
        if queue is None or self._keys is None:
            return ""
        until = time.monotonic() + self._manner.queue_patience_s
        told = False
        while (length := self._keys.length(queue.key)) > queue.most:
            what = f"{length:,} wait in {queue.key}, more than {queue.most:,}"
            if self._manner.stop():
                return ""
            if time.monotonic() >= until:
                patience = human_duration(self._manner.queue_patience_s)
                return f"{what}, and it did not drain in {patience}: are its workers alive?"
            if not told:
                self._manner.say(f"payops: {what}: waiting for it to drain")
            told = True
            time.sleep(_LOOK_EVERY_S)
        return ""


def _word(status: PaymentStatus | None) -> str | None:
    return status.value if status else None


def _told(sent: Sent) -> str:
    """`200 in 34 ms`; of a refusal where to, or what it said."""
    text = f"{sent.status} in {sent.latency_ms:.0f} ms"
    if sent.location:
        return f"{text}, redirected to {sent.location}, which Stripe does not follow either"
    return f"{text}: {sent.said}" if sent.said else text
