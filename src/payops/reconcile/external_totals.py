"""A connection's record of itself held against the sum of its transactions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from payops.domain.external import ConnectionSum
from payops.domain.money import Money, exponent
from payops.domain.payment import PAID
from payops.reconcile.external_terms import EXACT, Terms, exact, rounded


@dataclass(frozen=True)
class ConnectionTotals:
    """A connection's record of itself beside its transactions.

    `paid` is the number of transactions that count as completed, `volume` their sum in minor units
    by currency, `refunded` what of it went back; `others` counts those of other statuses, `unknown`
    those of a status that the mapping does not know. `count_off` and `volume_off` are recorded less
    counted: more than 0 is recorded too much. None where nothing is recorded, or, of the volume,
    where it cannot be compared (`why_not`). `looks_like` is what explains the difference.
    """

    id: str | None
    known: bool
    owner: str | None
    processor: str | None
    state: str | None
    recorded_count: int | None
    recorded_volume: Money | None
    paid: int
    volume: Mapping[str, int]
    refunded: Mapping[str, int]
    fee: Mapping[str, int]
    net: Mapping[str, int]
    others: Mapping[str, int]
    unknown: Mapping[str, int]
    inexact: int
    broken: int
    count_off: int | None
    volume_off: Money | None
    unreadable: bool = False
    why_not: str = ""
    looks_like: str = ""

    @property
    def differs(self) -> bool:
        """Whether its record is not what its transactions say, or is no number at all."""
        return bool(
            self.count_off or (self.volume_off and self.volume_off.minor) or self.unreadable
        )

    @property
    def is_orphan(self) -> bool:
        """Transactions name it, and it is not there."""
        return not self.known


@dataclass
class _Sums:
    """While one connection is added up; minor units."""

    paid: int = 0
    volume: dict[str, Decimal] = field(default_factory=dict)
    refunded: dict[str, Decimal] = field(default_factory=dict)
    fee: dict[str, Decimal] = field(default_factory=dict)
    net: dict[str, Decimal] = field(default_factory=dict)
    waiting: dict[str, Decimal] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    inexact: int = 0
    broken: int = 0

    def add(self, row: ConnectionSum, terms: Terms) -> None:
        if not row.count:
            return
        status, raw = terms.status(row.status), row.status if row.status is not None else "NULL"
        if status not in PAID:
            into = self.unknown if status is None else self.others
            into[raw] = into.get(raw, 0) + row.count
            _plus(self.waiting, row.sum_currency, row.minor)
            return
        self.paid += row.count
        self.inexact += row.inexact
        self.broken += row.broken
        _plus(self.volume, row.sum_currency, row.minor)
        for sums, more in ((self.refunded, row.refunded), (self.fee, row.fee), (self.net, row.net)):
            if more:
                _plus(sums, row.sum_currency, more)


def _plus(into: dict[str, Decimal], currency: str, more: Decimal) -> None:
    into[currency] = EXACT.add(into.get(currency, Decimal(0)), more)


def judge_totals(rows: Iterable[ConnectionSum], terms: Terms) -> list[ConnectionTotals]:
    """One for each connection, in the order in which they come."""
    heads: dict[str | None, ConnectionSum] = {}
    sums: dict[str | None, _Sums] = {}
    for row in rows:
        heads.setdefault(row.connection, row)
        sums.setdefault(row.connection, _Sums()).add(row, terms)
    return [_totals(head, sums[id_], terms) for id_, head in heads.items()]


def _totals(head: ConnectionSum, sums: _Sums, terms: Terms) -> ConnectionTotals:
    count, volume = exact(head.total_transactions), exact(head.total_volume)
    currencies = [one for one, minor in sums.volume.items() if minor]
    currency = currencies[0] if currencies else head.currency or ""
    why_not, volume_off, recorded = "", None, None
    if head.total_volume is not None and volume is None:
        why_not = f"a volume of {head.total_volume} is no number that can be compared"
    elif currencies and head.currency and currency != head.currency and len(currencies) == 1:
        why_not = f"a volume in {head.currency}, and transactions in {currency}"
    elif len(currencies) > 1:
        why_not = f"one volume for transactions in {' and '.join(sorted(currencies))}"
    elif sums.inexact:
        why_not = f"{sums.inexact:,} of its transactions have no amount that can be read"
    elif volume is not None and currency:
        # A volume that was added up in floating point is off by far less than half a minor unit.
        places = 0 if terms.in_minor else exponent(currency)
        scaled = EXACT.multiply(volume, Decimal(10) ** places)
        off = EXACT.subtract(scaled, sums.volume.get(currency, Decimal(0)))
        volume_off = Money(currency, int(rounded(off, 0)))
        recorded = Money(currency, int(rounded(scaled, 0)))
    count_off = None if count is None or not head.known else int(count) - sums.paid
    return ConnectionTotals(
        id=head.connection,
        known=head.known,
        owner=head.owner,
        processor=head.processor,
        state=head.state,
        recorded_count=None if count is None else int(count),
        recorded_volume=recorded,
        paid=sums.paid,
        volume=_whole(sums.volume),
        refunded=_whole(sums.refunded),
        fee=_whole(sums.fee),
        net=_whole(sums.net),
        others=sums.others,
        unknown=sums.unknown,
        inexact=sums.inexact,
        broken=sums.broken,
        count_off=count_off,
        volume_off=volume_off if head.known else None,
        unreadable=any(
            text is not None and number is None
            for text, number in ((head.total_transactions, count), (head.total_volume, volume))
        ),
        why_not=why_not,
        looks_like=_explained(sums, count_off, volume_off, recorded) if head.known else "",
    )


def _whole(sums: Mapping[str, Decimal]) -> dict[str, int]:
    return {currency: int(rounded(minor, 0)) for currency, minor in sorted(sums.items())}


def _explained(
    sums: _Sums, count_off: int | None, volume_off: Money | None, recorded: Money | None
) -> str:
    if volume_off is None or not (volume_off.minor or count_off):
        return ""
    minor, currency = volume_off.minor, volume_off.currency
    waiting = sum(sums.others.values()) + sum(sums.unknown.values())
    if minor == 0:
        return "the sum is right: only the count is off"
    if recorded is not None and recorded.minor == 0 and count_off in (None, -sums.paid):
        return "nothing was ever recorded"
    if waiting and count_off in (None, waiting) and minor == _minor(sums.waiting, currency):
        return f"exactly the {waiting:,} that are not completed were recorded too"
    if not count_off and minor == -_minor(sums.refunded, currency):
        return "exactly what was refunded is missing: it is recorded after refunds"
    return ""


def _minor(sums: Mapping[str, Decimal], currency: str) -> int:
    return int(rounded(sums.get(currency, Decimal(0)), 0))
