"""`payops health`: asks every chosen check and reports what they found."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from payops.checks.contract import Context
from payops.config.settings import Settings
from payops.domain.deadline import Deadline
from payops.domain.report import Report
from payops.domain.window import Window
from payops.engine.earlier import Readings
from payops.engine.had_here import had_here
from payops.engine.runner import Fault, run
from payops.engine.thresholds import checks_in_force
from payops.sources import Sources, borrowed


def examine(
    settings: Settings,
    ids: Sequence[str],
    *,
    window: Window,
    deadline: Deadline,
    on_fault: Fault | None = None,
    earlier: Readings | None = None,
    sources: Sources | None = None,
) -> Report:
    """Run the checks with these ids side by side; never later than `deadline`.

    `earlier` is what the run before measured: rates and growth need two readings. `sources` are
    those of a run that this is a part of.

    Raises ConfigError when the configuration's thresholds do not fit the checks.
    """
    started = time.monotonic()
    now = datetime.now(UTC)
    checks = checks_in_force(ids, settings)
    # The clients give up a little earlier than the run, so that they can still say why.
    with borrowed(sources, settings, deadline.sooner(0.1, at_most=0.5)) as asked:
        ctx = Context(
            settings,
            asked,
            window,
            now,
            deadline,
            earlier=earlier or {},
            had=partial(had_here, settings, asked),
        )
        results = run(checks, ctx, on_fault)
        return Report(
            command="health",
            generated_at=now,
            environment=settings.environment,
            checks=results,
            stripe_calls=asked.stripe_calls(),
            duration_ms=round((time.monotonic() - started) * 1000),
        )
