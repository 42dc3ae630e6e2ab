"""`payops trace`: what each id means, its payment's story, and the first point where sides part."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.timeline import Divergence, Entry
from payops.engine.trace_report import report_of
from payops.engine.trace_way import find_ways
from payops.reconcile.causes import Clue, likely_cause
from payops.sources import Sources
from payops.trace.diverge import Told, divergences
from payops.trace.entries import timeline
from payops.trace.find import find
from payops.trace.find_around import around, newest
from payops.trace.found import Found, dashboard, no_such
from payops.trace.gather import Subject, gather, gather_last
from payops.trace.ids import Asked, Kind, recognised
from payops.trace.reach import Reach
from payops.trace.story import Story

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.report import Report
    from payops.domain.table import Table
    from payops.domain.window import Window


@dataclass(frozen=True)
class Trace:
    """One payment of one id: its story, the story's lines, and where the sides part."""

    asked: str
    is_: str
    story: Story
    entries: tuple[Entry, ...]
    found: tuple[Divergence, ...]
    calls: int
    dashboard: str

    @property
    def first(self) -> Divergence | None:
        """The first divergence; None where every side that was seen agrees."""
        return self.found[0] if self.found else None

    @property
    def name(self) -> str:
        """What the payment is called: its intent, else its row."""
        story = self.story
        if story.intent is not None:
            return story.intent.id
        return story.reference or (
            f"{story.row.name} {story.row.key}" if story.row else story.absent or self.asked
        )


@dataclass
class Traced:
    """What came of one id: traces, or an answer why there are none; tables of what is routed."""

    asked: str
    found: Found
    traces: list[Trace] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    extra: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ByAmount:
    """An amount in major units, and when it was paid."""

    amount: Decimal
    window: Window


@dataclass(frozen=True)
class Newest:
    """The newest payments since a moment, to choose from."""

    since: datetime
    most: int


Ask = str | ByAmount | Newest


class Tracer:
    """Traces ids with one set of sources; `close` hangs up."""

    def __init__(self, settings: Settings, deadline: Deadline, *, probe: bool = True) -> None:
        self.settings = settings
        self.deadline = deadline
        self._probe = probe
        self._sources = Sources(settings, deadline.sooner(0.15, at_most=1.5))
        self._started = time.monotonic()
        self.reach = self._new_reach()

    def _new_reach(self) -> Reach:
        return Reach(
            self.settings, self._sources, datetime.now(UTC), livemode=livemode_of(self.settings)
        )

    def close(self) -> None:
        """Hang up."""
        self._sources.close()

    def traced(self, asks: Sequence[Ask]) -> list[Traced]:
        """Each in its turn. Raises UsageError for what is no id before anything is asked."""
        wanted = [recognised(one) if isinstance(one, str) else one for one in asks]
        self.reach = self._new_reach()
        self.reach.measure()
        return [self._one(one) for one in wanted]

    def report(self, traced: Sequence[Traced]) -> Report:
        """What was traced, as a report."""
        return report_of(
            self.settings,
            self.reach,
            traced,
            calls=self._sources.stripe_calls(),
            duration_ms=round((time.monotonic() - self._started) * 1000),
        )

    def _one(self, asked: Asked | ByAmount | Newest) -> Traced:
        self.reach.begin()
        calls = self._sources.stripe_calls()
        if isinstance(asked, ByAmount):
            found = around(self.reach, asked.amount, asked.window)
            traced = Traced(found.is_, found)
        elif isinstance(asked, Newest):
            found = newest(self.reach, asked.since, asked.most)
            return Traced(found.is_, found)
        elif asked.kinds[0] in (Kind.OWNER, Kind.CONNECTION):
            from payops.engine.trace_routing import of_kind

            return of_kind(self.reach, asked)
        else:
            found = find(self.reach, asked)
            traced = Traced(asked.text, found)
        for number, subject in enumerate(found.subjects):
            if number:
                self.reach.begin()
                calls = self._sources.stripe_calls()
            one = self.trace(traced.asked, found.is_, subject, calls)
            nothing = _nothing_known(self.reach, one.story)
            if nothing:
                traced.found = replace(found, subjects=(), answer=nothing, unknown=True)
            else:
                traced.traces.append(one)
        if self.settings.trace.routing is not None:
            from payops.engine.trace_routing import add_routing

            orders = (asked.value,) if isinstance(asked, Asked) and _may_be_order(asked) else ()
            add_routing(self.reach, traced, orders)
        return traced

    def trace(self, asked: str, is_: str, subject: Subject, calls_before: int) -> Trace:
        """One payment."""
        story = gather(self.reach, subject)
        find_ways(self.reach, story, probe=self._probe)
        story.unseen = self.reach.unseen
        page = _page(self.reach, story)
        found = divergences(story, _likely(story), page)
        # After it: a payout that nobody asked for makes no cause less certain.
        gather_last(self.reach, story)
        return Trace(
            asked,
            is_,
            story,
            timeline(story),
            found,
            self._sources.stripe_calls() - calls_before,
            page,
        )


