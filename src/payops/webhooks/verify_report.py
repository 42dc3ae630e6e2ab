"""A verdict on a signature as a check result, and as JSON's own section."""

from __future__ import annotations

from payops.domain.duration import human_duration
from payops.domain.evidence import Evidence, Scalar
from payops.domain.result import CheckResult
from payops.domain.secret import fingerprint
from payops.domain.signature import TOLERANCE_S
from payops.domain.threshold import Threshold
from payops.webhooks.verify import Verdict

_AGE = Threshold(None, TOLERANCE_S, "s", "Stripe's default tolerance; S3-08")


def result(verdict: Verdict) -> CheckResult:
    """One check: what is wrong first, then what is wrong besides."""
    known = {name: value for name, value in _told(verdict).items() if value is not None}
    what = "the event and its header"
    if verdict.age_s is not None:
        side = "before" if verdict.age_s >= 0 else "after"
        what = f"signed {human_duration(abs(verdict.age_s))} {side} it was received"
    besides = tuple(Evidence(each, "payload", verdict.at) for each in verdict.also)
    return CheckResult(
        status=verdict.status,
        summary="; ".join((verdict.summary, *verdict.also)),
        source="payload",
        as_of=verdict.at,
        measured={} if verdict.age_s is None else {"age": abs(verdict.age_s)},
        limits={} if verdict.age_s is None else {"age": _AGE},
        evidence=(Evidence(what, "payload", verdict.at, known), *besides),
        actions=verdict.actions,
        id="webhooks.verify",
        title="A webhook's signature",
        rows=("S0-15", "S0-29", "S3-08"),
    )


def section(verdict: Verdict) -> dict[str, object]:
    """JSON's `verdict`: the word, the secret that fits by place and fingerprint, what was done."""
    fits = verdict.fits
    return {
        "why": verdict.why.value,
        **_told(verdict),
        "age_s": verdict.age_s,
        "fits": fits and {"place": fits.place, "fingerprint": fingerprint(fits.secret.reveal())},
        "altered": verdict.altered or None,
        "also": list(verdict.also),
    }


def _told(verdict: Verdict) -> dict[str, Scalar]:
    """What may be shown of the payload and the header: ids and counts."""
    stamp = verdict.header.timestamp
    return {
        "event": verdict.event.id or None,
        "type": verdict.event.type or None,
        "livemode": verdict.event.livemode,
        # A JSON number that every reader can hold; a longer one is no time of Stripe's.
        "timestamp": stamp if stamp is None or abs(stamp) < 2**53 else None,
        "signatures": len(verdict.header.v1),
    }
