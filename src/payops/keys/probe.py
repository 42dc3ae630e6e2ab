"""What Stripe says of keys. GET alone: nothing is made, changed or kept by asking.

A client secret is read to try a publishable key, sent back to Stripe, and shown nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import msgspec

from payops.domain.secret import Secret
from payops.errors import Failure, SourceError

if TYPE_CHECKING:
    from payops.sources.stripe import StripeSource


class Standing(Enum):
    """What Stripe makes of a key. The value is the word for people."""

    VALID = "valid"
    RESTRICTED = "valid, restricted"
    """403: the key is valid and may not do what was asked (STRIPE.md, 'Keys')."""
    EXPIRED = "expired or rolled"
    REVOKED = "access revoked"
    """A platform's access to the account was taken away."""
    UNKNOWN = "unknown to Stripe"
    """Mistyped, deleted, or never Stripe's."""
    NOT_HERE = "not allowed from this address"
    """Limited to addresses of which this machine's is none."""
    NOT_TOLD = "not told"


REFUSED = frozenset({Standing.EXPIRED, Standing.REVOKED, Standing.UNKNOWN})


@dataclass(frozen=True)
class Answered:
    """Stripe's answer to one key: `said` is its own sentence where it refused, `account` the id of
    its account where it may be read."""

    standing: Standing
    said: str = ""
    request_id: str = ""
    account: str = ""


class Known(Enum):
    """What a key sees of an object that exists."""

    YES = "seen"
    NO = "not seen"
    OTHER_MODE = "of the other mode"
    NOT_TOLD = "not told"


@dataclass(frozen=True)
class Permission:
    """Whether a restricted key may read a resource; None where it could not be told. `commands`
    are those of payops that do not work without."""

    resource: str
    path: str
    commands: tuple[str, ...]
    granted: bool | None
    said: str = ""


# What payops reads, in the order in which the Dashboard lists the resources of a restricted key.
NEEDED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Balance transactions", "/v1/balance_transactions", ("reconcile payouts",)),
    ("Charges", "/v1/charges", ("reconcile",)),
    ("Checkout Sessions", "/v1/checkout/sessions", ("reconcile",)),
    ("Disputes", "/v1/disputes", ("reconcile",)),
    ("Events", "/v1/events", ("health", "webhooks", "reconcile")),
    ("PaymentIntents", "/v1/payment_intents", ("reconcile", "webhooks", "keys check")),
    ("Payouts", "/v1/payouts", ("reconcile payouts",)),
    ("Refunds", "/v1/refunds", ("reconcile",)),
    ("Webhook endpoints", "/v1/webhook_endpoints", ("webhooks status", "webhooks endpoints")),
)
_PATHS = {
    "pi_": "/v1/payment_intents",
    "cs_": "/v1/checkout/sessions",
    "ch_": "/v1/charges",
    "py_": "/v1/charges",
    "re_": "/v1/refunds",
}
_NOBODYS = "pi_payopsasks"  # of no account: only to hear whether the key itself is refused


class _Object(msgspec.Struct, frozen=True):
    id: str = ""
    client_secret: Any = None


class _List(msgspec.Struct, frozen=True):
    data: list[_Object] = []


def standing_of(error: SourceError) -> Standing:
    """What an error says of the key itself; NOT_TOLD where it is about something else."""
    said = error.message.lower()
    if error.kind is Failure.AUTHENTICATION:
        if "platform_api_key_expired" in error.code or "access may have been revoked" in said:
            return Standing.REVOKED
        if error.code == "api_key_expired" or "expired api key" in said:
            return Standing.EXPIRED
        return Standing.UNKNOWN
    if error.kind is Failure.PERMISSION:
        if "ip address" in said:
            return Standing.NOT_HERE
        if error.code == "account_invalid":
            return Standing.REVOKED
        return Standing.NOT_TOLD if error.code == "secret_key_required" else Standing.RESTRICTED
    return Standing.VALID if error.kind is Failure.NOT_FOUND else Standing.NOT_TOLD


