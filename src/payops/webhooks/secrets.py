"""The signing secrets that the configuration knows, each with the place where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from payops.domain.secret import Secret

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.config.webhooks import WebhookEndpoint


@dataclass(frozen=True)
class KnownSecret:
    """`place` is how a person finds it: a path of the configuration, a variable's name."""

    place: str
    secret: Secret


def known_secrets(settings: Settings) -> tuple[KnownSecret, ...]:
    """Every configured signing secret, those of endpoints first; each value once."""
    found: dict[Secret, KnownSecret] = {}
    for endpoint in settings.webhooks.endpoints:
        if endpoint.secret:
            place = f"webhooks.endpoints[{endpoint.name or endpoint.url}].secret"
            found.setdefault(endpoint.secret, KnownSecret(place, endpoint.secret))
    shared = settings.stripe.webhook_secrets if settings.stripe else ()
    for number, secret in enumerate(shared):
        if secret:
            known = KnownSecret(f"stripe.webhook_secrets[{number}]", secret)
            found.setdefault(secret, known)
    return tuple(found.values())


def own_secrets(settings: Settings, endpoint: WebhookEndpoint) -> tuple[Secret, ...]:
    """What this endpoint should accept: its own secret, else any of stripe.webhook_secrets."""
    if endpoint.secret:
        return (endpoint.secret,)
    shared = settings.stripe.webhook_secrets if settings.stripe else ()
    return tuple(dict.fromkeys(secret for secret in shared if secret))
