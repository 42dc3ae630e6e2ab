"""What a text may be, and a clear answer for what it is not."""

from __future__ import annotations

import pytest

from payops.errors import UsageError
from payops.trace.ids import Kind, recognised

STRIPE = {
    "pi_3Abc": Kind.INTENT,
    "ch_3Abc": Kind.CHARGE,
    "py_3Abc": Kind.CHARGE,
    "cs_test_a1B2": Kind.SESSION,
    "evt_1Abc": Kind.EVENT,
    "re_3Abc": Kind.REFUND,
    "pyr_1Abc": Kind.REFUND,
    "dp_1Abc": Kind.DISPUTE,
    "du_1Abc": Kind.DISPUTE,
    "txn_1Abc": Kind.TRANSACTION,
    "po_1Abc": Kind.PAYOUT,
    "cus_Abc": Kind.CUSTOMER,
    "req_Abc": Kind.REQUEST,
    "ann@shop.example": Kind.EMAIL,
    "local:17": Kind.LOCAL,
    "order:17": Kind.ORDER,
    "appointment:17": Kind.ORDER,
    "key:pay-17": Kind.KEY,
    "barber:3": Kind.OWNER,
    "connection:3": Kind.CONNECTION,
}


@pytest.mark.parametrize(("text", "kind"), STRIPE.items())
def test_its_form_says_what_it_is(text: str, kind: Kind) -> None:
    found = recognised(f"  {text},")
    assert found.kinds == (kind,)
    assert found.certain
    assert text.endswith(found.value)


@pytest.mark.parametrize("text", ["17", "order-17", "8b5466ef-33a1-4c5f-b16e-b9a6d2f1a001", "P:9"])
def test_an_id_of_our_own_may_be_several_things(text: str) -> None:
    assert recognised(text).kinds == (Kind.LOCAL, Kind.ORDER, Kind.KEY)


@pytest.mark.parametrize(
    ("text", "value", "note"),
    [
        ("pi_3Abc_secret_9Xyz", "pi_3Abc", "client secret"),
        ("https://dashboard.stripe.com/test/payments/pi_3Abc?x=1", "pi_3Abc", "Dashboard"),
        ("https://dashboard.stripe.com/acct_1/events/evt_9", "evt_9", "Dashboard"),
    ],
)
def test_what_wraps_an_id_is_taken_off(text: str, value: str, note: str) -> None:
    found = recognised(text)
    assert found.value == value
    assert note in found.note


@pytest.mark.parametrize("text", ["PI_3AbcDefGhiJklMno", "pi-3AbcDefGhiJklMno"])
def test_a_mistyped_id_is_told(text: str) -> None:
    assert recognised(text).note


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "that is a key"),
        ("whsec_4eC39HqLyjWDarjtT1zdp7dc", "that is a key"),
        ("pm_1Abc", "payment method"),
        ("sub_1Abc", "subscription"),
        ("acct_1Abc", "account"),
        ("x" * 256, "longer than any id"),
    ],
)
def test_what_cannot_be_traced_is_refused_with_what_to_do(text: str, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        recognised(text)
    assert said in str(refused.value)
    assert refused.value.hint or "longer" in said
    assert "4eC39HqLyjWDarjtT1zdp7dc" not in str(refused.value) + refused.value.hint
