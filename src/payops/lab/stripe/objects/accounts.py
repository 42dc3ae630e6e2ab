"""The account, its customers, its webhook endpoints and its events."""

from collections.abc import Mapping, Sequence
from typing import Any

from payops.lab.stripe.objects.shapes import StripeObject, derived_token, shape


def account(
    *,
    id: str,
    country: str = "US",
    default_currency: str = "usd",
    created: int = 1_577_836_800,
    charges_enabled: bool = True,
    payouts_enabled: bool = True,
    disabled_reason: str | None = None,
    email: str | None = None,
    type: str = "standard",
    **more: Any,
) -> StripeObject:
    """A Stripe account.

    `created` is in epoch seconds; `disabled_reason` is `requirements.disabled_reason`
    (requirements.past_due, rejected.fraud, ...). `more` sets any other field of an account.
    """
    made = shape(
        "account",
        id=id,
        charges_enabled=charges_enabled,
        country=country,
        created=created,
        default_currency=default_currency,
        email=email,
        payouts_enabled=payouts_enabled,
        type=type,
        **more,
    )
    made["external_accounts"]["url"] = f"/v1/accounts/{id}/external_accounts"
    if disabled_reason is not None:
        made["requirements"]["disabled_reason"] = disabled_reason
    return made


def customer(
    *,
    id: str,
    created: int,
    livemode: bool,
    email: str | None = None,
    name: str | None = None,
    phone: str | None = None,
    description: str | None = None,
    currency: str | None = None,
    delinquent: bool = False,
    metadata: Mapping[str, str] | None = None,
    **more: Any,
) -> StripeObject:
    """A customer; `created` is in epoch seconds, `currency` that of past charges, if any."""
    more.setdefault("invoice_prefix", derived_token(id, 8).upper())
    return shape(
        "customer",
        id=id,
        created=created,
        currency=currency,
        delinquent=delinquent,
        description=description,
        email=email,
        livemode=livemode,
        metadata=dict(metadata or {}),
        name=name,
        phone=phone,
        **more,
    )


def webhook_endpoint(
    *,
    id: str,
    url: str,
    created: int,
    livemode: bool,
    enabled_events: Sequence[str] = ("*",),
    status: str = "enabled",
    description: str | None = None,
    api_version: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> StripeObject:
    """A webhook endpoint; `status` is enabled or disabled, `enabled_events` names or `["*"]`.

    The signing secret is left out: Stripe returns it only when an endpoint is created.
    """
    return shape(
        "webhook_endpoint",
        id=id,
        api_version=api_version,
        created=created,
        description=description,
        enabled_events=list(enabled_events),
        livemode=livemode,
        metadata=dict(metadata or {}),
        status=status,
        url=url,
    )


def event(
    *,
    id: str,
    type: str,
    data_object: StripeObject,
    created: int,
    livemode: bool,
    pending_webhooks: int = 0,
    previous_attributes: Mapping[str, Any] | None = None,
    request_id: str | None = None,
    idempotency_key: str | None = None,
    api_version: str | None = "2024-06-20",
) -> StripeObject:
    """An event of `type` (`payment_intent.succeeded`, ...) about `data_object`.

    `data_object` is the object as it was then, kept by reference. `pending_webhooks` counts
    the endpoints that have not had it yet: above 0, Stripe's `delivery_success=false` finds
    it. `previous_attributes` (changed fields, old values) belongs to `*.updated` events.
    Stripe renders an event in the API version at its creation.
    """
    made = shape(
        "event",
        id=id,
        api_version=api_version,
        created=created,
        data={"object": data_object},
        livemode=livemode,
        pending_webhooks=pending_webhooks,
        request={"id": request_id, "idempotency_key": idempotency_key},
        type=type,
    )
    if previous_attributes is not None:
        made["data"]["previous_attributes"] = dict(previous_attributes)
    return made
