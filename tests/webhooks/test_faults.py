"""What a probe of an endpoint says of the deliveries that it did not take."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from payops.domain.status import Status
from payops.domain.webhook import Cause
from payops.errors import Failure
from payops.webhooks.answers import Answered
from payops.webhooks.faults import asked, fault_of
from payops.webhooks.probed import Probe, Step
from webhooks.paths import NOW, URL

GOOD = Probe(URL, "shop", NOW, (), answered=Answered.REFUSED, http_status=400)


@pytest.mark.parametrize(
    ("seen", "cause", "detail"),
    [
        ({"answered": Answered.SILENT, "failure": Failure.TIMED_OUT}, Cause.UNREACHABLE, "timed"),
        ({"answered": None, "failure": Failure.DNS}, Cause.UNREACHABLE, "name not resolved"),
        ({"answered": None, "failure": Failure.TLS}, Cause.UNREACHABLE, "TLS failed"),
        (
            {"answered": Answered.REDIRECTS, "http_status": 308, "location": "https://a/"},
            Cause.REDIRECTS,
            "HTTP 308 to https://a/",
        ),
        ({"answered": Answered.FORBIDS, "http_status": 403}, Cause.FORBIDS, "HTTP 403"),
        ({"answered": Answered.MISSING, "http_status": 404}, Cause.FORBIDS, "HTTP 404"),
        ({"answered": Answered.METHOD, "http_status": 405}, Cause.FORBIDS, "HTTP 405"),
        ({"answered": Answered.FAILS, "http_status": 502}, Cause.FAILS, "HTTP 502"),
        ({"genuine": Answered.REFUSED}, Cause.SIGNATURE, "wrong secret"),
        ({"genuine": Answered.REFUSED, "swapped": True}, Cause.SIGNATURE, "swapped secrets"),
        ({"genuine": Answered.REFUSED, "altered": True}, Cause.SIGNATURE, "altered body"),
        ({"genuine": Answered.REFUSED, "clock_offset_s": 400.0}, Cause.SIGNATURE, "clock 6 min"),
        ({"clock_offset_s": -3600.0}, Cause.SIGNATURE, "clock 1 h behind"),
        ({"genuine": Answered.FAILS}, Cause.FAILS, "5xx to a signed event"),
    ],
)
def test_each_answer_has_one_cause(seen: dict[str, Any], cause: Cause, detail: str) -> None:
    fault = fault_of(replace(GOOD, **seen))
    assert fault is not None
    assert fault.cause is cause
    assert fault.detail.startswith(detail)


@pytest.mark.parametrize(
    "seen",
    [
        {},
        {"clock_offset_s": 300.0},
        {"genuine": Answered.ACCEPTED},
        {"answered": Answered.ACCEPTED, "http_status": 200},
    ],
)
def test_a_good_answer_is_no_fault(seen: dict[str, Any]) -> None:
    assert fault_of(replace(GOOD, **seen)) is None


def test_a_clock_alone_is_not_certain() -> None:
    fault = fault_of(replace(GOOD, clock_offset_s=900.0))
    assert fault is not None
    assert not fault.certain


def test_500_that_is_a_good_answer_to_no_signature_is_none_to_a_wrong_one() -> None:
    """BookedBarber in production."""

    def forged(status: int) -> Probe:
        step = Step("wrong-signature", Status.OK, "", detail={"http_status": status})
        return replace(GOOD, http_status=500, steps=(step,))

    assert fault_of(forged(200)) is None
    fault = fault_of(forged(500))
    assert fault is not None
    assert fault.cause is Cause.FAILS


def test_what_a_signed_event_proves() -> None:
    assert asked(replace(GOOD, genuine=Answered.ACCEPTED), URL).signed
    assert not asked(GOOD, URL).signed
    assert asked(replace(GOOD, forged=Answered.ACCEPTED), URL).takes_all