def ask_secret(stripe: StripeSource) -> Answered:
    """Whether a secret or restricted key is valid now, and whose it is (S2-02; `/v1/account` and
    not the balance, since it tells the account too). Raises SourceError when Stripe does not
    answer."""
    try:
        answer = stripe.account()
    except SourceError as error:
        return _told(error)
    return Answered(Standing.VALID, request_id=answer.request_id, account=answer.value.id)


def ask_references(
    stripe: StripeSource, references: Iterable[str]
) -> tuple[tuple[str, Known], ...]:
    """Which of the ledger's payments the key sees, asked until it sees one. Raises SourceError when
    Stripe does not answer."""
    seen: list[tuple[str, Known]] = []
    for reference in references:
        path = _PATHS.get(reference[:3])
        if path is None:
            continue
        try:
            stripe.get(f"{path}/{reference}", _Object)
            seen.append((reference, Known.YES))
            break
        except SourceError as error:
            seen.append((reference, _known(error)))
    return tuple(seen)


def ask_payment(stripe: StripeSource, reference: str = "") -> tuple[str, Secret | None]:
    """A PaymentIntent and its client secret: the one given, else the account's newest. Empty where
    there is none, or the key may not read it. Raises SourceError when Stripe does not answer."""
    try:
        if reference.startswith("pi_"):
            found = stripe.get(f"/v1/payment_intents/{reference}", _Object).value
        else:
            page = stripe.get("/v1/payment_intents", _List, limit=1).value
            found = page.data[0] if page.data else _Object()
    except SourceError as error:
        if error.does_not_answer:
            raise
        return "", None
    secret = found.client_secret
    return found.id, Secret(secret) if isinstance(secret, str) and secret else None


def ask_publishable(
    stripe: StripeSource, payment: str, client_secret: Secret | None
) -> tuple[Answered, Known]:
    """Whether a publishable key is valid, and whether it sees a payment that the secret key sees:
    then both are of one account and mode. Raises SourceError when Stripe does not answer."""
    asked, secret = payment, client_secret
    if secret is None:
        asked, secret = _NOBODYS, Secret(f"{_NOBODYS}_secret_none")
    try:
        answer = stripe.get(f"/v1/payment_intents/{asked}", _Object, client_secret=secret.reveal())
    except SourceError as error:
        known = _known(error) if client_secret is not None else Known.NOT_TOLD
        return _told(error), known
    return Answered(Standing.VALID, request_id=answer.request_id), Known.YES


def ask_permissions(stripe: StripeSource) -> tuple[Permission, ...]:
    """What a restricted key may read of what payops reads. One that cannot be told says so; raises
    SourceError when Stripe does not answer, or no longer."""
    found = []
    for resource, path, commands in NEEDED:
        granted: bool | None = True
        said = ""
        try:
            stripe.get(path, _List, limit=1)
        except SourceError as error:
            if error.does_not_answer:
                raise
            granted = False if error.kind is Failure.PERMISSION else None
            said = error.message
        found.append(Permission(resource, path, commands, granted, said))
    return tuple(found)


def _told(error: SourceError) -> Answered:
    if error.does_not_answer and error.kind is not Failure.AUTHENTICATION:
        raise error
    if error.kind is Failure.AUTHENTICATION and error.http_status is None:
        raise error  # not Stripe's word: it was never sent
    standing = standing_of(error)
    said = "" if standing is Standing.VALID else error.message
    return Answered(standing, said, error.request_id)


def _known(error: SourceError) -> Known:
    if error.kind is Failure.NOT_FOUND:
        # "a similar object exists in live mode, but a test mode key was used": the same account
        return Known.OTHER_MODE if "similar object exists in" in error.message else Known.NO
    if error.does_not_answer and error.kind is not Failure.AUTHENTICATION:
        raise error
    return Known.NOT_TOLD
