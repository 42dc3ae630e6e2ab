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
