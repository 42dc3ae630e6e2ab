"""Names of the user's tables and columns, quoted."""

from __future__ import annotations

from psycopg import sql


def identifier(*parts: str) -> sql.Identifier:
    """A name, or its parts (`schema`, `table`), quoted for a query that takes parameters.

    psycopg quotes `"` but not the `%` of its own placeholders, which a name may have too.
    """
    return sql.Identifier(*(part.replace("%", "%%") for part in parts))
