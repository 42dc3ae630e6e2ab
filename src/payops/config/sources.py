"""How the dependencies are reached: `stripe:`, `postgres:`, `redis:`."""

from __future__ import annotations

import re
from typing import Annotated

from msgspec import Meta

from payops.config.section import Duration, Section, span
from payops.domain.secret import Secret

# Stripe allows 100 requests/s live and 25/s in a sandbox for the whole account; a diagnosis tool
# must never starve live payments (STRIPE.md, 'Limits'), so it takes less than half of the latter.
DEFAULT_REQUESTS_PER_SECOND = 10.0

_LIVE = re.compile(r"(?:[a-z]+_)+live_")


def _in_clear(url: str) -> bool:
    """Whether what is sent there can be read on the way: http, but not to this machine."""
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname == "localhost":
            return False
        return not ip_address(parts.hostname or "").is_loopback
    except ValueError:  # a name
        return url[:5].lower() == "http:"


class StripeSettings(Section, frozen=True):
    """How to reach Stripe."""

    secret_key: Annotated[
        Secret, Meta(description="Secret or restricted key: sk_live_…, rk_live_…")
    ]
    publishable_key: Annotated[str, Meta(description="Publishable key of the same account")] = ""
    webhook_secrets: Annotated[
        tuple[Secret, ...], Meta(description="Signing secrets of the webhook endpoints: whsec_…")
    ] = ()
    api_base: Annotated[str, Meta(description="Base URL of the API")] = "https://api.stripe.com"
    status_url: Annotated[
        str, Meta(description="Status page, JSON; empty switches the check off")
    ] = "https://status.stripe.com/current"
    account: Annotated[str, Meta(description="Expected account id, acct_…")] = ""
    api_version: Annotated[
        str, Meta(description="Pinned Stripe-Version; empty is the account's own default")
    ] = ""
    max_requests_per_second: Annotated[
        float, Meta(gt=0, le=100, description="Budget of payops; Stripe allows 100 live, 25 test")
    ] = DEFAULT_REQUESTS_PER_SECOND
    timeout: Annotated[Duration, Meta(description="Longest wait for one answer")] = span(5)

    def __post_init__(self) -> None:
        super().__post_init__()
        # Its form is told by `config check` and `keys check`, which have to be able to load it.
        if _LIVE.match(self.secret_key.reveal().strip(" \t\r\n\"'")) and _in_clear(self.api_base):
            raise ValueError(
                ".api_base: a live key goes over https only: over http anybody on the way reads it"
            )


class PostgresSettings(Section, frozen=True):
    """How to reach the database. `dsn` may be a replica: its lag is shown."""

    dsn: Annotated[Secret, Meta(description="libpq URL or key=value; a read-only role is best")]
    write_dsn: Annotated[
        Secret | None, Meta(description="Used by `payops apply` alone; never for reading")
    ] = None
    statement_timeout: Annotated[Duration, Meta(description="Server side")] = span(2)
    lock_timeout: Annotated[Duration, Meta(description="Server side")] = span(0.2)
    connect_timeout: Annotated[Duration, Meta(description="For each address")] = span(3)


class RedisSettings(Section, frozen=True):
    """How to reach Redis."""

    url: Annotated[
        Secret, Meta(description="redis://, rediss:// (TLS) or unix://; user:password ACLs")
    ]
    timeout: Annotated[Duration, Meta(description="Connect, and each answer")] = span(2)
    ca_file: Annotated[str, Meta(description="CA bundle for rediss:// with a private CA")] = ""
