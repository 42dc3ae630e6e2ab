"""Both sides from files, when one of them is down: `--stripe-file` and `--ledger-file`.

Several files and globs, plain or gzipped, of any size: nothing is held in memory. What a file is
shows in its first bytes, not in its name.
"""

from __future__ import annotations

import glob
import gzip
import math
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

from payops.errors import PayopsError, UsageError
from payops.reconcile.files_duckdb import connect
from payops.reconcile.files_json import objects
from payops.reconcile.files_stripe import StripeTable, merge
from payops.reconcile.files_table import Table, open_table
from payops.reconcile.spool import private, telling
from payops.reconcile.spool_schema import KINDS
from payops.sources import stripe_rows

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.reconcile.fetch import FetchOptions
    from payops.reconcile.progress import Meter
    from payops.reconcile.spool import Spool
    from payops.sources.stripe_rows import Shape

Form = Literal["json", "parquet", "csv"]
_GZIP = b"\x1f\x8b"
_BATCH = 1000


def read_stripe(options: FetchOptions, shape: Shape, spool: Spool, meter: Meter) -> datetime:
    """Stripe's side from `options.stripe_files`; gives when the oldest file was written.

    Raises UsageError for a pattern without a file, PayopsError, with file and line, for what
    cannot be read.
    """
    paths = expand(options.stripe_files)
    draft = spool.folder(".files")
    with telling(draft), connect(spool.path) as database:
        kinds: set[str] = set()
        with ExitStack() as stack:
            raw = _Raw(draft, shape, stack)
            for number, path in enumerate(paths):
                if form_of(path) == "json":
                    kinds |= raw.read(path, meter)
                else:
                    table = open_table(database, path, form_of(path))
                    kinds |= StripeTable(table, shape).write(draft, number)
        if not kinds & {"intents", "charges"}:
            raise PayopsError(
                f"{', '.join(map(str, paths))}: no payment intents and no charges",
                hint="`stripe payment_intents list`, the Dashboard's export of payments, or the "
                "itemized balance report",
            )
        since = math.floor((options.window.since - options.slack).timestamp())
        until = math.ceil((options.window.until + options.slack).timestamp())
        as_of = min(_written(path) for path in paths)
        for kind in ("intents", "refunds", "disputes", "sessions"):
            if kind == "sessions" and kind not in kinds:
                continue
            spool.drop(kind)
            into = spool.folder(kind) / "rows.csv"
            count = merge(database, draft, kind, (since, until), into)
            spool.mark(kind, count=count, as_of=as_of)
    spool.drop(".files")
    return as_of


def read_ledger(
    options: FetchOptions,
    name: str,
    ledgers: Mapping[str, Ledger],
    spool: Spool,
    meter: Meter,
) -> datetime:
    """One ledger from its files among `options.ledger_files`, as `read_stripe` does.

    A ledger that no file is given for is empty.
    """
    from payops.reconcile.files_ledger import write_ledger

    paths = expand(ledger_patterns(options.ledger_files, ledgers)[name])
    kind = f"ledger-{name}"
    spool.drop(kind)
    into = spool.folder(kind) / "rows.csv"
    since, until = options.window.since - options.slack, options.window.until + options.slack
    with telling(into), connect(spool.path) as database:
        tables: list[Table] = []
        for path in paths:
            form = form_of(path)
            tables.append(open_table(database, path, "ndjson" if form == "json" else form))
        count = write_ledger(database, tables, ledgers[name], (since, until), into)
    meter.add(objects=count)
    as_of = min((_written(path) for path in paths), default=datetime.now(UTC))
    spool.mark(kind, count=count, as_of=as_of)
    return as_of


