"""Where each event of a path stands: on its way, arrived, or lost, and then by which one cause.

Pure: what was gathered goes in, one `Standing` an event comes out. An event has one place only. The
cause nearest to Stripe is taken: of an event that never arrived it is idle to ask who handled it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from payops.domain.duration import utc_text
from payops.domain.webhook import Cause, Moved, PathEvent
from payops.webhooks.faults import Asked
from payops.webhooks.lately import Lately, Silence, lately, silences
from payops.webhooks.order import overtaken_by
from payops.webhooks.path import Endpoint, Part, Path
from payops.webhooks.told import book_of

# Younger, and it may be on its way: the first attempt has not come back, the row is being written.
IN_FLIGHT = timedelta(seconds=60)
# What arrived and is not finished: a worker takes seconds, and a queue may be behind for a while.
# No runbook gives a number.
STUCK = timedelta(minutes=5)
# Handled so long after Stripe made the event that somebody waited for it.
LATE = timedelta(minutes=5)
# What an endpoint that takes no such events now may have had before.
NOBODY_TELLS = "no event log or key tells since when"


class Place(Enum):
    """Where an event stands; the value is the word in JSON."""

    IN_FLIGHT = "in flight"
    DONE = "done"
    NOT_NEEDED = "not needed"
    """Nothing here is kept by it."""
    UNTOLD = "not told"
    """Nothing that could be asked says whether it was handled."""
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One event's place; `cause` of one that is LOST, and what kind of it."""

    event: PathEvent
    place: Place
    cause: Cause | None = None
    detail: str = ""
    certain: bool = True


@dataclass(frozen=True)
class Ground:
    """What a verdict rests on beside the event.

    `asked` is what endpoints answered, by URL, `needs` the types that the ledger is kept by (empty:
    any that it can show). `stuck` and `late` are the limits in force.
    """

    path: Path
    asked: Mapping[str, Asked] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    marked_before: bool = False
    stuck: timedelta = STUCK
    late: timedelta = LATE


def classify(ground: Ground) -> list[Verdict]:
    """A verdict for each event, for each unfinished row that Stripe's list lacks, and for each
    event that was never generated; the oldest first."""
    judge = _Judge(ground)
    path = ground.path
    found = [judge.of(event) for event in path.events]
    found += [judge.of_stranger(event) for event in path.strangers]
    for each in path.never_generated or ():
        found.append(Verdict(each.event, Place.LOST, Cause.NEVER_GENERATED))
    return sorted(found, key=lambda verdict: (verdict.event.created, verdict.event.id))


