"""Refunds were made at Stripe, and our books do not know of them.

Somebody refunded in the Dashboard and the handler of `charge.refunded` and `refund.created` does
nothing with what was not asked for by us: Stripe was answered 200 all the same, and the payment
still counts as income (runbook 001, reconciliation; runbook 002, refunds). Some are of a part of
the payment only. Where these events are needed, `payops webhooks status` names them as answered and
not processed.
"""

from __future__ import annotations

import json
import random
import time
from datetime import UTC, datetime

from payops.lab.adding import hear, livemode, take_away, tell_stripe
from payops.lab.choosing import keep_payments, paid, restore_payments
from payops.lab.scenario import EVERY_PRESET, Lab, Parameter, Parameters, Scenario
from payops.lab.shop import mapping, remove_refunds, set_columns
from payops.lab.stripe import objects
from payops.lab.stripe.objects import StripeObject, new_id

MINUTES_AGO = 45


def inject(lab: Lab, parameters: Parameters) -> None:
    rng = random.Random(f"{lab.info.seed} {lab.scenario}")
    reference = mapping(lab).payments.columns.processor_ref
    rows = paid(lab, parameters["count"], minutes=parameters["minutes"], youngest=MINUTES_AGO + 30)
    keep_payments(lab, rows)
    made: list[StripeObject] = []
    charges: list[StripeObject] = []
    told: list[StripeObject] = []
    for number, row in enumerate(rows):
        intent = lab.stripe.get(f"/objects/{row[reference]}")
        charge = lab.stripe.get(f"/objects/{intent['latest_charge']}")
        # Every other one of a part; none where a part is stored nowhere.
        part = number % 2 == 1 and bool(mapping(lab).payments.statuses.get("partially_refunded"))
        amount = charge["amount"] // 2 if part else charge["amount"]
        created = int(time.time()) - 60 * MINUTES_AGO - number
        made.append(
            objects.refund(
                id=new_id("re", rng),
                amount=amount,
                currency=charge["currency"],
                status="succeeded",
                created=created,
                charge=charge["id"],
                payment_intent=intent["id"],
                reason="requested_by_customer",
            )
        )
        charges.append({**charge, "amount_refunded": amount, "refunded": not part})
        told += [
            _event(lab, "charge.refunded", charges[-1], created, rng),
            _event(lab, "refund.created", made[-1], created, rng),
        ]
    lab.remember(charges=[lab.stripe.get(f"/objects/{one['id']}") for one in charges])
    lab.stripe.put("/objects", charges)
    tell_stripe(lab, made)
    hear(lab, told)


def _event(
    lab: Lab, kind: str, about: StripeObject, created: int, rng: random.Random
) -> StripeObject:
    return objects.shape(
        "event",
        id=new_id("evt", rng),
        type=kind,
        created=created,
        livemode=livemode(lab),
        data={"object": about},
        pending_webhooks=0,
    )


def mend(lab: Lab) -> None:
    """Have the application mark the payments, where no table of refunds is for payops to fill: as
    its own handler would have done it, had it been told."""
    heard = lab.system.unheard.get("charge.refunded")
    if heard is None:
        return
    ledger = mapping(lab).payments
    for id_ in lab.recall()["objects"]:
        if not id_.startswith("re_"):
            continue
        refund = lab.stripe.get(f"/objects/{id_}")
        row = {
            ledger.columns.status: ledger.statuses["refunded"][0],
            "refundedAt": datetime.fromtimestamp(refund["created"], UTC).replace(tzinfo=None),
            "metadata": json.dumps({"refundAmount": refund["amount"]}),
        }
        set_columns(
            lab,
            ledger.table,
            ledger.columns.processor_ref,
            [refund["payment_intent"]],
            {column: value for column, value in row.items() if column in heard},
        )


def heal(lab: Lab) -> None:
    # What was repaired meanwhile is gone too: Stripe will not know these refunds any more.
    remove_refunds(lab, lab.recall().get("objects", ()))
    restore_payments(lab)
    take_away(lab)
    if charges := lab.recall().get("charges"):
        lab.stripe.put("/objects", charges)


SCENARIO = Scenario(
    title="Refunds are not in the ledger",
    runbook="001, reconciliation; 002, refunds",
    breaks="payments were refunded in Stripe's Dashboard, and the ledger does not know of it",
    expected={},
    classes=frozenset({"refund_missing"}),
    inject=inject,
    heal=heal,
    presets=EVERY_PRESET,
    parameters={
        "count": Parameter(5, 1, 500, "how many payments were refunded"),
        "minutes": Parameter(1_440, 90, 10_080, "how old the payments are; older in a quiet shop"),
    },
    mild={"count": 1},
    severe={"count": 20, "minutes": 2_880},
    outside="where there is no table of refunds (DebtFlow, V-EdFinance): have the application mark "
    "the payments; elsewhere payops records them",
    mend=mend,
)
