"""Which events payops itself has sent again, by its journal.

Without that the repair of an incident would look like the next one: what was sent again is handled
late, and Stripe owes it until its own next attempt, which may be hours away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from payops.domain.duration import utc_text
from payops.domain.plan_outcome import Result
from payops.engine.journal_chain import Entry

if TYPE_CHECKING:
    from payops.config.settings import Settings

_CHANGE = "replay:"  # as a plan of a replay calls the sending of one event


def sent_again(settings: Settings, since: datetime) -> frozenset[str]:
    """The ids of events that an endpoint accepted from payops since then; none where the journal
    cannot be read, which `payops journal` tells."""
    from payops.engine.journal import Journal
    from payops.errors import PayopsError
    from payops.reconcile.spool import state_folder
    from payops.webhooks.replay import shown_url

    try:
        entries = Journal(state_folder(settings)).read().entries
    except PayopsError:
        return frozenset()
    urls = [shown_url(each.url) for each in settings.webhooks.endpoints]
    return accepted(entries, since, urls)


def accepted(entries: Iterable[Entry], since: datetime, urls: Collection[str]) -> frozenset[str]:
    """The events whose sending to one of `urls`, or by Stripe itself, was done. One journal may
    know of several systems, and labs of one seed name their events alike."""
    begin = utc_text(since)
    entries = list(entries)
    elsewhere = {
        entry["seq"]
        for entry in entries
        if entry["kind"] == "intent" and _is_elsewhere(str(entry.get("statement", "")), urls)
    }
    return frozenset(
        str(entry["change"]).removeprefix(_CHANGE)
        for entry in entries
        if entry["kind"] == "outcome"
        and entry.get("result") == Result.DONE.value
        and str(entry.get("change", "")).startswith(_CHANGE)
        and entry["at"] >= begin
        and entry.get("intent") not in elsewhere
    )


def _is_elsewhere(statement: str, urls: Collection[str]) -> bool:
    return "POST http" in statement and not any(f"POST {url} " in statement for url in urls)
