"""A past so long that a missing index shows: for tests and benchmarks of the reference shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

# Older than all that a check looks at, and one every ten seconds before.
_MOMENTS = (
    "(SELECT n, now() - interval '40 days' - n * interval '10 s' AS at "
    "FROM generate_series(1, %(rows)s::integer) AS n) AS past"
)
_PAYMENTS = f"""
INSERT INTO payments (id, order_id, customer_id, customer_email, amount, currency, status,
  processor_ref, idempotency_key, failure_code, created_at, updated_at, completed_at)
SELECT gen_random_uuid(), 'past-' || n, 'cus_past' || n %% 50000, n %% 50000 || '@example.com',
  500 + n %% 10000, 'usd', CASE WHEN n %% 25 = 0 THEN 'failed' ELSE 'succeeded' END,
  'pi_past' || n, 'past-' || n, CASE WHEN n %% 25 = 0 THEN 'card_declined' END,
  at, at + interval '3 s', CASE WHEN n %% 25 > 0 THEN at + interval '3 s' END
FROM {_MOMENTS}
"""  # noqa: S608  both texts are of this file


def crowd(db: psycopg.Connection[Any], rows: int) -> None:
    """Add so many old payments to the ledger; Stripe knows none of them. `db` commits by itself."""
    db.execute(_PAYMENTS, {"rows": rows})
    db.execute("VACUUM (ANALYZE) payments")
