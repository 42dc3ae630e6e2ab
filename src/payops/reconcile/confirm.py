"""Every 'missing' is asked for by its id, without any limits of time, before it is reported.

What is found after all becomes a row beside the spool's (`.confirmed/KIND`), so that the next match
sees it as a partner like any other; what is not found is `absent`. Stripe is asked one id at a time
within the budget, the largest sums first and at most so many: the rest is told as unconfirmed.
Where a side came from a file there is nobody to ask.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from payops.errors import Failure, NotConfiguredError, SourceError
from payops.reconcile.match import CONFIRMED, Absent
from payops.reconcile.request_keys import request_keys
from payops.reconcile.spool_schema import INTENTS, KEYS, LEDGER, REFUNDS, SESSIONS
from payops.reconcile.totals import Row

if TYPE_CHECKING:
    from payops.config.ledger import Ledger
    from payops.sources import Sources

# At 10 requests a second, payops' own default budget, these take 20 s.
MOST_STRIPE_CALLS = 200
_STRIPE_ID = re.compile(r"[A-Za-z0-9_]{4,255}")
_COLUMNS = {"intents": INTENTS, "refunds": REFUNDS, "sessions": SESSIONS, "keys": KEYS}

Rows = list[Sequence[Any]]


@dataclass
class Confirmed:
    """What became of asking: `absent` for the next match, `found` rows by kind, and how many could
    not be asked for, with the reasons."""

    absent: list[Absent] = field(default_factory=list)
    found: dict[str, Rows] = field(default_factory=dict)
    unconfirmed: int = 0
    reasons: list[str] = field(default_factory=list)

    def gave_up(self, count: int, reason: str) -> None:
        """`count` ids were not asked for."""
        if count:
            self.unconfirmed += count
            if reason not in self.reasons:
                self.reasons.append(reason)


def confirm(
    missing: Sequence[Row],
    ledgers: Mapping[str, Ledger],
    sources: Sources,
    *,
    ask_stripe: bool,
    ask_ledger: bool,
    at_most: int = MOST_STRIPE_CALLS,
) -> Confirmed:
    """Ask for what `Match.missing` gave. A side that does not answer leaves its ids unconfirmed."""
    made = Confirmed()
    of_ledger = [row for row in missing if row["side"] == "ledger"]
    of_stripe = [row for row in missing if row["side"] == "stripe"]
    if ask_ledger:
        _ledger(of_ledger, ledgers, sources, made, ask_stripe=ask_stripe)
    else:
        made.gave_up(len(of_ledger), "the ledger came from a file")
    if ask_stripe:
        _stripe(of_stripe, ledgers, sources, made, at_most)
    else:
        made.gave_up(len(of_stripe), "Stripe's side came from a file")
    return made


def write_found(spool: Path, found: Mapping[str, Rows]) -> None:
    """Put the rows beside the spool's; earlier ones go."""
    folder = spool / CONFIRMED
    shutil.rmtree(folder, ignore_errors=True)
    for kind, rows in found.items():
        where = folder / kind
        where.mkdir(mode=0o700, parents=True)
        handle = os.open(where / "rows.csv", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_COLUMNS.get(kind, LEDGER))
            writer.writerows(rows)


def _ledger(
    rows: Sequence[Row],
    ledgers: Mapping[str, Ledger],
    sources: Sources,
    made: Confirmed,
    *,
    ask_stripe: bool,
) -> None:
    if not rows:
        return
    try:
        from payops.sources.lookup import rows_named

        named: set[str] = set()
        for name, ledger in ledgers.items():
            refund = ledger.kind == "refunds"
            asked = [row for row in rows if row["refund"] == refund]
            if not asked or ledger.kind == "external":
                continue
            found = rows_named(sources.postgres, ledger, _names(asked, ledger))
            for each in found:
                made.found.setdefault(f"ledger-{name}", []).append(astuple(each))
                named.update(filter(None, (each.processor_ref, each.charge_ref, each.session_ref)))
        if ask_stripe:
            named |= _by_request_key(
                [r for r in rows if not r["refund"] and r["id"] not in named],
                ledgers,
                sources,
                made,
            )
    except (SourceError, NotConfiguredError) as error:
        made.gave_up(len(rows), str(error))
        return
    made.absent += [Absent("ledger", row["id"]) for row in rows if row["id"] not in named]


