"""A trace in JSON, as DESIGN has it: `timeline` and `first_divergence`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from payops.domain.timeline import Balances, Clock, Divergence, Entry, balances, kept
from payops.trace.found import Candidate, Found
from payops.trace.reach import Unseen


def entries_json(entries: Sequence[Entry], asked: str = "") -> list[dict[str, object]]:
    """Entries in their order, each with the account of the payment after it."""
    accounts = balances(entries)
    return [
        ({"asked": asked} if asked else {}) | _entry(entry, account)
        for entry, account in zip(entries, accounts, strict=True)
    ]


def _entry(entry: Entry, account: Balances) -> dict[str, object]:
    money = entry.money
    return {
        "at": entry.at,
        "source": entry.source,
        "what": entry.what,
        "kind": entry.kind,
        "id": entry.id or None,
        "status": entry.status or None,
        "happened": entry.happened.value,
        "money": {"currency": money.currency, "minor": money.minor} if money else None,
        "account": [{"currency": currency, **of} for currency, of in sorted(account.items())],
        "kept": [{"currency": one.currency, "minor": one.minor} for one in kept(account)],
        "told_at": entry.told_at,
        "detail": dict(entry.detail),
    }


def divergence_json(found: Divergence | None, asked: str = "") -> dict[str, object] | None:
    """A divergence; None for none."""
    if found is None:
        return None
    money = found.money
    return ({"asked": asked} if asked else {}) | {
        "at": found.at,
        "sentence": found.sentence,
        "class": found.match_class or None,
        "cause": found.cause or None,
        "severity": found.severity.value,
        "likely": found.likely,
        "confidence": found.confidence,
        "for": list(found.for_),
        "against": list(found.against),
        "event": found.event or None,
        "money": {"currency": money.currency, "minor": money.minor} if money else None,
        "actions": [{"text": each.text, "command": each.command} for each in found.actions],
    }


def clock_json(clock: Clock) -> dict[str, object]:
    """A clock less ours, in seconds."""
    return {
        "source": clock.source,
        "offset_s": round(clock.offset_s, 3),
        "within_s": round(clock.within_s, 3),
        "skewed": clock.skewed,
    }


def unseen_json(one: Unseen) -> dict[str, object]:
    """What could not be seen."""
    return {"source": one.source, "what": one.what, "why": one.why, "hint": one.hint}


def candidate_json(one: Candidate) -> dict[str, object]:
    """A payment that may be meant."""
    money = one.money
    return {
        "id": one.ask,
        "what": one.what,
        "at": one.at,
        "money": {"currency": money.currency, "minor": money.minor} if money else None,
        "status": one.status or None,
    }


def found_json(found: Found) -> Mapping[str, object]:
    """What an id means."""
    return {
        "is": found.is_,
        "answer": found.answer or None,
        "notes": list(found.notes),
        "candidates": [candidate_json(one) for one in found.candidates],
    }
