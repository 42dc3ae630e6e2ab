"""`payops connections [ID]`: outside processors, what is collected, what commission is owed.

The checks are health's own (family `external`). With an ID they judge that connection alone, and
the tables are of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from payops.checks import check_ids
from payops.checks.contract import Context
from payops.checks.outside import Connections, connections_of
from payops.domain.duration import utc_text
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.window import Window
from payops.engine.connections_tables import tables
from payops.engine.runner import Fault, run
from payops.engine.thresholds import checks_in_force
from payops.engine.untold import untold
from payops.errors import NotConfiguredError, SourceError, UsageError
from payops.sources import Sources

if TYPE_CHECKING:
    from payops.checks.contract import NamedCheck
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.external import ConnectionSales, Owed, OwedRow, OwnerPaid
    from payops.sources.external_state import OutsideState
    from payops.sources.postgres import PostgresSource

T = TypeVar("T")

FAMILY = "external"
MOST_ROWS = 1_000
# Of one connection only what is its own can be judged.
_OF_ONE = ("connections", "silent", "tokens", "webhooks")


@dataclass(frozen=True)
class Found:
    """What was asked for the tables. A part that gave no answer is empty, and why stands in
    `untold` by the table's id."""

    window: Window
    as_of: datetime
    connections: Connections | None = None
    owed: tuple[Owed, ...] = ()
    open: tuple[OwedRow, ...] = ()
    sales: tuple[ConnectionSales, ...] = ()
    owners: tuple[OwnerPaid, ...] = ()
    only: str | None = None
    silence_s: float | None = None
    untold: dict[str, SourceError | NotConfiguredError] = field(default_factory=dict)


def connections(
    settings: Settings,
    since: timedelta,
    deadline: Deadline,
    *,
    only: str | None = None,
    on_fault: Fault | None = None,
) -> Report:
    """All connections, or the one with the key `only`; sums of transactions are of `since` back
    from the database's clock. Raises ConfigError for a threshold that fits nothing and UsageError
    for a connection that is not there; nothing else that the database does."""
    started, now = time.monotonic(), datetime.now(UTC)
    ids = [id_ for id_ in check_ids() if id_.startswith(f"{FAMILY}.")]
    checks = checks_in_force(ids, settings)
    sources = Sources(settings, deadline.sooner(0.1, at_most=0.5))
    found: Found | None = None
    results: tuple[CheckResult, ...]
    try:
        ctx = Context(settings, sources, Window(now - since, now), now, deadline)
        if only is None:
            results = run(checks, ctx, on_fault)
            found = _gathered(settings, sources, since, None, checks)
        else:
            found = _gathered(settings, sources, since, only, checks)
            results = _of_one(found, settings, checks, only, now)
    except (SourceError, NotConfiguredError) as error:
        if only is not None:
            results = tuple(
                one.signed(untold(settings, error, now), now, 0)
                for one in checks
                if one.id.partition(".")[2] in _OF_ONE
            )
    finally:
        sources.close()
    return Report(
        command="connections" if only is None else f"connections {only}",
        generated_at=now,
        environment=settings.environment,
        checks=results,
        stripe_calls=sources.stripe_calls(),
        duration_ms=round((time.monotonic() - started) * 1000),
        extra={
            "window": {
                "since": utc_text(found.window.since),
                "until": utc_text(found.window.until),
            }
            if found
            else None,
            "untold": {part: str(error) for part, error in found.untold.items()} if found else {},
        },
        tables=tables(found, settings) if found else (),
    )


def _gathered(
    settings: Settings,
    sources: Sources,
    since: timedelta,
    only: str | None,
    checks: tuple[NamedCheck, ...],
) -> Found:
    if settings.external is None:
        raise NotConfiguredError("not used here: no outside processors are mapped (external)")
    from payops.sources.external_state import OutsideState

    postgres = sources.postgres
    clock = postgres.server().now
    asking = _Asking(OutsideState(postgres, settings), postgres, settings)
    silence = next((one.limits["silence"] for one in checks if one.id == "external.silent"), None)
    return asking.found(Window(clock - since, clock), only, silence.warn if silence else None)


