"""The lab's shop: a small, real application that takes payments through Stripe.

It runs as a process of its own (`python -m payops.lab.merchant --config FILE.json`), listens on
127.0.0.1 only, and has what the runbooks speak of: a ledger, an event log, idempotency keys,
deduplication of webhooks and a circuit breaker. `schema.sql` beside this file is its database.
"""
