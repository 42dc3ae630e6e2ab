"""A trace as a report: a result for each payment, its timeline as a table, and both in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Evidence
from payops.domain.money import Money, MoneyAtRisk
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.table import Column, Table
from payops.domain.text import shortened
from payops.domain.timeline import Entry, Happened, balances, kept
from payops.engine.trace_json import (
    clock_json,
    divergence_json,
    entries_json,
    found_json,
    unseen_json,
)
from payops.engine.untold import status_of
from payops.trace.finding import true_state
from payops.trace.meanings import of_intent
from payops.trace.reach import Reach

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.engine.trace import Trace, Traced
    from payops.trace.story import Story

_COLUMNS = (
    Column("at", "At"),
    Column("source", "Source"),
    Column("what", "What", wide=True),
    Column("amount", "Amount", money=True),
    Column("kept", "Kept", money=True),
)
_CANDIDATES = (
    Column("id", "Ask for"),
    Column("at", "Made"),
    Column("what", "What", wide=True),
    Column("amount", "Amount", money=True),
    Column("status", "Status"),
)
_MARKS = {Happened.YES: "", Happened.DUE: "expected: ", Happened.MISSING: "MISSING: "}
_LONGEST = 100


def report_of(
    settings: Settings, reach: Reach, traced: Sequence[Traced], *, calls: int, duration_ms: int
) -> Report:
    """All that was traced. In JSON `timeline` and `first_divergence` are those of the only payment,
    or of all in one; `traces` has each."""
    traces = [each for one in traced for each in one.traces]
    checks: list[CheckResult] = []
    tables: list[Table] = []
    number = 0
    for one in traced:
        if not one.traces and (one.found.answer or not one.checks):
            checks.append(_answer(reach, one, known=bool(one.checks)))
            if one.found.candidates:
                tables.append(_candidates(one))
        for each in one.traces:
            number += 1
            checks.append(_result(settings, reach, each))
            tables += _tables(each, "" if number == 1 else f"_{number}")
        checks += one.checks
        tables += one.tables
    checks += _down(settings, reach)
    return Report(
        command="trace",
        generated_at=reach.now,
        environment=settings.environment,
        checks=tuple(checks),
        stripe_calls=calls,
        duration_ms=duration_ms,
        tables=tuple(tables),
        extra=_json(reach, traced, traces),
    )


def _json(reach: Reach, traced: Sequence[Traced], traces: Sequence[Trace]) -> dict[str, Any]:
    several = len(traces) > 1
    lines = [
        line for each in traces for line in entries_json(each.entries, each.name if several else "")
    ]
    firsts = [(each.first.at, each) for each in traces if each.first is not None]
    first = min(firsts, key=lambda pair: (pair[0], pair[1].name))[1] if firsts else None
    document: dict[str, Any] = {
        "timeline": sorted(lines, key=lambda line: str(line["at"])) if several else lines,
        "first_divergence": divergence_json(first.first, first.name if several else "")
        if first
        else None,
        "asked": [{"asked": one.asked, **found_json(one.found)} for one in traced],
        "traces": [_trace_json(each) for each in traces],
        "clocks": [clock_json(reach.clocks[name]) for name in sorted(reach.clocks)],
    }
    for one in traced:
        document |= one.extra
    return document


def _trace_json(each: Trace) -> dict[str, Any]:
    story, intent = each.story, each.story.intent
    return {
        "asked": each.asked,
        "is": each.is_,
        "payment_intent": intent.id if intent and not story.made_of_charge else None,
        "status": intent.status if intent else None,
        "meaning": of_intent(intent.status) if intent else None,
        "livemode": intent.livemode if intent else None,
        "rows": [
            {"ledger": one.name, "id": one.key, "status": one.row.status} for one in story.rows
        ],
        "timeline": entries_json(each.entries),
        "first_divergence": divergence_json(each.first),
        "divergences": [divergence_json(one) for one in each.found],
        "unseen": [unseen_json(one) for one in story.unseen],
        "dashboard": each.dashboard,
        "stripe_calls": each.calls,
    }


def _result(settings: Settings, reach: Reach, each: Trace) -> CheckResult:
    from payops.engine.trace import severity

    story, first = each.story, each.first
    status = severity(each)
    unseen = [one for one in story.unseen if one.source not in reach.down]
    blind = first is None and any(one.error is not None for one in story.unseen)
    if blind and status is Status.OK:
        status = Status.UNKNOWN
    summary = first.sentence if first else _agreed(each, blind)
    evidence = [Evidence(text, "trace", reach.now) for text in _told(each)]
    evidence += [
        Evidence(f"not seen: {one.what} ({one.source}): {one.why}", one.source, reach.now)
        for one in unseen
    ]
    money = first.money if first else None
    return CheckResult(
        status=status,
        summary=shortened(summary, 500),
        source=first.source if first else "stripe+postgres+redis",
        as_of=reach.now,
        since=first.at if first and first.at <= reach.now else None,
        measured={"divergences": len(each.found), "entries": len(each.entries)},
        evidence=tuple(evidence),
        actions=_actions(each),
        money_at_risk=(MoneyAtRisk(money.currency, money.minor, 1),) if money else (),
        id="trace.payment",
        title=_title(each),
    )


def _title(each: Trace) -> str:
    if each.asked == each.name or not each.asked:
        return each.name
    return f"{shortened(each.asked, 40)}: {each.name}"


def _agreed(each: Trace, blind: bool) -> str:
    """What a healthy payment is, in a sentence."""
    story, intent = each.story, each.story.intent
    parts = []
    if intent is not None:
        parts.append(f"{intent.status}, {Money(intent.currency, intent.amount)}")
    elif story.stripe_seen and not story.sessions:
        parts.append("nothing at Stripe")
    for row in story.rows[:2]:
        parts.append(f"row {row.key} says {row.row.status}")
    said = "; ".join(parts) or "nothing is known of it"
    if blind:
        return f"{said}; no disagreement in what could be seen, which is not all"
    one_sided = not story.rows or intent is None
    return f"{said}: " + ("nothing contradicts it" if one_sided else "every side agrees")


def _told(each: Trace) -> Iterator[str]:
    """What a person wants to know beside the sentence."""
    story, first = each.story, each.first
    if each.is_ and each.is_ != each.name:
        yield each.is_
    intent = story.intent
    if intent is not None:
        meaning = of_intent(intent.status)
        yield f"{intent.status}" + (f": {meaning}" if meaning else "")
    if first is not None:
        if first.likely and first.likely not in first.sentence:
            yield f"likely: {first.likely} ({first.confidence} confidence)"
        else:
            yield f"{first.confidence} confidence"
        yield from (f"for: {text}" for text in first.for_)
        yield from (f"against: {text}" for text in first.against)
        for later in each.found[1:4]:
            yield f"then, {later.at:%Y-%m-%d %H:%M:%S}: {later.sentence}"
    for clock in (story.clocks[name] for name in sorted(story.clocks)):
        if clock.skewed:
            way = "ahead" if clock.offset_s > 0 else "behind"
            yield (
                f"{clock.source}'s clock is {human_duration(abs(clock.offset_s))} {way}: its times "
                "are moved to ours"
            )


def _actions(each: Trace) -> tuple[Action, ...]:
    if each.first is not None:
        return each.first.actions
    story = each.story
    found = []
    for dispute in story.disputes:
        if dispute.status.endswith("needs_response"):
            found.append(Action(f"answer {dispute.id} in the Dashboard: evidence counts once"))
    state = true_state(story)
    if state in ("processing", "action", "held"):
        found.append(Action("wait for what comes next", f"payops trace {each.name} --follow"))
    if story.intent is not None or story.absent:
        found.append(Action(f"open {each.dashboard}"))
    return tuple(found)


def _tables(each: Trace, suffix: str) -> list[Table]:
    first = each.first
    rows = []
    for entry, account in zip(each.entries, balances(each.entries), strict=True):
        left = kept(account)
        here = first is not None and entry is _at_divergence(each)
        rows.append(
            (
                entry.at,
                entry.source,
                _MARKS[entry.happened] + entry.what + (" <== here the sides part" if here else ""),
                entry.money,
                left[0] if len(left) == 1 else None,
            )
        )
    account = balances(each.entries)[-1] if each.entries else {}
    words = ("authorized", "captured", "refunded", "disputed", "fee", "net")
    money = Table(
        f"money{suffix}",
        "Money",
        (Column("currency", "Currency"), *(Column(w, w.capitalize(), money=True) for w in words)),
        tuple(
            (
                currency,
                *(Money(currency, of[word]) if word in of else None for word in words),
            )
            for currency, of in sorted(account.items())
        ),
        note="" if account else _why_no_money(each.story),
    )
    note = "times are UTC, on this machine's clock"
    unseen = ", ".join(sorted({f"{one.what} ({one.source})" for one in each.story.unseen}))
    if unseen:
        note += f"; not seen: {unseen}"
    return [
        Table(f"timeline{suffix}", f"Timeline of {each.name}", _COLUMNS, tuple(rows), note),
        money,
    ]


def _why_no_money(story: Story) -> str:
    """Stripe alone tells what moved: without its side nothing is said of it."""
    if not story.stripe_seen:
        return "what moved is not known: Stripe's side was not seen"
    return "no money has moved"


def _at_divergence(each: Trace) -> Entry | None:
    """The entry at which the sides part: the first that is not before it."""
    first = each.first
    if first is None:
        return None
    later = [
        entry
        for entry in each.entries
        if entry.at.replace(microsecond=0) >= first.at.replace(microsecond=0)
    ]
    own = [entry for entry in later if first.event and entry.id == first.event]
    return next(iter(own or later), each.entries[-1] if each.entries else None)


def _answer(reach: Reach, one: Traced, *, known: bool) -> CheckResult:
    """Why there is no story; with `known` the sale is there, and was never paid."""
    found = one.found
    status = Status.UNKNOWN if found.unknown and not known else Status.OK
    evidence = [Evidence(note, "trace", reach.now) for note in found.notes]
    evidence += [
        Evidence(f"not seen: {each.what} ({each.source}): {each.why}", each.source, reach.now)
        for each in reach.unseen
    ]
    return CheckResult(
        status=status,
        summary=shortened(found.answer or f"{one.asked}: nothing was found", 500),
        source="stripe+postgres",
        as_of=reach.now,
        evidence=tuple(evidence),
        actions=(
            *found.actions,
            *(
                Action(f"trace {each.what}", f"payops trace {each.ask}")
                for each in found.candidates[:3]
            ),
        ),
        id="trace.payment",
        title=shortened(one.asked, _LONGEST),
    )


def _candidates(one: Traced) -> Table:
    return Table(
        "candidates",
        f"What {shortened(one.asked, 60)} may mean"
        if one.found.unknown
        else f"Payments: {shortened(one.found.is_, 60)}",
        _CANDIDATES,
        tuple(
            (each.ask, each.at, each.what, each.money, each.status or None)
            for each in one.found.candidates
        ),
    )


def _down(settings: Settings, reach: Reach) -> Iterator[CheckResult]:
    """A result for each source that gave no answer: the rest was traced without it."""
    for source in sorted(reach.down):
        error = reach.down[source]
        yield CheckResult(
            status_of(settings, error),
            f"{source} does not answer, so the trace lacks its side: {error.told}",
            source=source,
            as_of=reach.now,
            actions=(
                *((Action(error.hint),) if error.hint else ()),
                Action("see what is wrong with it", f"payops health --only {source}.connect")
                if source in ("postgres", "redis")
                else Action("see what is wrong with it", "payops health --only stripe.api"),
            ),
            id=f"trace.{source}",
            title=f"{source} answers",
        )