class _Judge:
    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._path = ground.path
        self._log = ground.path.knows(Part.LOG)
        self._overtaken = overtaken_by(ground.path.events)
        self._lately_of: dict[frozenset[str], Lately] = {}
        self._ids_of: dict[str, frozenset[str]] = {}
        self._silences = self._find_silences()

    def of(self, event: PathEvent) -> Verdict:
        """One event of Stripe's list."""
        if event.logged:
            return self._of_logged(event)
        if self._is_young(event):
            return Verdict(event, Place.IN_FLIGHT)
        if event.pending_webhooks > 0:
            return self._of_pending(event)
        if event.moved is Moved.YES:
            # The ledger has it from somebody else; whether the event came is another question.
            untraced = event.seen is False or (self._log and event.seen is None)
            never_sent = self._never_sent(event) if untraced and self._needed(event) else None
            return never_sent or self._of_handled(event)
        return self._of_untraced(event)

    def of_stranger(self, event: PathEvent) -> Verdict:
        """An unfinished row of the event log that Stripe's list does not have."""
        return self._of_logged(event)

    # ── in the event log ─────────────────────────────────────────────────────────────────────────

    def _of_logged(self, event: PathEvent) -> Verdict:
        if event.logged == "handled":
            return self._of_handled(event)
        waits = self._now_there - (event.received_at or event.created)
        failed = event.logged == "failed"
        if waits < (IN_FLIGHT if failed else self._ground.stuck):
            return Verdict(event, Place.IN_FLIGHT)
        detail = "failed" if failed else "stuck"
        return Verdict(event, Place.LOST, Cause.NOT_PROCESSED, detail)

    def _of_handled(self, event: PathEvent) -> Verdict:
        """Its handling ended: did it do what it should, once, and in time?"""
        if event.moved is Moved.NO and not self._just_handled(event):
            return self._unmoved(event)
        if event.times > 1:
            return Verdict(event, Place.LOST, Cause.TWICE, f"{event.times} times")
        if (event.attempts or 0) > 1 and event.seen is False:
            # An attempt after a failure is right; one that no key could tell from the first is not.
            detail = f"{event.attempts} attempts, and no key"
            return Verdict(event, Place.LOST, Cause.TWICE, detail, certain=False)
        lag = lag_of(self._path, event, event.processed_at)
        if lag is not None and lag > self._ground.late and not self._sent_again(event):
            return Verdict(event, Place.LOST, Cause.LATE)
        return Verdict(event, Place.DONE)

    def _unmoved(self, event: PathEvent) -> Verdict:
        older = self._overtaken.get(event.id)
        if older is not None:
            return Verdict(event, Place.LOST, Cause.OUT_OF_ORDER, f"{older.type} came after it")
        where = "the log says handled" if event.logged else "its key says had"
        return Verdict(event, Place.LOST, Cause.SWALLOWED, where)

    def _sent_again(self, event: PathEvent) -> bool:
        return event.id in self._path.sent_again

    def _just_handled(self, event: PathEvent) -> bool:
        at = event.processed_at
        return at is not None and self._now_there - at < IN_FLIGHT

    @property
    def _now_there(self) -> datetime:
        """The database's clock when the events were read."""
        return self._path.as_of + timedelta(seconds=self._path.log_offset_s)

    # ── an endpoint has not had it ───────────────────────────────────────────────────────────────

    def _of_pending(self, event: PathEvent) -> Verdict:
        if self._sent_again(event):
            if event.moved is Moved.NO and not self._just_handled(event):
                accepted = "sent again, and accepted"
                return Verdict(event, Place.LOST, Cause.SWALLOWED, accepted)
            return Verdict(event, Place.DONE)
        if event.seen and event.moved is Moved.NO:
            return Verdict(event, Place.LOST, Cause.NOT_PROCESSED, "its key says had")
        asked = self._asked_about(event)
        faulty = next((each for each in asked if each.fault is not None), None)
        if faulty is not None and faulty.fault is not None:
            fault = faulty.fault
            return Verdict(event, Place.LOST, fault.cause, fault.detail, fault.certain)
        if asked:
            return self._by_elimination(event, asked)
        wanting = self._wanting(event)
        if wanting and not any(each.enabled for each in wanting):
            return Verdict(event, Place.LOST, Cause.DISABLED, "while it was owed")
        return Verdict(event, Place.LOST, Cause.UNDELIVERED, "not asked why", certain=False)

    def _asked_about(self, event: PathEvent) -> list[Asked]:
        """What the endpoints answered that the event is owed to: those registered for it, and where
        none is any more, any of them."""
        answers = self._ground.asked
        urls = [each.url for each in self._wanting(event) or ()]
        return [answers[url] for url in urls if url in answers] or list(answers.values())

    def _by_elimination(self, event: PathEvent, asked: Sequence[Asked]) -> Verdict:
        """The endpoint answers well now: has it recovered, or does it refuse signatures?"""
        if any(each.signed or each.takes_all for each in asked):
            well = "the endpoint answers well now"
            return Verdict(event, Place.LOST, Cause.UNDELIVERED, well)
        lately = self._lately(event)
        if lately is Lately.REFUSES:
            # All or nothing is how a wrong secret looks; so does a handler that fails on each
            # genuine event, hence by elimination.
            detail = "by elimination"
            return Verdict(event, Place.LOST, Cause.SIGNATURE, detail, certain=False)
        return Verdict(event, Place.LOST, Cause.UNDELIVERED, lately.value, certain=False)

    def _lately(self, event: PathEvent) -> Lately:
        """What became of the newest events of the endpoints that this one is owed to."""
        if not (self._path.whole and self._path.events_complete):
            return Lately.UNKNOWN
        its = self._endpoints_of(event.type)
        if its not in self._lately_of:
            settled = [each for each in self._path.events if not self._is_young(each)]

            def concerns(other: PathEvent) -> bool:
                # For what nobody is registered now, somebody was when it was sent.
                theirs = self._endpoints_of(other.type)
                return not its or not theirs or bool(its & theirs)

            self._lately_of[its] = lately(settled, concerns, has_log=self._log)
        return self._lately_of[its]

    def _endpoints_of(self, type_: str) -> frozenset[str]:
        """The ids of the endpoints that are registered for a type; empty where none is known."""
        if type_ not in self._ids_of:
            known = self._path.endpoints or ()
            self._ids_of[type_] = frozenset(each.id for each in known if each.wants(type_))
        return self._ids_of[type_]

    def _is_young(self, event: PathEvent) -> bool:
        return self._path.as_of - event.created < IN_FLIGHT

    # ── nobody owes it, and there is no trace of it ──────────────────────────────────────────────

    def _of_untraced(self, event: PathEvent) -> Verdict:
        if not self._needed(event):
            return Verdict(event, Place.NOT_NEEDED)
        if event.moved is not Moved.NO and not self._log and event.seen is not False:
            return Verdict(event, Place.UNTOLD)
        if event.seen:
            return self._unmoved(event)
        if (never_sent := self._never_sent(event)) is not None:
            return never_sent
        for silence in self._silences:
            if silence.since <= event.created <= silence.until:
                detail = (
                    f"none of any type arrived from {utc_text(silence.since)} to "
                    f"{utc_text(silence.until)}"
                )
                return Verdict(event, Place.LOST, Cause.DISABLED, detail, certain=False)
        return Verdict(event, Place.LOST, Cause.SWALLOWED, "no trace of it", certain=False)

    def _find_silences(self) -> list[Silence]:
        """When nothing came at all of what the enabled endpoints are registered for: without a log
        nobody could tell, nor by some of the events."""
        path = self._path
        if not (path.whole and path.events_complete and self._log and path.endpoints):
            return []
        enabled = [each for each in path.endpoints if each.enabled]
        wanted = {type_: any(each.wants(type_) for each in enabled) for type_ in _types(path)}
        return silences([e for e in path.events if wanted[e.type] and not self._is_young(e)])

    def _never_sent(self, event: PathEvent) -> Verdict | None:
        """The verdict where no endpoint takes such events; None where one does, or nobody knows."""
        wanting = self._wanting(event)
        if wanting is None or any(each.enabled for each in wanting):
            return None
        cause = Cause.DISABLED if wanting else Cause.NOT_SUBSCRIBED
        if self._log or event.seen is not None:
            return Verdict(event, Place.LOST, cause, "never sent" if wanting else "")
        # It may have come while an endpoint still took it, and have been dropped.
        return Verdict(event, Place.LOST, cause, NOBODY_TELLS, certain=False)

    def _needed(self, event: PathEvent) -> bool:
        needs = self._ground.needs
        return event.type in needs if needs else book_of(event) is not None

    def _wanting(self, event: PathEvent) -> list[Endpoint] | None:
        """Stripe's endpoints that are registered for it; None where they could not be asked."""
        if self._path.endpoints is None:
            return None
        return [each for each in self._path.endpoints if each.wants(event.type)]


def _types(path: Path) -> set[str]:
    return {event.type for event in path.events}


def lag_of(path: Path, event: PathEvent, at: datetime | None) -> timedelta | None:
    """How long after its making, by Stripe's clock, something happened to it by the database's."""
    if at is None:
        return None
    return max(at - timedelta(seconds=path.log_offset_s) - event.created, timedelta(0))
