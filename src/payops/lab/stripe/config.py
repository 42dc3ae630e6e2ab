"""The simulator's configuration: a JSON file, or its defaults."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from payops.lab.stripe.keys import ApiKey
from payops.lab.stripe.limits import Limits
from payops.lab.stripe.objects import StripeObject, account, derived_token

ACCOUNT_ID = "acct_1PayopsLabAccnt0"


def default_key(*, livemode: bool = False) -> str:
    """The secret key that a simulator without configuration accepts, of this mode.

    Made up here and not spelt out, so that no scanner takes it for a leaked one.
    """
    mode = "live" if livemode else "test"
    return f"sk_{mode}_{derived_token(f'payops lab {mode}', 24)}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """How webhooks are delivered. Stripe does not publish its intervals: these are the lab's."""

    base_s: float = 2.0
    """Delay before the first retry; each later one is twice as long."""
    cap_s: float = 60.0
    """The longest delay."""
    attempts: int = 16
    """Attempts before a delivery is given up."""
    timeout_s: float = 10.0
    """How long an endpoint may take to answer."""


@dataclass(frozen=True, slots=True)
class Config:
    """What the simulated account is.

    `livemode` is that of objects which carry none themselves (refunds, balance transactions);
    left out, it is that of the first key. `seed` makes the ids of new objects repeatable.
    """

    account: StripeObject = field(default_factory=lambda: account(id=ACCOUNT_ID))
    keys: tuple[ApiKey, ...] = (
        ApiKey(default_key(), livemode=False),
        ApiKey(default_key(livemode=True), livemode=True),
    )
    webhook_endpoints: tuple[Mapping[str, Any], ...] = ()
    api_version: str = "2024-06-20"
    rate_limits: Limits = field(default_factory=Limits)
    latency_ms: int = 0
    delivery: Delivery = Delivery()
    livemode: bool | None = None
    seed: str | None = None

    @property
    def default_livemode(self) -> bool:
        """The mode of objects that do not say."""
        if self.livemode is not None:
            return self.livemode
        return self.keys[0].livemode if self.keys else False


def parse(given: Mapping[str, Any]) -> Config:
    """A configuration from JSON. Raises ValueError naming an unknown key or a wrong value."""
    unknown = set(given) - set(Config.__dataclass_fields__)
    if unknown:
        raise ValueError(f"unknown configuration keys: {', '.join(sorted(unknown))}")
    made: dict[str, Any] = dict(given)
    try:
        if "account" in given:
            made["account"] = {**account(id=ACCOUNT_ID), **given["account"]}
        if "keys" in given:
            made["keys"] = tuple(_key(key) for key in given["keys"])
        if "webhook_endpoints" in given:
            made["webhook_endpoints"] = tuple(_endpoint(e) for e in given["webhook_endpoints"])
        if "rate_limits" in given:
            made["rate_limits"] = Limits().changed(given["rate_limits"])
        if "delivery" in given:
            made["delivery"] = Delivery(**given["delivery"])
    except (TypeError, KeyError) as error:
        raise ValueError(f"wrong configuration: {error}") from error
    return Config(**made)


def read(path: Path) -> Config:
    """The configuration in a file. Raises ValueError for what is not one, with the file's name."""
    try:
        return parse(json.loads(path.read_text("utf-8")))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _key(given: Mapping[str, Any]) -> ApiKey:
    return ApiKey(**{"livemode": "_live_" in given["key"], **given})


def _endpoint(given: Mapping[str, Any]) -> Mapping[str, Any]:
    allowed = {"id", "url", "secret", "enabled_events", "status", "livemode", "description"}
    allowed |= {"api_version"}
    unknown = set(given) - allowed
    if unknown:
        raise ValueError(f"unknown webhook endpoint keys: {', '.join(sorted(unknown))}")
    if not {"id", "url", "secret"} <= set(given):
        raise ValueError("a webhook endpoint has id, url and secret")
    return given