def _by_request_key(
    rows: Sequence[Row], ledgers: Mapping[str, Ledger], sources: Sources, made: Confirmed
) -> set[str]:
    """The last exact name: the key that the intent was made with. The intents that it finds."""
    keep = {
        name: ledger
        for name, ledger in ledgers.items()
        if ledger.kind == "payments" and ledger.columns.idempotency_key
    }
    if not rows or not keep:
        return set()
    from payops.sources.lookup import rows_named

    try:
        keys = request_keys(rows, sources)
    except SourceError as error:  # a key may not read events: what is missing is missing still
        made.reasons.append(f"idempotency keys were not looked up: {error}")
        return set()
    found: set[str] = set()
    for name, ledger in keep.items():
        if not keys:
            break
        named = rows_named(sources.postgres, ledger, {"idempotency_key": list(keys.values())})
        made.found.setdefault(f"ledger-{name}", []).extend(astuple(each) for each in named)
        known = {each.idempotency_key for each in named}
        found |= {intent for intent, key in keys.items() if key in known}
    made.found["keys"] = [(intent, key) for intent, key in keys.items() if intent in found]
    return found


def _names(rows: Sequence[Row], ledger: Ledger) -> dict[str, list[str]]:
    """The values to look for in each column of the mapping."""

    def values(*columns: str) -> list[str]:
        return [row[column] for row in rows for column in columns if row[column]]

    names = {
        "processor_ref": values("id", "charge", "session"),
        "charge_ref": values("charge", "id"),
        "session_ref": values("session"),
        "idempotency_key": values("idempotency_key"),
    }
    if ledger.references.local_id or ledger.references.session_local_id:
        names["id"] = values("meta_local")
    return {word: found for word, found in names.items() if found}


def _stripe(
    rows: Sequence[Row],
    ledgers: Mapping[str, Ledger],
    sources: Sources,
    made: Confirmed,
    at_most: int,
) -> None:
    ask = _Ask(ledgers, sources)
    ids = list(dict.fromkeys(row["id"] for row in rows))
    for number, id_ in enumerate(ids):
        if not _STRIPE_ID.fullmatch(id_):
            made.absent.append(Absent("stripe", id_))  # Stripe has no such ids
            continue
        if number >= at_most:
            made.gave_up(len(ids) - number, f"at most {at_most} ids are asked for one by one")
            return
        try:
            ask.one(id_, made.found)
        except SourceError as error:
            if error.kind is Failure.NOT_FOUND or error.http_status == 404:
                other = "a similar object exists in" in str(error)
                made.absent.append(Absent("stripe", id_, other))
            else:
                made.gave_up(len(ids) - number, str(error))
                return


class _Ask:
    """Asks Stripe for one object, which becomes a row of the spool."""

    def __init__(self, ledgers: Mapping[str, Ledger], sources: Sources) -> None:
        from payops.sources import stripe_rows

        mapped = [each for each in ledgers.values() if each.kind == "payments"]

        def keys(name: str) -> tuple[str, ...]:
            return tuple(dict.fromkeys(filter(None, (getattr(x.references, name) for x in mapped))))

        shape = stripe_rows.Shape(
            keys("local_id"),
            keys("order_id"),
            keys("session_local_id"),
            any(each.columns.fee for each in mapped),
        )
        self._sources = sources
        self._intents = stripe_rows.intents(shape)
        self._refunds = stripe_rows.refunds()
        self._sessions = stripe_rows.sessions(shape)
        self._charge: Callable[[bytes], Sequence[Any]] = lambda body: stripe_rows.charge_as_intent(
            decoded_charge(body), shape
        )

        def decoded_charge(body: bytes) -> stripe_rows.Charge:
            import msgspec

            return msgspec.json.decode(body, type=stripe_rows.Charge)

    def one(self, id_: str, found: dict[str, Rows]) -> None:
        """Look `id_` up; its row goes into `found`. Raises SourceError."""
        if id_.startswith(("ch_", "py_")):
            body = self._get(f"/v1/charges/{id_}")
            found.setdefault("intents", []).append(self._charge(body))
            return
        kind, path, expand = self._intents, "/v1/payment_intents", ["latest_charge"]
        if id_.startswith(("re_", "pyr_")):
            kind, path, expand = self._refunds, "/v1/refunds", []
        elif id_.startswith("cs_"):
            kind, path, expand = self._sessions, "/v1/checkout/sessions", []
        body = self._get(f"{path}/{id_}", *expand)
        row = kind.row(kind.decode_one(body))
        found.setdefault(kind.name, []).append(row)
        if kind is self._sessions and (intent := row[SESSIONS.index("payment_intent")]):
            self.one(str(intent), found)

    def _get(self, path: str, *expand: str) -> bytes:
        import msgspec

        params: dict[str, Any] = {"expand": list(expand)} if expand else {}
        return bytes(self._sources.stripe.get(path, msgspec.Raw, **params).value)
