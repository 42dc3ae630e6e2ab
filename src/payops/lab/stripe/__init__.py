"""A Stripe simulator on loopback: Stripe's API, webhooks and status page, and their failures.

`python -m payops.lab.stripe --dir D` runs it; `Simulator(D).running()` runs it inside a test.
`objects` has the builders of Stripe's objects, `loading` loads files of them, `control` tells
what can be done to it while it runs.
"""

from payops.lab.stripe.config import Config, Delivery, default_key
from payops.lab.stripe.loading import MalformedLineError, load_ndjson
from payops.lab.stripe.simulator import Simulator
from payops.lab.stripe.store import Store

__all__ = [
    "Config",
    "Delivery",
    "MalformedLineError",
    "Simulator",
    "Store",
    "default_key",
    "load_ndjson",
]
