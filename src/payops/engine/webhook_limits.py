"""The limits of what `payops webhooks` judges, by id; `thresholds:` overrides them."""

from __future__ import annotations

from collections.abc import Mapping

from payops.domain.threshold import Limits, Threshold
from payops.domain.webhook import Cause
from payops.webhooks.classify import LATE, STUCK

_FAILED = Threshold(0, 10, "count", "S1-04: more than 10 failed in an hour is an alert")
_OWED = Threshold(
    None, 0, "count", "payops: of one payment at least the ledger does not know, or may not"
)
_LOST: Limits = {"count": _FAILED, "payments": _OWED}
_ANY: Limits = {"count": Threshold(0, None, "count", "payops: each is worth a look")}
_OF_CAUSE: Mapping[Cause, Limits] = {
    Cause.LATE: {
        **_ANY,
        "age": Threshold(
            LATE.total_seconds(),
            None,
            "s",
            "payops: Stripe delivers within seconds; no runbook says how late is late",
        ),
    },
    Cause.NOT_PROCESSED: {
        **_LOST,
        "age": Threshold(
            STUCK.total_seconds(), None, "s", "payops: S1-02 asks for none, and gives no time"
        ),
    },
    Cause.UNDELIVERED: {
        "count": Threshold(3, 10, "count", "S2-04: more than 3; S1-04: more than 10 in an hour"),
        "payments": _OWED,
    },
}


def id_of(cause: Cause) -> str:
    """A cause as the id of a check."""
    return f"webhooks.{cause.value}"


CAUSES: Mapping[Cause, Limits] = {each: _OF_CAUSE.get(each, _LOST) for each in Cause}
WEBHOOKS: Mapping[str, Limits] = {
    "webhooks.delivery": {
        "success": Threshold(
            95, None, "%", "S2-05: below 95 % look at the endpoint", worse="lower"
        ),
        "in_a_row": Threshold(3, None, "count", "S2-04: more than 3 consecutive failures"),
        "in_an_hour": Threshold(None, 10, "count", "S1-04: more than 10 failed in an hour"),
    },
    "webhooks.handling": {
        "unfinished": Threshold(0, 10, "count", "S1-05: unprocessed is 0; S1-04: 10 failed"),
        "lag": Threshold(
            LATE.total_seconds(), None, "s", "payops: p95 from Stripe's making to processed"
        ),
    },
    **{id_of(cause): limits for cause, limits in CAUSES.items()},
}
