"""What a reporting command says: the results, and the worst of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from payops.domain.plot import Plot
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.table import Table

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Report:
    """A finished run of one command.

    `generated_at` is aware UTC, `environment` the configured name, `stripe_calls` how many
    requests it cost, `duration_ms` the wall time. `extra` holds a command's own JSON sections
    beside `checks` (DESIGN: totals, hypotheses, timeline, breakers), `tables` what is shown as one
    by every output, in JSON under its id; `plots` what outputs for people draw of them.
    """

    command: str
    generated_at: datetime
    environment: str
    checks: tuple[CheckResult, ...]
    stripe_calls: int = 0
    duration_ms: int = 0
    extra: Mapping[str, object] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    plots: tuple[Plot, ...] = ()

    @property
    def status(self) -> Status:
        """The worst of the checks that are not advisory.

        Of advisory results alone, their worst: somebody asked for just them.
        """
        binding = [check.status for check in self.checks if not check.advisory]
        if all(status is Status.SKIP for status in binding):
            return worst(check.status for check in self.checks)
        return worst(binding)
