"""The database's part of `payops keys scan`: text and JSON columns of the mapped tables, sampled.

What is named as a secret is never selected: its filled rows are counted. Everything else is read
in small samples, read-only, within the statement timeout.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from payops.config.settings import Settings
from payops.domain.deadline import Deadline
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.engine.untold import untold
from payops.errors import NotConfiguredError, SourceError
from payops.keys.patterns import Kind
from payops.keys.scan_files import Job
from payops.keys.scan_findings import Finding, Place
from payops.keys.scan_window import Window
from payops.sources import Sources
from payops.sources.postgres import PostgresSource
from payops.sources.text_columns import Sample, TextTable, filled, sample, text_table

# Columns whose name says that they hold a secret are treated as keys.never_read are (S3-41).
_SECRET = re.compile(
    r"(?:.*_)?(?:secrets?|passwords?|passwd|(?:api|private|secret|access)_?keys?|credentials?|tokens?"
    r"|connection_data|access_token|refresh_token)",
    re.IGNORECASE,
)


@dataclass
class Columns:
    """What was found in the database, and the result that speaks of its columns."""

    check: CheckResult
    findings: list[Finding] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    rows: int = 0


@dataclass
class _Tally:
    """Along the way: what each table gave, and secret columns with something in them."""

    told: list[str] = field(default_factory=list)
    filled: dict[str, int] = field(default_factory=dict)
    columns: int = 0
    tables: int = 0
    error: SourceError | None = None


def scan_database(
    settings: Settings, job: Job, rows: int, deadline: Deadline, now: datetime
) -> Columns:
    """Sample every mapped table; a table that fails is told and hides no other."""
    sources = Sources(settings, deadline.sooner(0.1, at_most=0.5))
    found, tally = Columns(CheckResult(Status.OK, "")), _Tally()
    try:
        source = sources.postgres
        for name in dict.fromkeys(_mapped(settings)):
            try:
                _scan_table(source, name, settings, job, rows, found, tally)
            except SourceError as error:
                found.failures.append((name, str(error)))
                tally.error = error
                if error.does_not_answer:
                    break
    except NotConfiguredError as error:
        found.check = replace(untold(settings, error, now), id="scan.columns", title=_TITLE)
        found.failures.append(("database", str(error)))
        return found
    finally:
        sources.close()
    found.check = _judged(settings, tally, found, now)
    return found


def _mapped(settings: Settings) -> Iterator[str]:
    for ledger in settings.ledgers.values():
        yield ledger.table
    for log in settings.event_logs.values():
        yield log.table
    if settings.external is not None:
        for section in (settings.external.connections, settings.external.collections):
            if section is not None:
                yield section.table
    yield from settings.keys.never_read


def _scan_table(
    source: PostgresSource,
    name: str,
    settings: Settings,
    job: Job,
    rows: int,
    found: Columns,
    tally: _Tally,
) -> None:
    table = text_table(source, name)
    named = set(settings.keys.never_read.get(name, ()))
    secret = [each for each in table.columns if each in named or _SECRET.fullmatch(each)]
    tally.tables += 1
    for column in secret:
        some = filled(source, table, column)
        if some.filled:
            tally.filled[f"{name}.{column}"] = some.filled
    for missing in sorted(named - set(table.columns)):
        found.failures.append((f"{name}.{missing}", "keys.never_read: there is no such column"))
    texts = tuple(each for each in table.texts if each not in secret)
    if not texts:
        tally.told.append(f"{name}: no text or JSON column to read")
        return
    some_rows = sample(source, table, texts, rows)
    tally.columns += len(texts)
    tally.told.append(_told(name, table, texts, some_rows))
    found.rows += len(some_rows.rows)
    of_events = frozenset(log.table for log in settings.event_logs.values())
    _scan_rows(name, texts, some_rows, job, found, tally, of_events)


def _scan_rows(
    name: str,
    texts: tuple[str, ...],
    some: Sample,
    job: Job,
    found: Columns,
    tally: _Tally,
    of_events: frozenset[str],
) -> None:
    window = Window(job.secrets)
    for number, column in enumerate(texts):
        findings = job.findings()
        for place, row in enumerate(some.rows):
            if value := row.values[number]:
                # The column's name is what names a bare number in it.
                text = f"{column}: {value}".encode("utf-8", "replace")
                for hit in window.whole(text):
                    if hit.number is None or hit.number.passes:
                        findings.add(hit, Place(place))
                    else:
                        findings.add_failing(hit.number)
        settled = findings.settled()
        if name in of_events:
            settled = _not_stripes_own(settled, f"{name}.{column}", tally)
        found.findings += [
            replace(
                each,
                path=f"{name}.{column}",
                row=_masked(some.rows[each.first.offset].key, window),
            )
            for each in settled
        ]
        found.others.update(findings.others)


def _not_stripes_own(
    findings: tuple[Finding, ...], column: str, tally: _Tally
) -> tuple[Finding, ...]:
    """Without client secrets, which Stripe's own events carry: the log of them is where they are
    to be expected. They are told with the columns."""
    own = [each for each in findings if each.kind is Kind.CLIENT_SECRET]
    if own:
        tally.told.append(f"{column}: {len(own):,} client secrets, as Stripe's events carry them")
    return tuple(each for each in findings if each.kind is not Kind.CLIENT_SECRET)


def _masked(key: str, window: Window) -> str:
    """A row's key as a report may show it: it can be a text, with whatever in it."""
    text = key.encode("utf-8", "replace")
    for hit in sorted(window.whole(text), key=lambda hit: -hit.start):
        if hit.number is None or hit.number.passes:
            text = text[: hit.start] + f"[{hit.shown}]".encode() + text[hit.end :]
    return text.decode("utf-8", "replace") or "(a row without a key)"


def _told(name: str, table: TextTable, texts: tuple[str, ...], some: Sample) -> str:
    about = "" if some.whole or table.rows is None else f" of about {table.rows:,}"
    cut = f"; {some.cut:,} values read to their 32,768th character" if some.cut else ""
    return f"{name}: {', '.join(texts)}; rows: {some.how}{about}{cut}"


_TITLE = "Text columns, and columns that hold secrets"


def _judged(settings: Settings, tally: _Tally, found: Columns, now: datetime) -> CheckResult:
    evidence = [
        Evidence(f"{count:,} rows of {column} hold a secret in plain text", "postgres", now)
        for column, count in tally.filled.items()
    ]
    evidence += [Evidence(text, "postgres", now) for text in tally.told]
    if tally.error is not None:
        result = replace(untold(settings, tally.error, now), evidence=tuple(evidence))
    else:
        looked = f"{found.rows:,} rows, {tally.columns} text columns, {tally.tables} tables sampled"
        status, summary = Status.OK, looked
        actions: tuple[Action, ...] = ()
        if tally.filled:
            status = Status.WARN
            summary = f"{len(tally.filled)} columns hold secrets in plain text; {looked}"
            actions = (
                Action("Keep them in a secret store, or encrypted with a key outside the database"),
                Action("See who may read the table, its replicas and its backups"),
            )
        if found.failures:
            status = Status.UNKNOWN
        result = CheckResult(
            status,
            summary,
            source="postgres",
            as_of=now,
            evidence=tuple(evidence),
            actions=actions,
            measured={"tables": tally.tables, "rows": found.rows, **tally.filled},
        )
    return replace(result, id="scan.columns", title=_TITLE)
