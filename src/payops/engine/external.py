"""`payops reconcile external`: outside processors' connections, collections and commissions."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from payops.domain.duration import utc_text
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.threshold import Limits
from payops.engine.external_asked import Answer, Asked
from payops.engine.external_collections import collections
from payops.engine.external_commission import commissions
from payops.engine.external_totals import totals
from payops.engine.reconcile_limits import EXTERNAL
from payops.engine.thresholds import limits_in_force
from payops.engine.untold import untold
from payops.errors import NotConfiguredError, SourceError
from payops.reconcile.external_terms import ROUNDING, Terms
from payops.sources import Sources, borrowed

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.window import Window

# Whole tables are added up: health's statement timeout is for health's questions.
_STATEMENT_S = 60.0
# The report's section, the check's id and title, and who answers it.
_CHECKS: tuple[tuple[str, str, str, Callable[[Asked], Answer]], ...] = (
    ("connections", "external.totals", "Connections are the sum of their transactions", totals),
    ("collections", "external.collections", "Collections name what is there", collections),
    ("transactions", "external.commission", "Commissions are amount x rate", commissions),
)


def reconcile_external(
    settings: Settings,
    window: Window | None,
    deadline: Deadline,
    sources: Sources | None = None,
) -> Report:
    """Hold outside processors' rows against each other. `window` is of the rows' creation; None is
    all times, and a connection's totals are of all times always. Raises ConfigError for a threshold
    that fits nothing, and nothing that the database does: a check that cannot be told says so, and
    hides no other. `sources` are those of a run that this is a part of."""
    started, now = time.monotonic(), datetime.now(UTC)
    limits = limits_in_force(settings, EXTERNAL)
    checks: list[CheckResult] = []
    sections: dict[str, list[Mapping[str, Any]]] = {}
    with borrowed(sources, _patient(settings), deadline) as lent:
        for section, id_, title, ask in _CHECKS:
            sections[section] = []
            try:
                asked = _asked(settings, lent, window, now, limits[id_])
                result, sections[section] = ask(asked)
            except (SourceError, NotConfiguredError) as error:
                result = untold(settings, error, now)
            checks.append(replace(result, id=id_, title=title, limits=limits[id_]))
    edges = {"since": utc_text(window.since), "until": utc_text(window.until)} if window else None
    return Report(
        command="reconcile external",
        generated_at=now,
        environment=settings.environment,
        checks=tuple(checks),
        duration_ms=round((time.monotonic() - started) * 1000),
        extra={"window": edges, "rounding": ROUNDING, **sections},
    )


def _patient(settings: Settings) -> Settings:
    from msgspec.structs import replace as changed

    from payops.config.section import Duration

    if settings.postgres is None:
        return settings
    limit = Duration(max(settings.postgres.statement_timeout, _STATEMENT_S))
    return changed(settings, postgres=changed(settings.postgres, statement_timeout=limit))


def _asked(
    settings: Settings, sources: Sources, window: Window | None, now: datetime, limits: Limits
) -> Asked:
    external = settings.external
    if external is None or external.transactions is None:
        raise NotConfiguredError(
            "not used here: no outside processors' transactions are mapped",
            hint="map external.transactions and a ledger of kind external",
        )
    wanted = external.transactions.ledger
    ledger = (
        settings.ledgers.get(wanted)
        if wanted
        else next((one for one in settings.ledgers.values() if one.kind == "external"), None)
    )
    if ledger is None:
        raise NotConfiguredError("not used here: no ledger of kind external is mapped")
    terms = Terms.of(
        {str(word): values for word, values in ledger.statuses.items()},
        match_case=ledger.match_case,
        percent=external.transactions.rate_unit == "percent",
        in_minor=ledger.amount_unit == "minor",
    )
    postgres = sources.postgres
    from payops.sources.external import ExternalReader

    reader = ExternalReader(postgres, ledger, external, external.transactions, window)
    return Asked(
        settings, reader, ledger, external, external.transactions, terms, window, now, limits
    )
