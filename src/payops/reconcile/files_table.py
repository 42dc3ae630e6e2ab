"""A CSV, Parquet or NDJSON file as a table of texts, whatever types it gives its columns."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, cast

from payops.errors import PayopsError
from payops.reconcile.files_duckdb import given, literal, quoted, rows, statement, text_types

if TYPE_CHECKING:
    import duckdb

_GZIP = b"\x1f\x8b"
_DELIMITERS = ",;\t|"
# Lines of NDJSON whose keys are taken for the table's columns.
_LOOKED_AT = 1000


@dataclass(frozen=True)
class Table:
    """A view in the database: `columns` as the file spells them, all text, and `_n` from 1."""

    database: duckdb.DuckDBPyConnection
    path: Path
    view: str
    columns: tuple[str, ...]
    lines: Callable[[int], int]

    def value(self, record: int, names: list[str]) -> str | None:
        """What the first of some columns holds in a record."""
        if not names:
            return None
        query = f"SELECT {given(names)} FROM {self.view} WHERE _n = {record}"  # noqa: S608
        ((found,),) = rows(self.database, query)
        return None if found is None else str(found)

    def error(self, record: int, what: str, hint: str = "") -> PayopsError:
        """What is wrong with a record, with file and line."""
        return PayopsError(f"{self.path}, line {self.lines(record)}: {what}", hint=hint)


def open_table(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    form: Literal["csv", "parquet", "ndjson", "json"],
) -> Table:
    """Make a view of a file. Raises PayopsError, with file and line, when it cannot be read."""
    import duckdb

    with path.open("rb") as file:
        gzipped = file.read(2) == _GZIP
    compression = "gzip" if gzipped else "none"
    view = f"file_{len(rows(database, 'FROM duckdb_views() WHERE NOT internal'))}"
    name = literal(str(path))

    def exactly(record: int) -> int:
        return record

    lines: Callable[[int], int] = exactly
    try:
        if form == "csv":
            columns, delimiter = _header(path, gzipped)
            types = text_types(columns)
            places = {"path": name, "compression": compression, "delimiter": delimiter}
            read = statement("csv", types=types, **places)

            def lines_of(record: int) -> int:
                return _line_of(path, gzipped, delimiter, record)

            lines = lines_of
        elif form == "parquet":
            read = statement("parquet", path=name)
            columns = [str(row[0]) for row in rows(database, f"DESCRIBE {read}")]
        else:
            places = {"path": name, "compression": "gzip" if gzipped else "uncompressed"}
            look = statement("ndjson", values="json", **places)
            keys = f"SELECT DISTINCT unnest(json_keys(json)) FROM ({look} LIMIT {_LOOKED_AT})"  # noqa: S608
            columns = sorted(str(row[0]) for row in rows(database, keys))
            values = ", ".join(
                f"json ->> {literal('$.' + quoted(each))} AS {quoted(each)}" for each in columns
            )
            read = statement("ndjson", values=values or "json", **places)
        database.execute(
            f"CREATE VIEW {view} AS SELECT *, row_number() OVER () AS _n FROM ({read})"  # noqa: S608
        )
    except duckdb.Error as error:
        raise unreadable(path, error) from error
    return Table(database, path, view, tuple(columns), lines)


def unreadable(path: Path | Iterable[Path], error: Exception) -> PayopsError:
    """What DuckDB says, its first lines as one."""
    paths = [path] if isinstance(path, Path) else list(path)
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in said if not line.startswith("Original Line")]  # a customer's
    where = ", ".join(map(str, paths))
    return PayopsError(f"{where}: {' '.join(said[:3])}", hint="is the file complete, and UTF-8?")


def _header(path: Path, gzipped: bool) -> tuple[list[str], str]:
    with _text(path, gzipped) as file:
        try:
            first = file.readline()
            delimiter = max(_DELIMITERS, key=first.count)
            file.seek(0)
            names = next(csv.reader(file, delimiter=delimiter), [])
        except (UnicodeDecodeError, csv.Error) as error:
            raise PayopsError(f"{path}, line 1: {error}", hint="save it as UTF-8") from error
    if not [each for each in names if each.strip()]:
        raise PayopsError(f"{path}: is empty", hint="a header line and rows are expected")
    unique: list[str] = []
    for number, each in enumerate(names):
        name = each.strip() or f"column {number + 1}"
        while name.lower() in (known.lower() for known in unique):
            name += "_"  # DuckDB's names differ in more than case
        unique.append(name)
    return unique, delimiter


def _line_of(path: Path, gzipped: bool, delimiter: str, record: int) -> int:
    """The line on which a record (from 1, after the header) begins."""
    with _text(path, gzipped) as file:
        reader = csv.reader(file, delimiter=delimiter)
        before = 0
        seen = -1
        for row in reader:
            seen += bool(row)
            if seen == record:
                return before + 1
            before = reader.line_num
    return record + 1


def _text(path: Path, gzipped: bool) -> io.TextIOWrapper:
    file = cast("BinaryIO", gzip.open(path)) if gzipped else path.open("rb")  # noqa: SIM115
    return io.TextIOWrapper(file, "utf-8-sig", newline="")
