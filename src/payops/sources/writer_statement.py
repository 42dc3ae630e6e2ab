"""The SQL of one change: as it is run, with parameters, and as it is shown, with the values in it.

Both come from the same lines, so that what was reviewed is what runs. The key finds the row by its
index; what the plan saw is compared as text, exactly: 10.0 is not 10.00.
"""

from __future__ import annotations

import re
from typing import Any

from psycopg import sql

from payops.domain.plan import Change, Values
from payops.domain.text import DANGEROUS
from payops.sources.identifier import identifier
from payops.sources.writer_table import Table

# pg_catalog's names that mean the same unquoted; bit and char would be bit(1) and char(1).
_PLAIN = re.compile(r"(?!bit$|char$)[a-z][a-z0-9]*")
_ROW = "payops_row"
_DANGEROUS = re.compile(f"[{DANGEROUS}]")


class Statement:
    """Composes for one table; `shown` writes values into the text instead of placeholders."""

    def __init__(self, table: Table, *, shown: bool = False) -> None:
        self._table = table
        self._shown = shown
        self.params: dict[str, Any] = {}

    def of(self, change: Change) -> sql.Composed:
        """The compare-and-set itself."""
        match change.kind:
            case "insert":
                return self._insert(change)
            case "delete":
                return self._delete(change)
            case _:
                return self._update(change)

    def look(self, change: Change) -> sql.Composed:
        """The row as it is, every column of the change as text; where whole rows come and go, the
        row's hash too. Else no other column is touched: the role may have no right to it."""
        columns: list[sql.Composable] = [
            sql.SQL("{}::text AS {}").format(self._name(name), self._name(name))
            for name in change.columns
        ]
        if change.kind != "update":
            hash_name = self._name(self.hash_name(change))
            columns.append(sql.SQL("{} AS {}").format(self._hash, hash_name))
        return sql.SQL("SELECT {} FROM {} WHERE {} LIMIT 2").format(
            sql.SQL(", ").join(columns),
            self._from,
            self._key(change.key),
        )

    def lock(self) -> sql.Composed:
        """Nobody else may write to the table: for an insert that no unique index guards."""
        return sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(self._whole)

    @staticmethod
    def hash_name(change: Change) -> str:
        """A name for the hash that no column of the change has."""
        name = "payops_hash"
        while name in change.columns:
            name += "_"
        return name

    def _update(self, change: Change) -> sql.Composed:
        sets = [
            sql.SQL("{} = {}").format(self._name(name), self._value(name, value))
            for name, value in change.after.items()
        ]
        return sql.SQL("UPDATE {}\nSET {}\nWHERE {}{}").format(
            self._from, sql.SQL(",\n    ").join(sets), self._key(change.key), self._seen(change)
        )

    def _insert(self, change: Change) -> sql.Composed:
        return sql.SQL(
            "INSERT INTO {} ({})\nSELECT {}\nWHERE NOT EXISTS (SELECT FROM {} WHERE {})"
        ).format(
            self._whole,
            sql.SQL(", ").join(self._name(name) for name in change.after),
            sql.SQL(",\n    ").join(
                self._value(name, value) for name, value in change.after.items()
            ),
            self._from,
            self._key(change.key),
        )

    def _delete(self, change: Change) -> sql.Composed:
        return sql.SQL("DELETE FROM {}\nWHERE {}{}\n    AND {} = {}").format(
            self._from,
            self._key(change.key),
            self._seen(change),
            self._hash,
            self._text(change.row),
        )

    def _key(self, key: Values) -> sql.Composed:
        return sql.SQL("\n    AND ").join(
            sql.SQL("{} = {}").format(self._name(name), self._value(name, value))
            for name, value in key.items()
        )

    def _seen(self, change: Change) -> sql.Composed:
        parts = [
            sql.SQL("\n    AND {} IS NULL").format(self._name(name))
            if value is None
            else sql.SQL("\n    AND {}::text = {}").format(self._name(name), self._text(value))
            for name, value in change.before.items()
        ]
        return sql.Composed(parts)

    def _name(self, name: str) -> sql.Composable:
        return sql.Identifier(name) if self._shown else identifier(name)

    @property
    def _whole(self) -> sql.Composable:
        parts = (self._table.schema, self._table.name)
        return sql.Identifier(*parts) if self._shown else identifier(*parts)

    @property
    def _from(self) -> sql.Composable:
        return sql.SQL("{} AS {}").format(self._whole, sql.SQL(_ROW))

    @property
    def _hash(self) -> sql.Composable:
        return sql.SQL(f"encode(sha256(convert_to(({_ROW}.*)::text, 'UTF8')), 'hex')")

    def _value(self, name: str, value: str | None) -> sql.Composable:
        if value is None:
            return sql.SQL("NULL")
        return sql.SQL("{}::{}").format(self._text(value), self._type(name))

    def _type(self, name: str) -> sql.Composable:
        schema, kind = self._table.columns[name].type
        if schema == "pg_catalog" and _PLAIN.fullmatch(kind):
            return sql.SQL(kind)  # letters and digits of the catalog's
        return sql.Identifier(schema, kind) if self._shown else identifier(schema, kind)

    def _text(self, value: str) -> sql.Composable:
        if self._shown:
            return _literal(value)
        place = f"p{len(self.params)}"
        self.params[place] = value
        return sql.Placeholder(place)


def _literal(value: str) -> sql.Composable:
    """A text as SQL writes it, on one line: what a terminal would obey is an escape of SQL's."""
    if not _DANGEROUS.search(value):
        return sql.Literal(value)
    text = value.replace("\\", r"\\").replace("'", "''")
    return sql.SQL(f"E'{_DANGEROUS.sub(_escape, text)}'")


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def statement_of(change: Change, table: Table) -> str:
    """The change's SQL as it will run, for people."""
    return Statement(table, shown=True).of(change).as_string(None)