def _may_be_order(asked: Asked) -> bool:
    return Kind.ORDER in asked.kinds


def _nothing_known(reach: Reach, story: Story) -> str:
    """Why there is no story to tell; empty where there is one."""
    if story.intent is not None or story.rows or story.sessions or story.refund_rows:
        return ""
    if story.absent:
        return no_such(reach, "PaymentIntent", story.absent, story.other_mode)
    why = "; ".join(f"{one.source}: {one.why}" for one in story.unseen)
    return f"nothing of it could be seen: {why or 'no source that knows it is configured'}"


def livemode_of(settings: Settings) -> bool | None:
    """Which mode the configured key is of; None without a key, or one that does not say."""
    if settings.stripe is None:
        return None
    word = settings.stripe.secret_key.reveal().split("_")[1:2]
    return word == ["live"] if word in (["live"], ["test"]) else None


def _page(reach: Reach, story: Story) -> str:
    id_ = story.intent.id if story.intent else story.absent
    return dashboard(reach, "payments", id_) if id_ else dashboard(reach, "payments", "")


def _likely(story: Story) -> Callable[[Mapping[str, Any], Told | None], str]:
    """The words of a reconciliation for the likely cause, from the same evidence."""

    def say(facts: Mapping[str, Any], told: Told | None) -> str:
        clue = None
        if told is not None and told.event is not None:
            rows = story.logged.get(told.event.id, ())
            logged, error = "absent" if story.log_seen else "", ""
            if rows:
                from payops.sources.event_log import word_of

                logged, error = word_of(rows[0]), rows[0].error or ""
            clue = Clue(
                told.event.id,
                told.event.type,
                told.event.pending_webhooks > 0,
                logged,
                error,
            )
        blank = dict.fromkeys(
            (
                "word",
                "stripe_status",
                "true_state",
                "book",
                "meta_local",
                "earlier",
                "minor",
                "took",
            )
        )
        if told is not None and told.unmade is not None:
            return f"Stripe made no {told.unmade.type} of it: that happens, by its own documents"
        if told is not None and told.way is not None and told.way.certain:
            return told.way.said
        return likely_cause({**blank, **facts}, clue)

    return say


def trace(
    settings: Settings,
    asks: Sequence[Ask],
    deadline: Deadline,
    *,
    probe: bool = True,
) -> Report:
    """Trace each id. Raises UsageError for what is none."""
    tracer = Tracer(settings, deadline, probe=probe)
    try:
        return tracer.report(tracer.traced(asks))
    finally:
        tracer.close()


def severity(one: Trace) -> Status:
    """The status of one trace: its first divergences' worst, WARN for a dispute to be answered."""
    from payops.domain.status import worst

    waiting = [
        Status.WARN
        for dispute in one.story.disputes
        if dispute.status in ("needs_response", "warning_needs_response")
    ]
    return worst([Status.OK, *waiting, *(each.severity for each in one.found)])
