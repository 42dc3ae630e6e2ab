"""Which of the events that Stripe owes this side has had: by the event log, the keys in Redis, the
ledger, and the journal of what payops sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.domain.webhook import Had, PathEvent
    from payops.sources import Sources


def had_here(
    settings: Settings, sources: Sources, events: Sequence[PathEvent], as_of: datetime
) -> Had:
    """Never raises for what a source does: what gives no answer has had nothing. `as_of` is when
    Stripe told of the events, aware UTC."""
    from payops.engine.sent_again import sent_again
    from payops.webhooks.gather import KEPT, known
    from payops.webhooks.had import had_of

    path = known(settings, sources, events, as_of)
    dedupe = settings.webhooks.dedupe
    return had_of(
        replace(path, sent_again=sent_again(settings, as_of - KEPT)),
        marked_before=dedupe is not None and dedupe.marked == "before",
    )