class _Asking:
    """Asks table after table; the first failure of the whole dependency ends it."""

    def __init__(self, state: OutsideState, postgres: PostgresSource, settings: Settings) -> None:
        self._state = state
        self._postgres = postgres
        self._settings = settings
        self._untold: dict[str, SourceError | NotConfiguredError] = {}

    def found(self, window: Window, only: str | None, silence_s: float | None) -> Found:
        external = self._settings.external
        assert external is not None  # noqa: S101  asked before
        seen = self._asked("connections", lambda: self._state.connections(MOST_ROWS, only))
        rows = seen.rows if seen else ()
        if only is not None and seen is not None and not rows:
            known = self._state.connections(10).rows
            raise UsageError(
                f"there is no connection {only!r}",
                hint=f"there are: {', '.join(row.id for row in known) or 'none'}",
            )
        mapped = external.connections
        words = external.collections
        bad = (*words.processing, *words.failed) if words else ()
        owed = self._asked("collections", lambda: self._state.owed(of=only))
        first = self._asked(
            "open_collections", lambda: self._state.owed_first(bad, MOST_ROWS, of=only)
        )
        sales = self._asked("commissions", lambda: self._sales(window))
        owners = self._asked("owners", lambda: self._state.owners(MOST_ROWS))
        whose = {row.owner for row in rows}
        return Found(
            window=window,
            as_of=window.until,
            connections=(
                connections_of(mapped, rows, seen.as_of, more=seen.more)
                if seen is not None and mapped is not None
                else None
            ),
            owed=owed.rows if owed else (),
            open=first.rows if first else (),
            sales=tuple(one for one in sales or () if only is None or one.connection == only),
            owners=tuple(
                one for one in (owners.rows if owners else ()) if only is None or one.owner in whose
            ),
            only=only,
            silence_s=silence_s,
            untold=self._untold,
        )

    def _sales(self, window: Window) -> tuple[ConnectionSales, ...]:
        from payops.sources.external_sums import connection_sales

        return connection_sales(self._postgres, self._settings, window)

    def _asked(self, part: str, ask: Callable[[], T]) -> T | None:
        try:
            return ask()
        except NotConfiguredError as error:
            self._untold[part] = error
        except SourceError as error:
            if error.does_not_answer:
                raise
            self._untold[part] = error
        return None


def _of_one(
    found: Found, settings: Settings, checks: tuple[NamedCheck, ...], only: str, now: datetime
) -> tuple[CheckResult, ...]:
    """Health's own judgement, of one connection."""
    results = []
    for named in checks:
        name = named.id.partition(".")[2]
        if name not in _OF_ONE:
            continue
        if found.connections is None:
            error = found.untold.get("connections") or NotConfiguredError("not used here")
            result = untold(settings, error, now)
        else:
            result = named.check.judge(_facts(name, found.connections, settings), named.limits)
        # What it would say next is this very command.
        kept = tuple(a for a in result.actions if a.command != "payops connections")
        kept = tuple(a for a in kept if a.command != f"payops connections {only}" or a.text)
        results.append(named.signed(replace(result, actions=kept), now, 0))
    return tuple(results)


def _facts(name: str, rows: Connections, settings: Settings) -> object:
    from payops.checks.external import connections as works
    from payops.checks.external import silent, tokens, webhooks

    external = settings.external
    assert external is not None  # noqa: S101  it was asked
    assert external.connections is not None  # noqa: S101
    columns = external.connections.columns
    if name == "connections":
        remedies = settings.remedies.items()
        table = external.connections.table
        return works.Facts(rows, works.remedy_of(table, remedies))
    if name == "silent":
        return silent.Facts(rows)
    if name == "tokens":
        return tokens.Facts(rows, bool(columns.expires_at))
    return webhooks.Facts(rows, bool(columns.webhook_url), bool(columns.webhook_secret))
