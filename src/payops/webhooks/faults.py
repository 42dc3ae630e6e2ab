"""What a probe of an endpoint says of the deliveries that it did not take."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.domain.duration import human_duration
from payops.domain.signature import TOLERANCE_S
from payops.domain.text import shortened
from payops.domain.webhook import Cause
from payops.webhooks.answers import Answered
from payops.webhooks.probed import Probe

_FORBIDS = frozenset(
    {
        Answered.FORBIDS,
        Answered.MISSING,
        Answered.METHOD,
        Answered.PAGE,
        Answered.THROTTLED,
        Answered.OTHER,
    }
)


@dataclass(frozen=True)
class Fault:
    """Why an endpoint takes no deliveries, as it was seen from here.

    `certain` is False where it is what remains. `said` is the sentence for people.
    """

    cause: Cause
    detail: str
    said: str
    certain: bool = True


# An endpoint that says nothing for so long does not answer, though Stripe waits longer.
_SILENT_S = 1.0


@dataclass(frozen=True)
class Asked:
    """What is known of one of Stripe's endpoints beside its registration.

    `fault` is None where its answer is as it should be. `signed` tells that a genuine event was
    accepted, `takes_all` that any POST is, so that only a fault in the past remains. `seen` is one
    line of evidence.
    """

    url: str
    as_of: datetime
    fault: Fault | None
    seen: str
    signed: bool = False
    takes_all: bool = False


def fault_of(probe: Probe) -> Fault | None:
    """What is wrong with the endpoint; None where its answers are right as far as was asked."""
    said = "" if probe.http_status is None else f"HTTP {probe.http_status}"
    first = probe.answered
    if probe.failure is not None and (first is None or first is Answered.SILENT):
        detail = probe.failure.value
        return Fault(Cause.UNREACHABLE, detail, f"does not answer us either: {detail}")
    if first is Answered.REDIRECTS:
        to = shortened(probe.location, 80) or "nowhere"
        return Fault(Cause.REDIRECTS, f"{said} to {to}", f"redirects, {said} to {to}")
    if first in _FORBIDS and first is not None:
        what = f"{said}, {first.value}"
        return Fault(Cause.FORBIDS, said, f"refuses before any signature is looked at: {what}")
    if first is Answered.FAILS or _fails_on_all(probe):
        return Fault(Cause.FAILS, said, f"fails: {said} to a POST without a signature")
    return _of_signed(probe) or _of_clock(probe)


def _fails_on_all(probe: Probe) -> bool:
    """5xx where the configuration calls that a good answer to a POST without a signature: with one,
    though a wrong one, it should be another."""
    if (probe.http_status or 0) < 500:
        return False
    forged = next((step for step in probe.steps if step.name == "wrong-signature"), None)
    status = forged.detail.get("http_status") if forged else None
    return isinstance(status, int) and status >= 500


def _of_signed(probe: Probe) -> Fault | None:
    genuine = probe.genuine
    if genuine is None or genuine is Answered.ACCEPTED:
        if probe.swapped:
            return Fault(
                Cause.SIGNATURE,
                "swapped secrets",
                "accepts the secret of another endpoint, and not its own",
            )
        return None
    if genuine is Answered.FAILS:
        return Fault(Cause.FAILS, "5xx to a signed event", "fails on a signed event of no meaning")
    if genuine is Answered.SILENT:
        return Fault(
            Cause.UNREACHABLE, "no answer to a signed event", "answers nothing when signed"
        )
    if genuine is Answered.REDIRECTS:
        return Fault(Cause.REDIRECTS, "3xx to a signed event", "redirects what is signed")
    if genuine is not Answered.REFUSED:
        return Fault(Cause.FORBIDS, genuine.value, f"answers a signed event: {genuine.value}")
    if probe.altered:
        how = probe.altered_how or "how was not seen"
        return Fault(Cause.SIGNATURE, "altered body", f"gets an altered body: {how}")
    if (clock := _of_clock(probe)) is not None:
        return clock
    if probe.swapped:
        detail, said = "swapped secrets", "accepts the secret of another endpoint, not its own"
    else:
        detail, said = "wrong secret", "refuses what is signed with every configured secret"
    return Fault(Cause.SIGNATURE, detail, said)


def _of_clock(probe: Probe) -> Fault | None:
    """A clock that is off by more than a signature is good for."""
    offset = probe.clock_offset_s
    if offset is None or abs(offset) <= TOLERANCE_S:
        return None
    way = "ahead" if offset > 0 else "behind"
    detail = f"clock {human_duration(abs(offset))} {way}"
    return Fault(
        Cause.SIGNATURE,
        detail,
        f"has its {detail}: a signature is good for {TOLERANCE_S} s",
        certain=probe.genuine is Answered.REFUSED,
    )


def asked(probe: Probe, url: str, waited_s: float = 0.0) -> Asked:
    """A probe of the endpoint with this URL, as what is reasoned on.

    One that was given up after `waited_s` without any answer is likely a timeout: it is not
    certain, but to go on as if the endpoint had answered well would be worse.
    """
    fault = fault_of(probe)
    if fault is None and probe.answered is None and waited_s >= _SILENT_S:
        within = f"no answer within {waited_s:.1f} s"
        said = f"gave us {within} either"
        fault = Fault(Cause.UNREACHABLE, within, said, certain=False)
    answer = probe.answered.value if probe.answered else "not asked"
    status = f"HTTP {probe.http_status}" if probe.http_status is not None else answer
    seen = f"{url}: {fault.said}" if fault else f"{url}: {status} to a POST without a signature"
    genuine = probe.genuine is Answered.ACCEPTED and not probe.swapped
    if genuine:
        seen += ", and a signed one was accepted"
    takes_all = Answered.ACCEPTED in (probe.answered, probe.forged)
    return Asked(url, probe.as_of, fault, seen, genuine, takes_all)
