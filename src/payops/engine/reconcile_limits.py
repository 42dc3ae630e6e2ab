"""The limits of all that `payops reconcile` and its subcommands judge, by id.

`thresholds:` in the configuration overrides them as those of a check: engine/thresholds.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from payops.domain.discrepancy import HARMLESS, MatchClass
from payops.domain.threshold import Limits, Threshold

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
_OF_A_CLASS: Limits = {
    "count": Threshold(0, None, "count", "each is one payment on which the sides disagree"),
    "critical": Threshold(None, 0, "count", "those with severity CRIT (reconcile/classify.py)"),
    "money": Threshold(
        None, None, "count", "minor units at risk, of the currency with most; off until it is set"
    ),
}


def id_of(each: MatchClass) -> str:
    """A class as the id of a check."""
    return f"reconcile.{each.value}"


CLASSES: Mapping[str, Limits] = {
    id_of(each): {} if each in HARMLESS else _OF_A_CLASS for each in MatchClass
}
PAYOUTS: Mapping[str, Limits] = {
    "payouts.sum": {
        "count": Threshold(
            None, 0, "count", "payops: a payout is the sum of its lines, to the cent"
        )
    },
    "payouts.ledger": {
        "count": Threshold(None, 0, "count", "S2-20: paid out, and not in the ledger")
    },
}
EXTERNAL: Mapping[str, Limits] = {
    "external.totals": {
        "differing": Threshold(
            0, None, "count", "S3-35: totals that are not those of the transactions"
        ),
        "orphans": Threshold(
            None, 0, "count", "payops: transactions of a connection that is not there"
        ),
        "broken": Threshold(
            0, None, "count", "payops: net is amount less fee, or less the refund too"
        ),
        "unknown": Threshold(
            0, None, "count", "payops: a status that is not mapped is named, not guessed"
        ),
    },
    "external.collections": {
        "count": Threshold(None, 0, "count", "S3-32: what a collection names exists and is its own")
    },
    "external.commission": {
        "count": Threshold(None, 0, "count", "S3-33: commission is amount x rate, to the cent"),
        "unrounded": Threshold(0, None, "count", "payops: a commission is whole minor units"),
        "without_rate": Threshold(
            0, None, "count", "payops: without a rate nothing can be held against it"
        ),
    },
}
