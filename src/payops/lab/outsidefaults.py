"""What scenarios do to BookedBarber's outside processors, and how it is undone exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg import sql

from payops.lab.scenario import Lab
from payops.lab.shop import put_back, rows_of, set_columns

CONNECTIONS = "payment_processor_connections"
COLLECTIONS = "platform_collections"
CONFIGURATIONS = "hybrid_payment_configs"
TRANSACTIONS = "external_transactions"


def change(lab: Lab, table: str, keys: Sequence[int], values: Mapping[str, object]) -> None:
    """Give the rows with these keys other values, remembered for `put_rows_right`."""
    keep(lab, table, keys)
    set_columns(lab, table, "id", [str(key) for key in keys], values)


def keep(lab: Lab, table: str, keys: Sequence[int]) -> None:
    """Remember the rows with these keys for `put_rows_right`."""
    lab.remember(table=table, rows=rows_of(lab, table, "id", [str(key) for key in keys]))


def put_rows_right(lab: Lab) -> None:
    """Make what was kept as it was."""
    kept = lab.recall()
    if kept.get("rows"):
        put_back(lab, kept["table"], kept["rows"])


def label(lab: Lab, table: str, word: str) -> str:
    """A label of the column `status`, in the case that this shape of the tables has."""
    query = sql.SQL("SELECT status::text FROM {} LIMIT 1").format(sql.Identifier(table))
    row = lab.postgres.execute(query).fetchone()
    return word.upper() if row and row[0].isupper() else word


def connections(lab: Lab, count: int) -> list[int]:
    """The keys of the first connections."""
    query = "SELECT id FROM payment_processor_connections ORDER BY id LIMIT %s"
    return [row[0] for row in lab.postgres.execute(query, (count,)).fetchall()]


def first_collections(lab: Lab, count: int) -> list[int]:
    """The keys of the oldest collections."""
    query = "SELECT id FROM platform_collections ORDER BY id LIMIT %s"
    return [row[0] for row in lab.postgres.execute(query, (count,)).fetchall()]
