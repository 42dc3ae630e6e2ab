"""Both sides into a spool on disk."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from payops.errors import Failure, NotConfiguredError, SourceError, UsageError
from payops.reconcile.late import TooLateError

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.config.settings import Settings
    from payops.domain.deadline import Deadline
    from payops.domain.window import Window
    from payops.reconcile.progress import Meter, Report
    from payops.reconcile.spool import Spool
    from payops.sources import Sources
    from payops.sources.ledger_copy import LedgerCopy
    from payops.sources.stripe_rows import Shape

# Changes with the spool's columns, so that an upgraded payops does not go on with older files.
_FORMAT = "1"


@dataclass(frozen=True)
class FetchOptions:
    """What to fetch, and how.

    `window` is what will be judged; rows up to `slack` beyond its edges are fetched as partners.
    `ledgers` are configured names, None for all. `stripe_files` and `ledger_files` are paths and
    globs that are read instead of that side; a ledger's may be written `NAME=PATH`, the first
    ledger of payments is meant otherwise. `fresh` and `reuse`: see `spool`. What is asked of
    Stripe and of the database ends at the `deadline`, and so does the reading of files.
    """

    window: Window
    slack: timedelta = timedelta(hours=1)
    fresh: bool = False
    ledgers: tuple[str, ...] | None = None
    stripe_files: tuple[str, ...] = ()
    ledger_files: tuple[str, ...] = ()
    progress: Report | None = None
    reuse: timedelta = timedelta(0)
    deadline: Deadline | None = None


@dataclass(frozen=True)
class SideFacts:
    """What was read of one side.

    `count` rows (of Stripe: PaymentIntents), `calls` requests sent, `seconds` it took; `as_of` is
    when the oldest of them was read, of files when the oldest file was written.
    """

    count: int
    calls: int
    seconds: float
    as_of: datetime
    source: Literal["stripe", "postgres", "file"]


@dataclass(frozen=True)
class Fetched:
    """Both sides on disk. `counts` are rows by kind: `intents`, `refunds`, `ledger-payments`, …"""

    spool: Spool
    stripe: SideFacts
    ledgers: Mapping[str, SideFacts]
    counts: Mapping[str, int] = field(default_factory=dict)


def fetch(settings: Settings, sources: Sources, options: FetchOptions) -> Fetched:
    """Read both sides into a spool, which stays open: `fetched.spool.close()` or `.remove()`.

    The kinds `intents`, `refunds` and `disputes` are always there, `sessions` when a ledger maps
    them, `ledger-NAME` for each ledger of the options. The mapping is held against the database
    before Stripe is asked; the ledgers are read last, so that both sides end at the same time.
    Raises SourceError when a side does not answer, TooLateError when both do and the deadline came
    first, PayopsError when the disk is full or a file
    cannot be read, KeyboardInterrupt: what was fetched stays, and the next run goes on with it.
    """
    from payops.reconcile.progress import Meter
    from payops.reconcile.spool import Spool

    ledgers = _chosen(settings, options)
    wanted = _Wanted.of(settings.ledgers.values(), ledgers.values())
    meter = Meter(options.progress)
    copies = _copies(settings, sources, options, ledgers)
    spool = Spool.open(
        settings,
        options.window,
        wanted.scope(settings, files=bool(options.stripe_files)),
        fresh=options.fresh or bool(options.stripe_files),
        reuse=options.reuse,
    )
    try:
        if options.stripe_files:
            stripe = _stripe_from_files(options, wanted, spool, meter)
        else:
            stripe = _stripe(settings, sources, options, wanted, spool, meter)
        facts: dict[str, SideFacts] = {}
        for name, ledger in ledgers.items():
            meter.begin(f"ledger {name}")
            if options.ledger_files:
                facts[name] = _ledger_from_files(options, name, ledger, ledgers, spool, meter)
            else:
                facts[name] = _ledger(options, name, copies[name], spool, meter)
        meter.tell(done=True)
        spool.finish()
    except BaseException:
        spool.close()
        raise
    return Fetched(spool, stripe, facts, {kind: spool.count(kind) for kind in spool.kinds})


@dataclass(frozen=True)
class _Wanted:
    """What the mapping needs of Stripe's side."""

    shape: Shape
    sessions: bool

    @classmethod
    def of(cls, configured: Iterable[Ledger], chosen: Iterable[Ledger]) -> _Wanted:
        """Keys of the metadata of every ledger; fees and sessions, which cost requests, only where
        a chosen one maps them."""
        from payops.sources.stripe_rows import Shape

        references = [ledger.references for ledger in configured if ledger.kind == "payments"]
        mapped = [ledger for ledger in chosen if ledger.kind == "payments"]

        def keys(name: str) -> tuple[str, ...]:
            found = (getattr(each, name) for each in references)
            return tuple(dict.fromkeys(key for key in found if key))

        shape = Shape(
            keys("local_id"),
            keys("order_id"),
            keys("session_local_id"),
            any(ledger.columns.fee for ledger in mapped),
        )
        by_session = any(
            ledger.columns.session_ref or ledger.references.session_local_id for ledger in mapped
        )
        return cls(shape, by_session)

    def scope(self, settings: Settings, *, files: bool) -> str:
        """Which spools hold the same rows of the same account."""
        stripe = settings.stripe
        account = (
            ["file"]
            if files or stripe is None
            else [stripe.api_base, stripe.account, stripe.secret_key.describe(), stripe.api_version]
        )
        parts = [_FORMAT, *account, repr(self)]
        return sha256("\n".join(parts).encode()).hexdigest()[:12]


