"""Does the configuration fit the database? Every misfit at once, with the nearest name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from payops.domain.text import shortened
from payops.engine.config_parts import Part, Query, parts_of, queries_of
from payops.errors import Failure, NotConfiguredError, SourceError

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.sources.catalog import CatalogColumn, Tables
    from payops.sources.postgres import PostgresSource

# A status column with more words than these is no status column.
_MOST_WORDS = 100
_SHOWN = 60
_NUMBERS = "numeric int2 int4 int8 float4 float8 money text varchar bpchar".split()
_TIMES = "timestamptz timestamp date".split()
_TEXTS = "text varchar bpchar citext name uuid".split()
_FLAGS = "bool text varchar bpchar int2 int4".split()
_TYPES = {
    "number": frozenset(_NUMBERS),
    "time": frozenset(_TIMES),
    "text": frozenset(_TEXTS),
    "flag": frozenset(_FLAGS),
    "json": frozenset({"json", "jsonb", "text", "varchar"}),
}


@dataclass(frozen=True)
class Misfit:
    """One thing in the configuration that the database has not, or not so.

    `path` is that of the key, `what` says what is wrong, `hint` what to do. A `note` is worth
    knowing and hinders nothing.
    """

    path: str
    what: str
    hint: str = ""
    note: bool = False


@dataclass
class Fit:
    """What was found. `untold` says what could not be asked, and why; `tables` and `columns` how
    much was looked at."""

    misfits: list[Misfit] = field(default_factory=list)
    untold: list[Misfit] = field(default_factory=list)
    tables: int = 0
    columns: int = 0

    @property
    def wrong(self) -> list[Misfit]:
        """Without the notes."""
        return [one for one in self.misfits if not one.note]

    @property
    def notes(self) -> list[Misfit]:
        """What hinders nothing."""
        return [one for one in self.misfits if one.note]


def fit(settings: Settings, source: PostgresSource) -> Fit:
    """Hold all that the configuration says of the database against it. Never raises SourceError:
    what does not answer is `untold`."""
    found = Fit()
    parts = list(parts_of(settings))
    try:
        from payops.sources.catalog import tables_of

        tables = tables_of(source, [part.table for part in parts])
        for part in parts:
            found.misfits += _of_part(part, tables, source)
            found.misfits += _of_words(part, tables, source, found)
        for query in queries_of(settings):
            found.misfits += _of_query(query, source, found)
    except SourceError as error:
        found.untold.append(Misfit("postgres", error.told, error.hint))
    else:
        found.tables = len({part.table for part in parts if part.table in tables})
        found.columns = sum(len(part.columns) for part in parts if part.table in tables)
    return found


def database(settings: Settings, deadline_s: float) -> PostgresSource:
    """The database of the configuration. Raises NotConfiguredError."""
    from payops.domain.deadline import Deadline
    from payops.sources.postgres import PostgresSource

    if settings.postgres is None:
        raise NotConfiguredError("postgres is not configured: nothing to hold the mapping against")
    return PostgresSource(settings.postgres, Deadline.after(deadline_s))


def _of_part(part: Part, tables: Tables, source: PostgresSource) -> Iterator[Misfit]:
    """The table is there, and each column, of a type that can be read, by our role."""
    columns = tables.get(part.table)
    if columns is None:
        if part.unread and not part.tolerant:
            return  # a fix of a ledger, whose table is told already
        near = source.nearest(part.table.rpartition(".")[2], "table")
        what = f'table "{part.table}" does not exist'
        yield Misfit(f"{part.path}.table", what, _mean(near), note=part.tolerant)
        return
    denied = []
    for word, name in part.columns.items():
        path = f"{part.path}.{part.section}.{word}" if part.section else part.path
        column = columns.get(name)
        if column is None:
            what = f'table "{part.table}" has no column "{name}"'
            yield Misfit(path, what, _mean(_near(name, columns)), note=part.tolerant)
            continue
        if not column.readable and not part.unread:
            denied.append(name)
        kind = part.kinds.get(word)
        if kind and column.type not in _TYPES[kind] and not (kind == "text" and column.labels):
            what = f'column "{name}" of "{part.table}" is of type {column.type}'
            wanted = ", ".join(sorted(_TYPES[kind]))
            yield Misfit(path, what, f"{word} needs one of {wanted}")
    if denied:
        what = f'the role of postgres.dsn may not read {", ".join(denied)} of "{part.table}"'
        yield Misfit(part.path, what, "have the owner GRANT SELECT on the table, or these columns")


def _of_words(part: Part, tables: Tables, source: PostgresSource, found: Fit) -> Iterator[Misfit]:
    """Each status is mapped, and each mapped word can be one."""
    column = tables.get(part.table, {}).get(part.columns.get("status", ""))
    if column is None or not part.words or not column.readable:
        return
    path = f"{part.path}.statuses" if part.complete else part.path
    known = {_folded(word, part) for words in part.words.values() for word in words}
    if column.labels is not None:
        yield from _of_labels(part, column, column.labels)
    elif column.longest is not None:
        yield from _too_long(part, column, column.longest)
    if not part.complete:
        return
    try:
        from payops.sources.catalog import words_of

        seen = words_of(source, column, _MOST_WORDS + 1)
    except SourceError as error:
        if error.does_not_answer:
            raise
        found.untold.append(Misfit(path, f"its words could not be read: {error}", error.hint))
        return
    if len(seen) > _MOST_WORDS:
        what = f'column "{column.column}" has more than {_MOST_WORDS} values: is it the status?'
        yield Misfit(f"{part.path}.columns.status", what)
        return
    mapped = [word for words in part.words.values() for word in words]
    for each in seen:
        if each.word is None or _folded(each.word, part) in known:
            continue
        near = _near(each.word, mapped)
        hint = f"{_mean(near)}; " if near else ""
        what = f"{_rows(each.count)} {_quoted(each.word)}, which is under no word"
        yield Misfit(path, what, f"{hint}put it under payops' word for it")


def _of_labels(part: Part, column: CatalogColumn, labels: Sequence[str]) -> Iterator[Misfit]:
    have = {_folded(label, part) for label in labels}
    known = {_folded(word, part) for words in part.words.values() for word in words}
    path = f"{part.path}.statuses" if part.complete else part.path
    for word, words in part.words.items():
        # A list for several processors has words that one shape's enum lacks, in another case.
        for each in words:
            if _folded(each, part) not in have:
                what = f'the enum of "{column.column}" has no label {_quoted(each)}'
                yield Misfit(f"{path}.{word}", what, _mean(_near(each, labels)))
    for label in labels if part.complete else ():
        if _folded(label, part) not in known:
            mapped = [each for words in part.words.values() for each in words]
            hint = _mean(_near(label, mapped)) or "put it under payops' word for it"
            what = f'the enum of "{column.column}" has a label {_quoted(label)}'
            yield Misfit(path, f"{what}, which is under no word", hint)


def _too_long(part: Part, column: CatalogColumn, longest: int) -> Iterator[Misfit]:
    long = [each for words in part.words.values() for each in words if len(each) > longest]
    if long:
        words = ", ".join(map(_quoted, long))
        what = f'"{column.column}" is varchar({longest}), too short for {words}'
        hint = "a row with such a status cannot be written: the application's statement fails"
        yield Misfit(f"{part.path}.columns.status", what, hint, note=True)


def _of_query(query: Query, source: PostgresSource, found: Fit) -> Iterator[Misfit]:
    """The server can plan it."""
    from payops.sources.catalog import refuse_misfit
    from payops.sources.own_sql import missing_parts, planned

    try:
        absent = missing_parts(source, query.needs)
        if absent:
            what = f"is SKIP here: the database has no {', '.join(absent)}"
            yield Misfit(query.path, what, note=True)
        elif query.own:
            planned(source, query.text)
        else:
            refuse_misfit(source, query.text, query.params)
    except SourceError as error:
        if error.does_not_answer:
            raise
        if error.kind in (Failure.STATEMENT_TIMEOUT, Failure.LOCK_TIMEOUT):
            found.untold.append(Misfit(query.path, str(error), error.hint))
        else:
            yield Misfit(query.path, error.message.partition(": ")[2] or error.message, error.hint)


def _near(word: str, known: Mapping[str, object] | Sequence[str]) -> str:
    from payops.sources.postgres_errors import nearest

    return nearest(word, [(each, each) for each in known])


def _mean(near: str) -> str:
    return f"did you mean {shortened(near, _SHOWN)!r}?" if near else ""


def _folded(word: str, part: Part) -> str:
    return word if part.match_case else word.lower()


def _quoted(word: str) -> str:
    return repr(shortened(word, _SHOWN))


def _rows(count: int) -> str:
    return f"{count:,} row has" if count == 1 else f"{count:,} rows have"
