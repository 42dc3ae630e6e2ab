"""Templates of Stripe's objects: every field that Stripe's own published examples have.

Derived from the fixtures of stripe/openapi (MIT, Copyright (c) 2011- Stripe, Inc.; the
licence is in NOTICE, beside shapes.json).
"""

import hashlib
import json
import random
from functools import cache
from importlib import resources
from typing import Any

StripeObject = dict[str, Any]
"""One Stripe object as decoded JSON; its kind is under `object`."""

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTHS = {"cus": 14, "req": 14, "acct": 16, "cs_test": 58, "cs_live": 58}


@cache
def _templates() -> dict[str, str]:
    text = resources.files("payops.lab.stripe").joinpath("shapes.json").read_text("utf-8")
    shapes = json.loads(text)
    return {kind: json.dumps(body) for kind, body in shapes.items() if kind != "_notice"}


def kinds() -> tuple[str, ...]:
    """The object kinds that have a template, as Stripe's `object` field names them."""
    return tuple(_templates())


def shape(kind: str, **fields: Any) -> StripeObject:
    """A fresh object of `kind` with `fields` set; every other field has its neutral value.

    Raises KeyError for a kind without template and for a field that the kind does not have.
    """
    # Decoding a string is the cheapest deep copy: about 15 us for a PaymentIntent.
    made: StripeObject = json.loads(_templates()[kind])
    for name, value in fields.items():
        if name not in made:
            raise KeyError(f"a Stripe {kind} has no field {name!r}")
        made[name] = value
    return made


def new_id(prefix: str, rng: random.Random) -> str:
    """An id as Stripe makes them: `pi_` and 24 letters or digits, `cus_` and 14, and so on.

    `prefix` comes without its underscore (`pi`, `ch`, `evt`, `cs_test`); the same state of
    `rng` gives the same id.
    """
    length = _ID_LENGTHS.get(prefix, 24)
    return prefix + "_" + "".join(rng.choices(_ALPHABET, k=length))


def derived_token(seed: str, length: int) -> str:
    """Letters and digits fixed by `seed`, for values that Stripe makes beside an id."""
    number = int.from_bytes(hashlib.sha512(seed.encode()).digest(), "big")
    letters = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return "".join(letters)
