"""The limits of each class of discrepancy, as those of a check named `reconcile.CLASS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from payops.checks import limits_in_force
from payops.checks.contract import Check, Context
from payops.domain.discrepancy import HARMLESS, MatchClass
from payops.domain.result import CheckResult
from payops.domain.threshold import Limits, Threshold
from payops.errors import ConfigError

if TYPE_CHECKING:
    from payops.config.settings import Settings

TITLES = {
    MatchClass.MATCHED: "matched",
    MatchClass.IN_FLIGHT: "in flight",
    MatchClass.MISSING_IN_LEDGER: "charged at Stripe, not recorded",
    MatchClass.MISSING_IN_STRIPE: "recorded, unknown to Stripe",
    MatchClass.NO_REFERENCE: "recorded without a reference to Stripe",
    MatchClass.STATUS_MISMATCH: "with different states",
    MatchClass.AMOUNT_MISMATCH: "with different amounts",
    MatchClass.CURRENCY_MISMATCH: "in different currencies",
    MatchClass.FEE_MISMATCH: "with different fees",
    MatchClass.REFUND_MISSING: "refunded on one side only",
    MatchClass.REFUND_PARTIAL_MISMATCH: "refunded different amounts",
    MatchClass.DISPUTE_UNRECORDED: "disputed, not recorded",
    MatchClass.PARTIAL_CAPTURE: "captured in part, recorded whole",
    MatchClass.DUPLICATE_IN_LEDGER: "recorded twice",
    MatchClass.DUPLICATE_CHARGE: "charged twice for one order",
    MatchClass.LIVEMODE_OR_ACCOUNT_MISMATCH: "of another mode or account",
    MatchClass.UNEXPECTED_STATUS: "with a status that nobody mapped",
    MatchClass.NOT_CHARGED: "never charged, and rightly on one side only",
}
# Any is worth a look; one that harms a customer or counts money that is not there is worth a call.
_LIMITS: Limits = {
    "count": Threshold(0, None, "count", "each is one payment on which the sides disagree"),
    "critical": Threshold(None, 0, "count", "those with severity CRIT (reconcile/classify.py)"),
    "money": Threshold(
        None, None, "count", "minor units at risk, of the currency with most; off until it is set"
    ),
}


def limits_for(settings: Settings) -> Mapping[MatchClass, Limits]:
    """The limits in force of every class. Raises ConfigError for one that does not exist."""
    overrides = settings.thresholds
    known = {f"reconcile.{each.value}": each for each in MatchClass}
    for id_ in overrides:
        if id_.startswith("reconcile.") and id_ not in known:
            raise ConfigError(f"there is no check {id_!r}", path=f"thresholds.{id_}")
    return {
        each: limits_in_force(id_, _check(each), overrides.get(id_, {}))
        for id_, each in known.items()
    }


def _check(each: MatchClass) -> Check[object]:
    return Check(
        title=TITLES[each],
        source="stripe+postgres",
        gather=_never,
        judge=_nothing,
        limits={} if each in HARMLESS else _LIMITS,
    )


def _never(ctx: Context) -> object:
    raise NotImplementedError  # all classes are gathered at once: engine/reconcile.py


def _nothing(facts: object, limits: Limits) -> CheckResult:
    raise NotImplementedError
