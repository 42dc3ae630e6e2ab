"""A Stripe simulator on loopback: Stripe's API, webhooks and status page, and their failures.

`python -m payops.lab.stripe --dir D` runs it; `Simulator` runs it inside a test. `objects`
has the builders of Stripe's objects, `store` the file store that serves them.
"""
