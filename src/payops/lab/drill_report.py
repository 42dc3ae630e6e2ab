"""What a drill came to: repaired or not, how long it took, who said what, what was used, what money
stayed lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from payops.domain.deadline import Deadline
from payops.domain.duration import human_duration, utc_text
from payops.domain.evidence import Action
from payops.domain.money import MoneyAtRisk
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.runbook import Runbook
from payops.domain.runbook_run import Run
from payops.domain.status import Status
from payops.domain.table import Column, Table
from payops.domain.window import Window
from payops.errors import PayopsError
from payops.lab.drill import Left, info_of
from payops.lab.drill_record import Drill, Said
from payops.lab.scenario import load_scenario

_USED = (Column("at", "At"), Column("after", "After"), Column("what", "What was done", wide=True))
_LEFT = (Column("what", "What still stands", wide=True),)
_UNSEEN = "something that no check sees"
_MONEY_S = 60.0
Entry = Mapping[str, Any]


def when_repaired(drill: Drill, entries: Sequence[Entry], now: datetime) -> datetime:
    """When the last thing was done that repaired it, as far as the journal and the people outside
    tell; now, where neither tells of any."""
    done = [
        datetime.fromisoformat(entry["at"])
        for entry in entries
        if entry["kind"] == "outcome" and entry.get("result") == "done"
    ]
    done += [one.at for one in drill.helped]
    return max(done, default=now)


def running(drill: Drill, left: Left, directory: Path) -> Report:
    """Where a drill stands, which names nothing that may not be known."""
    now = datetime.now(UTC)
    shown = left if not drill.blind else Left(left.by_checks, (_UNSEEN,) if left.unseen else ())
    return Report(
        command="drill --check",
        generated_at=now,
        environment=info_of(directory).environment,
        checks=(_repaired(left, now), _time(drill, left, now)),
        tables=_left(shown),
        extra={"drill": _told(drill, now, over=False)},
    )


def ended(
    drill: Drill,
    left: Left,
    directory: Path,
    entries: Sequence[Entry],
    pages: Sequence[Runbook],
) -> Report:
    """The whole of it, with what it was."""
    now = datetime.now(UTC)
    said = diagnoses(drill, entries, pages)
    money, why = lost(directory)
    told = _told(drill, now, over=True)
    first = next((one for one in said if one.right), None)
    return Report(
        command="drill",
        generated_at=now,
        environment=info_of(directory).environment,
        checks=(
            _what_it_was(drill, now),
            _repaired(left, now),
            _time(drill, left, now),
            _diagnosed(drill, said, now),
            _money(money, why, now),
        ),
        duration_ms=round(drill.elapsed_s(now) * 1000),
        tables=(*_left(left), _used(drill, entries)),
        extra={
            "drill": {
                **told,
                "diagnosed_s": _seconds(drill, first.at) if first else None,
                "said": [
                    {"at": utc_text(one.at), "what": one.what, "right": one.right} for one in said
                ],
                "outside": [
                    {"at": utc_text(one.at), "what": load_scenario(one.scenario).outside}
                    for one in drill.helped
                ],
            }
        },
    )


def diagnoses(drill: Drill, entries: Sequence[Entry], pages: Sequence[Runbook]) -> tuple[Said, ...]:
    """What was thought, in its order: what the person said, and the runbooks that were begun. A
    runbook is right where it is the one for it."""
    right = {
        page.id
        for page in pages
        for suspect in page.suspects
        if any(suspect.scenario in load_scenario(name).told_as for name in drill.scenarios)
    }
    begun = [Said(run.started, run.runbook, run.runbook in right) for run in _runs(entries)]
    return tuple(sorted((*drill.said, *begun), key=lambda one: one.at))


def lost(directory: Path) -> tuple[tuple[MoneyAtRisk, ...], str]:
    """The money that both sides still differ by, and why that is not known, where it is not."""
    from payops.config.load import load
    from payops.engine.reconcile import ReconcileOptions, reconcile

    info, now = info_of(directory), datetime.now(UTC)
    window = Window(now - timedelta(seconds=info.since_s) - timedelta(hours=1), now)
    options = ReconcileOptions(window=window, look_for_causes=False, fresh=True)
    try:
        settings = load(info.config).settings
        report = reconcile(settings, options, Deadline.after(_MONEY_S)).report
    except PayopsError as error:
        return (), str(error)
    sums: dict[str, tuple[int, int]] = {}
    for check in report.checks:
        for one in check.money_at_risk if check.status in (Status.WARN, Status.CRIT) else ():
            minor, count = sums.get(one.currency, (0, 0))
            sums[one.currency] = (minor + one.minor, count + one.count)
    silent = [check.summary for check in report.checks if check.status is Status.UNKNOWN]
    money = tuple(MoneyAtRisk(currency, *sum_) for currency, sum_ in sorted(sums.items()))
    return money, "; ".join(dict.fromkeys(silent))


# ── its parts ────────────────────────────────────────────────────────────────────────────────────


def _what_it_was(drill: Drill, now: datetime) -> CheckResult:
    told = [f"{load_scenario(name).title} ({name})" for name in drill.ids]
    return CheckResult(
        Status.OK, " and ".join(told), id="drill.scenario", title="It was", as_of=now, advisory=True
    )


def _repaired(left: Left, now: datetime) -> CheckResult:
    count = len(left.by_checks) + len(left.unseen)
    summary = "nothing of it is left" if left.nothing else f"{count} of it still stand{_s(count)}"
    return CheckResult(
        Status.OK if left.nothing else Status.CRIT,
        summary,
        id="drill.repaired",
        title="Is it repaired?",
        as_of=now,
        measured={"left": count},
        actions=() if left.nothing else (Action("See what it is", "payops diagnose"),),
    )


def _s(count: int) -> str:
    return "s" if count == 1 else ""


def _time(drill: Drill, left: Left, now: datetime) -> CheckResult:
    seconds = drill.elapsed_s(drill.repaired if left.nothing and drill.repaired else now)
    target = drill.target_s
    late = seconds > (drill.timeout_s if target is None else target)
    told = human_duration(seconds)
    if target is not None:
        told += f" of {human_duration(target)}"
        told += f": {human_duration(seconds - target)} late" if late else ""
    else:
        told += "; its runbook sets no target"
        told += f", and {human_duration(drill.timeout_s)} are over" if late else ""
    return CheckResult(
        Status.WARN if late else Status.OK,
        told,
        id="drill.time",
        title="Time to repair" if left.nothing else "Time so far",
        as_of=now,
        measured={"seconds": round(seconds), "target": target},
    )


def _diagnosed(drill: Drill, said: Sequence[Said], now: datetime) -> CheckResult:
    first = next((one for one in said if one.right), None)
    wrong = list(dict.fromkeys(one.what for one in said if not one.right))
    if first is not None:
        told = f"{first.what} after {human_duration(_seconds(drill, first.at))}"
        told += f"; thought before, or beside it: {', '.join(wrong)}" if wrong else ""
    elif wrong:
        told = f"never; it was thought to be {', '.join(wrong)}"
    else:
        told = "not known: no runbook was begun, and nobody said what it is"
    status = Status.OK if first is not None else Status.WARN if wrong else Status.SKIP
    return CheckResult(
        status, told, id="drill.diagnosed", title="Time to diagnosis", as_of=now, advisory=True
    )


def _money(money: tuple[MoneyAtRisk, ...], why: str, now: datetime) -> CheckResult:
    if money:
        status, told = Status.WARN, "Stripe and the ledger still differ"
    elif why:
        status, told = Status.UNKNOWN, f"not known: {why}"
    else:
        status, told = Status.OK, "none: Stripe and the ledger agree"
    return CheckResult(
        status,
        told,
        id="drill.money",
        title="Money that stayed lost",
        as_of=now,
        money_at_risk=money,
        advisory=True,
    )


def _left(left: Left) -> tuple[Table, ...]:
    rows = tuple((told,) for told in (*left.by_checks, *left.unseen))
    return (Table("left", "Left of it", _LEFT, rows),) if rows else ()


def _used(drill: Drill, entries: Sequence[Entry]) -> Table:
    done: list[tuple[datetime, str]] = [
        (one.at, f"said: {one.what}" + ("" if one.right else " (it was not)")) for one in drill.said
    ]
    done += [(one.at, f"outside: {load_scenario(one.scenario).outside}") for one in drill.helped]
    for run in _runs(entries):
        done.append((run.started, f"payops runbook run {run.runbook}"))
        done += [
            (taken.began, f"step {taken.step}: {taken.what or taken.title}")
            for taken in run.taken
            if taken.kind in ("run", "plan", "check", "wait")
        ]
    done += [
        (
            datetime.fromisoformat(entry["at"]),
            f"{entry['command']} ({entry['changes']} change{'' if entry['changes'] == 1 else 's'})",
        )
        for entry in entries
        if entry["kind"] == "apply"
    ]
    rows = tuple(
        (at, timedelta(seconds=max(0, round(_seconds(drill, at)))), what)
        for at, what in sorted(done)
    )
    note = "" if rows else "nothing that leaves a trace: payops writes changes and runbooks down"
    return Table("used", "What was done", _USED, rows, note)


def _runs(entries: Sequence[Entry]) -> Iterator[Run]:
    from payops.engine.runbook_log import runs

    yield from runs(dict(entry) for entry in entries)


def _seconds(drill: Drill, at: datetime) -> float:
    return (at - drill.began).total_seconds()


def _told(drill: Drill, now: datetime, *, over: bool) -> dict[str, object]:
    shown = over or not drill.blind
    return {
        "scenarios": list(drill.ids) if shown else None,
        "blind": drill.blind,
        "severity": drill.severity,
        "preset": drill.preset,
        "seed": drill.seed,
        "began": utc_text(drill.began),
        "elapsed_s": round(drill.elapsed_s(now)),
        "target_s": drill.target_s,
        "repaired_s": round(_seconds(drill, drill.repaired)) if drill.repaired else None,
    }