def ledger_patterns(
    given: tuple[str, ...], ledgers: Mapping[str, Ledger]
) -> dict[str, tuple[str, ...]]:
    """Patterns by ledger: `NAME=PATH`, or a path alone for the first ledger of payments."""
    patterns: dict[str, tuple[str, ...]] = dict.fromkeys(ledgers, ())
    first = next((name for name, each in ledgers.items() if each.kind == "payments"), None)
    for each in given:
        name, sign, pattern = each.partition("=")
        if not sign or name not in ledgers:
            name, pattern = first or "", each
        if name not in ledgers:
            raise UsageError(
                f"--ledger-file {each}: no ledger of payments is configured",
                hint="map one in the configuration, or say whose it is: NAME=PATH",
            )
        patterns[name] += (pattern,)
    return patterns


def expand(patterns: tuple[str, ...]) -> list[Path]:
    """The files of paths and globs, each once. Raises UsageError for one that matches none."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern).expanduser()
        matches = (
            [path]
            if path.is_file()
            else [Path(m) for m in sorted(glob.glob(str(path), recursive=True))]
        )
        matches = [each for each in matches if each.is_file()]
        if not matches:
            raise UsageError(f"{pattern}: no such file", hint="give a path, or a glob in quotes")
        found |= dict.fromkeys(matches)
    return list(found)


def form_of(path: Path) -> Form:
    """What a file is, by its first bytes."""
    with opened(path) as file:
        head = file.read(4096)
    if head[:4] == b"PAR1":
        return "parquet"
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise PayopsError(f"{path}: is UTF-16", hint="save it as UTF-8")
    return "json" if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") else "csv"


def opened(path: Path) -> BinaryIO:
    """A file's bytes, uncompressed."""
    with path.open("rb") as file:
        gzipped = file.read(2) == _GZIP
    return cast("BinaryIO", gzip.open(path)) if gzipped else path.open("rb")


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


class _Raw:
    """Stripe's objects of JSON files as rows, by kind; charges apart from intents."""

    def __init__(self, folder: Path, shape: Shape, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._files: dict[str, BinaryIO] = {}
        intents = stripe_rows.intents(shape)
        refunds, disputes = stripe_rows.refunds(), stripe_rows.disputes()
        sessions = stripe_rows.sessions(shape)
        charge = stripe_rows.charge_decoder()

        def of_charge(made: Any) -> tuple[Any, ...]:
            return stripe_rows.charge_as_intent(made, shape)

        self._known: dict[str, tuple[str, Callable[[bytes], Any], Callable[[Any], Any]]] = {
            "payment_intent": ("intents", intents.decode_one, intents.row),
            "charge": ("charges", charge, of_charge),
            "refund": ("refunds", refunds.decode_one, refunds.row),
            "dispute": ("disputes", disputes.decode_one, disputes.row),
            "checkout.session": ("sessions", sessions.decode_one, sessions.row),
        }

    def read(self, path: Path, meter: Meter) -> set[str]:
        """Write a file's objects; gives the kinds found."""
        import msgspec

        rows: dict[str, list[Any]] = {}
        kinds: set[str] = set()
        held = 0
        with opened(path) as file:
            for line, word, text in objects(file, path):
                if word not in self._known:
                    continue
                kind, decode, row = self._known[word]
                try:
                    rows.setdefault(kind, []).append(row(decode(text)))
                except msgspec.MsgspecError as error:
                    raise PayopsError(
                        f"{path}, line {line}: not a {word}: {error}",
                        hint="give Stripe's own objects, as the API and its CLI print them",
                    ) from error
                held += 1
                if held >= _BATCH:
                    self._write(rows)
                    meter.add(objects=held)
                    meter.tell()
                    kinds |= set(rows)
                    rows, held = {}, 0
        self._write(rows)
        meter.add(objects=held)
        return kinds | set(rows)

    def _write(self, rows: dict[str, list[Any]]) -> None:
        for kind, some in rows.items():
            if kind not in self._files:
                file = private(self._folder / f"{kind}-json.csv")
                self._files[kind] = self._stack.enter_context(file)
                columns = KINDS["intents" if kind == "charges" else kind]
                file.write((",".join(columns) + "\n").encode())
            self._files[kind].write(stripe_rows.csv_text(some).encode())
