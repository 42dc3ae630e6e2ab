"""The clean shop that the runbooks describe; its tables and its application are in `merchant/`."""

from __future__ import annotations

from collections.abc import Iterator

from payops.lab.history import History
from payops.lab.history.style import Style
from payops.lab.history.table import Table
from payops.lab.merchant.answer import Answer
from payops.lab.systems.system import Front, Strings, System


def _tables(history: History) -> Iterator[Table]:
    from payops.lab.history.load import ledger_tables

    return ledger_tables(history)


def _strings(history: History) -> Strings:
    return dict(history.redis_strings)


SYSTEMS = (
    System(
        name="reference",
        preset="reference",
        package="payops.lab.merchant",
        schema=("schema.sql",),
        style=Style(),
        tables=_tables,
        strings=_strings,
        stuck={"status": "pending", "completed_at": None},
        payload="payload",
        unhandled={"status": "processing", "processed_at": None},
        waiting={"status": "received", "processed_at": None, "attempts": 0},
        broken={
            "status": "failed",
            "processed_at": None,
            "error": "KeyError: 'metadata' in handlers.py, line 88",
        },
        dedupe="stripe_event:{event}",
        failed={"status": "failed"},
        # The shop itself answers (`merchant/shop.py`); these are its paths.
        front=Front(
            webhook="/webhooks/stripe",
            health="/health",
            received=Answer(200, {"status": "processed"}),
            refused=Answer(400, {"error": "invalid signature"}),
        ),
    ),
)
