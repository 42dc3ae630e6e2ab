"""Whose failure a failed payment is: the card issuer's and the customer's, or ours.

Runbook 002: `card_declined` and `authentication_required` are "not an incident". A code that is
not known here counts as ours, since a failure that nobody recognises must not hide among declines.
"""

from __future__ import annotations

from collections.abc import Collection

# Stripe's documentation, 'Decline codes' and 'Error codes' (card and authentication errors), and
# the table of runbook 000.
ISSUER_DECLINES = frozenset(
    """
    approve_with_id authentication_not_handled authentication_required call_issuer card_declined
    card_decline_rate_limit_exceeded card_not_supported card_velocity_exceeded
    currency_not_supported debit_not_authorized do_not_honor do_not_try_again
    duplicate_transaction expired_card fraudulent generic_decline incorrect_address
    incorrect_cvc incorrect_number incorrect_pin incorrect_zip insufficient_funds
    invalid_account invalid_amount invalid_cvc invalid_expiry_month invalid_expiry_year
    invalid_number invalid_pin issuer_not_available lost_card merchant_blacklist
    mobile_device_authentication_required new_account_information_available no_action_taken
    not_permitted offline_pin_required online_or_offline_pin_required
    payment_intent_authentication_failure payment_method_customer_decline
    payment_method_not_available pickup_card pin_try_exceeded previously_declined_do_not_honor
    processing_error reenter_transaction restricted_card revocation_of_all_authorizations
    revocation_of_authorization security_violation service_not_allowed
    setup_intent_authentication_failure stolen_card stop_payment_order testmode_decline
    transaction_not_allowed try_again_later withdrawal_count_limit_exceeded
    bank_account_declined insufficient_balance
    """.split()
)


def declined_by_issuer(code: str | None, also: Collection[str] = ()) -> bool:
    """Whether a failure code is the bank's or the customer's 'no', by Stripe's words or `also`.

    >>> declined_by_issuer("insufficient_funds"), declined_by_issuer("api_error")
    (True, False)
    >>> declined_by_issuer(None), declined_by_issuer("no_credit", also=["no_credit"])
    (False, True)
    """
    return code is not None and (code.lower() in ISSUER_DECLINES or code in also)


# What to tell the customer, or do, by code: the table of runbook 000 ('Common Error Codes') and the
# rows S0-01 to S0-09; the rest are Stripe's own 'Decline codes', column 'Next steps'.
_ADVICE = {
    "card_declined": "another card, or a call to the bank; do not retry the same card at once",
    "generic_decline": "another card, or a call to the bank: it does not say why",
    "do_not_honor": "another card, or a call to the bank: it does not say why",
    "expired_card": "new card details; clear card data that the shop has cached",
    "insufficient_funds": "another card, a split payment, or hold the items",
    "incorrect_cvc": "enter the security code again, at most 3 times",
    "invalid_cvc": "enter the security code again, at most 3 times",
    "incorrect_number": "enter the card number again",
    "invalid_number": "enter the card number again",
    "incorrect_zip": "enter the postal code again, as the bank has it",
    "invalid_expiry_month": "enter the expiry date again",
    "invalid_expiry_year": "enter the expiry date again",
    "processing_error": "try again in a little bit; escalate when it persists",
    "try_again_later": "try again later; another card when it goes on",
    "issuer_not_available": "try again later: the bank could not be reached",
    "authentication_required": "3-D Secure: guide the customer through it, allow 5 to 10 minutes",
    "authentication_not_handled": "3-D Secure was not shown: look at the front end",
    "payment_intent_authentication_failure": "3-D Secure failed: another card",
    "fraudulent": "never tell the customer why: present it as a generic decline",
    "merchant_blacklist": "blocked by a rule of your own (Radar): never tell the customer why",
    "lost_card": "never tell the customer why: present it as a generic decline",
    "stolen_card": "never tell the customer why: present it as a generic decline",
    "pickup_card": "never tell the customer why: a call to the bank",
    "restricted_card": "a call to the bank, or another card",
    "card_velocity_exceeded": "another card: its limit is reached",
    "withdrawal_count_limit_exceeded": "another card: its limit is reached",
    "card_decline_rate_limit_exceeded": "no more tries today: the card was declined too often",
    "card_not_supported": "another card: this one does not do such purchases",
    "transaction_not_allowed": "a call to the bank, or another card",
    "currency_not_supported": "another card: this one does not do the currency",
    "duplicate_transaction": "look whether the first one was paid before trying again",
    "pin_try_exceeded": "another card: too many tries of the PIN",
}
_ANY = "another card, or a call to the bank"
# Ireti stores the sentence that Stripe has for the customer, and no code.
_SENTENCES = {
    "your card was declined.": "card_declined",
    "your card has insufficient funds.": "insufficient_funds",
    "your card has expired.": "expired_card",
    "your card's security code is incorrect.": "incorrect_cvc",
    "your card number is incorrect.": "incorrect_number",
    "your card does not support this type of purchase.": "card_not_supported",
    "your card is not supported.": "card_not_supported",
    "an error occurred while processing your card. try again in a little bit.": "processing_error",
    "your card was declined. this transaction requires authentication.": "authentication_required",
}


def advice(code: str) -> str:
    """What the runbooks say to do about a declined payment, by its code or Stripe's sentence.

    >>> advice("expired_card")
    'new card details; clear card data that the shop has cached'
    >>> advice("some_new_code")
    'another card, or a call to the bank'
    """
    word = code.lower()
    return _ADVICE.get(_SENTENCES.get(word, word), _ANY)
