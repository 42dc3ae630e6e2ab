"""What an on-call person was given: an id of Stripe's, one of our own, a key, an address.

Told by its form alone; whether there is such a thing, the sources say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from payops.domain.text import harmless, shortened
from payops.errors import UsageError


class Kind(Enum):
    """What a text may be. The value is the word before a colon that says so: `order:17`."""

    INTENT = "intent"
    CHARGE = "charge"
    SESSION = "session"
    EVENT = "event"
    REFUND = "refund"
    DISPUTE = "dispute"
    TRANSACTION = "transaction"
    PAYOUT = "payout"
    CUSTOMER = "customer"
    REQUEST = "request"
    LOCAL = "local"
    ORDER = "order"
    KEY = "key"
    EMAIL = "email"
    OWNER = "owner"
    CONNECTION = "connection"


@dataclass(frozen=True)
class Asked:
    """What was asked for: the text as given, and what it may be, likeliest first."""

    text: str
    value: str
    kinds: tuple[Kind, ...]
    note: str = ""

    @property
    def certain(self) -> bool:
        """Whether its form leaves one meaning only."""
        return len(self.kinds) == 1


# Stripe's prefixes (its API reference, and STRIPE's older `py_`, `pyr_`, `du_`).
_STRIPE = {
    "pi": Kind.INTENT,
    "ch": Kind.CHARGE,
    "py": Kind.CHARGE,
    "cs": Kind.SESSION,
    "evt": Kind.EVENT,
    "re": Kind.REFUND,
    "pyr": Kind.REFUND,
    "dp": Kind.DISPUTE,
    "du": Kind.DISPUTE,
    "txn": Kind.TRANSACTION,
    "po": Kind.PAYOUT,
    "cus": Kind.CUSTOMER,
    "req": Kind.REQUEST,
}
# Ids of Stripe's that lead to no single payment, and what does.
_OTHERS = {
    "pm": "a payment method: give the payment (pi_…) or the customer (cus_…)",
    "card": "a card: give the payment (pi_…) or the customer (cus_…)",
    "src": "a source: give the charge (ch_…) made of it",
    "tok": "a token: give the charge (ch_…) made of it",
    "seti": "a SetupIntent: it takes no money",
    "in": "an invoice: give its PaymentIntent, which the Dashboard names on the invoice's page",
    "ii": "an invoice's line: give the invoice's PaymentIntent",
    "sub": "a subscription: give the customer (cus_…), whose payments are traced then",
    "si": "a subscription's line: give the customer (cus_…)",
    "price": "a price: give a payment",
    "prod": "a product: give a payment",
    "acct": "an account: `payops keys check` says which one the key belongs to",
    "we": "a webhook endpoint: see `payops webhooks status`",
    "tr": "a transfer: give the charge that it was made of",
    "ba": "a bank account: give the payout (po_…)",
    "plink": "a payment link: give the Checkout Session (cs_…)",
    "mandate": "a mandate: give the payment (pi_…)",
    "trr": "a transfer's reversal: give the charge",
    "fee": "an application fee: give the charge",
    "review": "a review: give the payment (pi_…)",
    "issfr": "an early fraud warning: give the charge (ch_…)",
}
_SECRETS = re.compile(r"(?:sk|rk|pk|whsec)_", re.IGNORECASE)
_CLIENT_SECRET = re.compile(r"(pi_[A-Za-z0-9]+|cs_[A-Za-z0-9_]+|seti_[A-Za-z0-9]+)_secret_.*", re.S)
_PREFIXED = re.compile(r"([a-z]{2,8})_[A-Za-z0-9_]+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_URL = re.compile(r"https?://\S+?/((?:pi|ch|py|evt|re|po|cus|dp|du|txn|req|cs)_[A-Za-z0-9_]+)\S*")
_LONGEST = 255
_WORDS = {kind.value: kind for kind in Kind} | {
    "appointment": Kind.ORDER,
    "barber": Kind.OWNER,
    "seller": Kind.OWNER,
    "payment": Kind.LOCAL,
    "row": Kind.LOCAL,
    "idempotency": Kind.KEY,
}


def recognised(text: str) -> Asked:
    """What `text` may be. Raises UsageError for what is nothing that can be traced.

    >>> recognised("pi_3Abc").kinds, recognised("ann@example.com").kinds[0].value
    ((<Kind.INTENT: 'intent'>,), 'email')
    >>> recognised("order:17").value, [kind.value for kind in recognised("17").kinds]
    ('17', ['local', 'order', 'key'])
    """
    given = text.strip().strip("\"'`,;")
    if not given:
        raise UsageError("an empty id names nothing", hint="give a pi_…, an order id, an e-mail")
    if len(given) > _LONGEST:
        raise UsageError(
            f"{shortened(harmless(given), 40)!r} is longer than any id ({_LONGEST} characters)"
        )
    if _SECRETS.match(given):
        raise UsageError(
            "that is a key, and no id: it is asked nowhere, and shown nowhere",
            hint="was it pasted by mistake? `payops keys check` tells whether it must be rolled",
        )
    secret = _CLIENT_SECRET.fullmatch(given)
    if secret:
        return _with_note(recognised(secret.group(1)), "a client secret: its id alone was used")
    url = _URL.fullmatch(given)
    if url:
        return _with_note(recognised(url.group(1)), "taken from the address of the Dashboard")
    word, colon, rest = given.partition(":")
    if colon and rest and word.lower() in _WORDS:
        return Asked(given, rest.strip(), (_WORDS[word.lower()],))
    if _EMAIL.fullmatch(given):
        return Asked(given, given, (Kind.EMAIL,))
    prefixed = _PREFIXED.fullmatch(given)
    if prefixed and prefixed.group(1) in _STRIPE:
        return Asked(given, given, (_STRIPE[prefixed.group(1)],))
    if prefixed and prefixed.group(1) in _OTHERS:
        raise UsageError(
            f"{shortened(given, 60)} is {_OTHERS[prefixed.group(1)]}",
            hint="is it an id of your own? say so: local:… or order:…",
        )
    folded = _PREFIXED.fullmatch(given.lower())
    note = ""
    if folded and folded.group(1) in _STRIPE and not prefixed:
        note = f"Stripe's ids begin in lower case: {folded.group(1)}_"
    elif re.fullmatch(r"(pi|ch|cs|evt|re|cus|po|txn)-?[A-Za-z0-9]{14,}", given):
        note = "an id of Stripe's has an underscore after its first letters"
    return Asked(given, given, (Kind.LOCAL, Kind.ORDER, Kind.KEY), note)


def _with_note(asked: Asked, note: str) -> Asked:
    return Asked(asked.text, asked.value, asked.kinds, note)
