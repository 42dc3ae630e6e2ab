"""One POST being carried out: its parameters, and what it may do to the account."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from payops.lab.stripe import objects
from payops.lab.stripe.clock import Clock
from payops.lab.stripe.errors import (
    StripeError,
    invalid_integer,
    missing,
    missing_parameter,
    unknown_parameter,
)
from payops.lab.stripe.forms import Parameters
from payops.lab.stripe.objects import StripeObject
from payops.lab.stripe.rows import scope as scope_of
from payops.lab.stripe.store import Store
from payops.lab.stripe.webhooks import Webhooks


@dataclass(slots=True)
class Call:
    """What an operation works with. Objects that it saves belong to the caller's mode."""

    store: Store
    webhooks: Webhooks
    clock: Clock
    rng: random.Random
    parameters: Parameters
    livemode: bool
    account: str | None = None
    """The connected account of the Stripe-Account header, if any."""
    request_id: str | None = None
    idempotency_key: str | None = None
    api_version: str | None = None

    @property
    def scope(self) -> str:
        """The part of the store that this call sees."""
        return scope_of(self.livemode, self.account)

    def now(self) -> int:
        """Stripe's time in epoch seconds."""
        return int(self.clock.now())

    def new_id(self, prefix: str) -> str:
        """A new id."""
        return objects.new_id(prefix, self.rng)

    def save(self, made: StripeObject) -> None:
        """Store an object as it is now."""
        self.store.put(made, livemode=self.livemode, account=self.account)

    def emit(
        self, type_: str, made: StripeObject, previous: Mapping[str, Any] | None = None
    ) -> None:
        """Make an event about `made` and queue it for the webhook endpoints, unless it is muted."""
        if type_ in self.webhooks.muted:
            return
        event = objects.event(
            id=self.new_id("evt"),
            type=type_,
            data_object=made,
            created=self.now(),
            livemode=self.livemode,
            previous_attributes=previous,
            request_id=self.request_id,
            idempotency_key=self.idempotency_key,
            api_version=self.api_version,
        )
        self.webhooks.publish(event, self.account)

    def find(self, kind: str, id_: str, *, param: str, status: int = 404) -> StripeObject:
        """An object of the account. Raises StripeError when it is not there."""
        try:
            return self.store.get(id_, self.scope, kind)
        except KeyError:
            raise missing(kind, id_, param=param, status=status) from None

    # Parameters, checked before anything is carried out

    def allow(self, *names: str) -> None:
        """Raises StripeError 400 for a parameter beside `names` and `expand`."""
        for name in self.parameters:
            if name not in names and name != "expand":
                raise unknown_parameter(name)

    def text(self, name: str) -> str | None:
        """A string; None when it was left out or sent empty, which in Stripe unsets a field."""
        value = self.parameters.get(name)
        if value is not None and not isinstance(value, str):
            raise StripeError(400, f"Invalid string: {value}", param=name)
        return value or None

    def required(self, name: str) -> str:
        """A string that must be there."""
        value = self.text(name)
        if value is None:
            raise missing_parameter(name)
        return value

    def amount(self, name: str = "amount") -> int | None:
        """A positive amount in minor units."""
        value = self.text(name)
        if value is None:
            return None
        if not value.lstrip("-").isdecimal():
            raise invalid_integer(name, value)
        if int(value) < 1:
            raise StripeError(
                400,
                "This value must be greater than or equal to 1.",
                code="parameter_invalid_integer",
                param=name,
            )
        return int(value)

    def flag(self, name: str) -> bool:
        """A boolean, false when left out."""
        value = self.parameters.get(name, "false")
        if value not in ("true", "false"):
            raise StripeError(400, f"Invalid boolean: {value}", param=name)
        return bool(value == "true")

    def metadata(self) -> dict[str, str]:
        """The metadata hash."""
        value = self.parameters.get("metadata", {})
        if value == "":
            return {}
        if not isinstance(value, dict):
            raise StripeError(400, "Invalid hash", param="metadata")
        return {name: str(part) for name, part in value.items()}