def _chosen(settings: Settings, options: FetchOptions) -> dict[str, Ledger]:
    """The ledgers to read, by name. Raises UsageError for one that is not configured."""
    if options.ledgers is None:
        return dict(settings.ledgers)
    for name in options.ledgers:
        if name not in settings.ledgers:
            known = ", ".join(settings.ledgers) or "none is configured"
            near = get_close_matches(name, settings.ledgers, n=1)
            guess = f"did you mean {near[0]}? " if near else ""
            raise UsageError(f"there is no ledger {name!r}", hint=f"{guess}ledgers: {known}")
    return {name: settings.ledgers[name] for name in options.ledgers}


def _copies(
    settings: Settings, sources: Sources, options: FetchOptions, ledgers: Mapping[str, Ledger]
) -> dict[str, LedgerCopy]:
    if options.ledger_files or not ledgers:
        return {}
    source = sources.postgres
    assert settings.postgres is not None  # noqa: S101  there is a source of it
    from payops.sources.ledger_copy import LedgerCopy

    return {
        name: LedgerCopy.of(source, settings.postgres, ledger) for name, ledger in ledgers.items()
    }


def _stripe(
    settings: Settings,
    sources: Sources,
    options: FetchOptions,
    wanted: _Wanted,
    spool: Spool,
    meter: Meter,
) -> SideFacts:
    from payops.reconcile.fetch_lists import fetch_lists

    if settings.stripe is None:
        raise NotConfiguredError(
            "stripe is not configured",
            hint="add stripe.secret_key to the configuration, or give --stripe-file",
        )
    began = time.monotonic()
    pages = sources.stripe_pages(options.deadline)
    try:
        fetch_lists(pages, spool, meter, options, wanted.shape, sessions=wanted.sessions)
    finally:
        pages.close()
    as_of = min(spool.as_of(kind) or datetime.now(UTC) for kind in ("intents", "refunds"))
    seconds = time.monotonic() - began
    return SideFacts(spool.count("intents"), pages.calls, seconds, as_of, "stripe")


def _ledger(
    options: FetchOptions, name: str, copy: LedgerCopy, spool: Spool, meter: Meter
) -> SideFacts:
    from payops.domain.window import Window
    from payops.reconcile.spool import private, telling
    from payops.reconcile.spool_schema import LEDGER

    began = time.monotonic()
    kind = f"ledger-{name}"
    spool.drop(kind)
    folder = spool.folder(kind)
    draft = folder / ".rows.part"

    came = 0

    def counted(rows: int) -> None:
        nonlocal came
        came = max(came, rows)  # what is asked for again is taken off
        meter.add(objects=rows)

    window = Window(options.window.since - options.slack, options.window.until + options.slack)
    with telling(draft):
        with private(draft) as file:
            file.write((",".join(LEDGER) + "\n").encode())
            try:
                copied = copy.copy(window, file, counted, options.deadline)
            except SourceError as error:
                if error.kind is not Failure.TIMED_OUT or not came or not _over(options):
                    raise
                raise TooLateError from error
        draft.rename(folder / "rows.csv")
    spool.mark(kind, count=copied.rows, as_of=copied.as_of)
    return SideFacts(copied.rows, 0, time.monotonic() - began, copied.as_of, "postgres")


def _over(options: FetchOptions) -> bool:
    return options.deadline is not None and not options.deadline.remaining


def _stripe_from_files(
    options: FetchOptions, wanted: _Wanted, spool: Spool, meter: Meter
) -> SideFacts:
    from payops.reconcile.duck import in_time
    from payops.reconcile.files import read_stripe

    began = time.monotonic()
    meter.begin("Stripe's files")
    as_of = in_time(lambda: read_stripe(options, wanted.shape, spool, meter), options.deadline)
    return SideFacts(spool.count("intents"), 0, time.monotonic() - began, as_of, "file")


def _ledger_from_files(
    options: FetchOptions,
    name: str,
    ledger: Ledger,
    ledgers: Mapping[str, Ledger],
    spool: Spool,
    meter: Meter,
) -> SideFacts:
    from payops.reconcile.duck import in_time
    from payops.reconcile.files import read_ledger

    began = time.monotonic()
    as_of = in_time(lambda: read_ledger(options, name, ledgers, spool, meter), options.deadline)
    count = spool.count(f"ledger-{name}")
    return SideFacts(count, 0, time.monotonic() - began, as_of, "file")
