"""Outside processors held against themselves: totals, collections, commissions.

Numbers come as exact text and are reckoned with Decimal, never float. A commission is amount x rate
rounded to the currency's minor unit, half a unit away from zero (half up); a stored one has to be
that to the last digit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from enum import Enum

from payops.domain.external import Collection, ConnectionSum, Sale
from payops.domain.money import Money, exponent
from payops.domain.payment import PAID, PaymentStatus

ROUNDING = "half up: half a minor unit away from zero"
# Enough for the product of any two numbers below: nothing is rounded but on purpose.
_EXACT = Context(prec=1000)
# Larger than any payment; a program that reads the report could not hold it.
_MOST_DIGITS = 16
_LOST = frozenset({PaymentStatus.FAILED, PaymentStatus.CANCELED})


@dataclass(frozen=True)
class Terms:
    """How the mapping writes numbers and statuses."""

    statuses: Mapping[str, PaymentStatus] = field(default_factory=dict)
    match_case: bool = True
    percent: bool = True
    in_minor: bool = False

    @classmethod
    def of(
        cls,
        statuses: Mapping[str, Sequence[str]],
        *,
        match_case: bool = True,
        percent: bool = True,
        in_minor: bool = False,
    ) -> Terms:
        """From the mapping's `statuses`: payops' word, the table's own values."""
        words = {
            raw if match_case else raw.lower(): PaymentStatus(word)
            for word, raws in statuses.items()
            for raw in raws
        }
        return cls(words, match_case, percent, in_minor)

    @property
    def most_rate(self) -> int:
        """The whole amount, as a rate."""
        return 100 if self.percent else 1

    def status(self, raw: str | None) -> PaymentStatus | None:
        """What a value means; None for one that the mapping does not know."""
        if raw is None:
            return None
        return self.statuses.get(raw if self.match_case else raw.lower())

    def places(self, currency: str) -> int:
        """Decimals of a whole minor unit, as the table writes amounts."""
        return 0 if self.in_minor else exponent(currency)

    def minor(self, amount: Decimal, currency: str) -> int:
        """Whole minor units, half up."""
        places = exponent(currency) if not self.in_minor else 0
        return int(rounded(_EXACT.multiply(amount, Decimal(10) ** places), 0))


def exact(text: str | None) -> Decimal | None:
    """A number's text as it stands; None for NULL, NaN, infinity, and larger than any payment."""
    try:
        number = _EXACT.create_decimal(text.strip()) if text else None
    except InvalidOperation:
        return None
    if number is None or not number.is_finite():
        return None
    return number if not number or number.adjusted() < _MOST_DIGITS else None


def rounded(number: Decimal, places: int, how: str = ROUND_HALF_UP) -> Decimal:
    """To so many decimals.

    >>> rounded(Decimal("2.125"), 2), rounded(Decimal("-2.125"), 2)
    (Decimal('2.13'), Decimal('-2.13'))
    """
    return number.quantize(Decimal(1).scaleb(-places), how, Context(prec=1000))


def commission_due(amount: Decimal, rate: Decimal, currency: str, terms: Terms) -> Decimal:
    """What is owed of an amount, in the table's unit, to the minor unit.

    >>> commission_due(Decimal("19.99"), Decimal("15.0"), "usd", Terms())
    Decimal('3.00')
    """
    return rounded(_raw(amount, rate, terms), terms.places(currency))


def _raw(amount: Decimal, rate: Decimal, terms: Terms) -> Decimal:
    product = _EXACT.multiply(amount, rate)
    return product.scaleb(-2, _EXACT) if terms.percent else product


# ── commission ───────────────────────────────────────────────────────────────────────────────────


class Wrong(Enum):
    """What is wrong with a commission."""

    UNREADABLE = "unreadable"
    RATE = "rate_out_of_range"
    MISSING = "missing"
    DIFFERS = "differs"
    UNROUNDED = "unrounded"


@dataclass(frozen=True)
class CommissionFinding:
    """A paid transaction whose commission is not amount x rate.

    `due` and `difference` (stored less due) in minor units: more than 0 is asked too much, less too
    little; None when it cannot be reckoned. `why` is what the stored number looks like.
    """

    sale: Sale
    wrong: Wrong
    due: Money | None
    difference: Money | None
    why: str = ""


def judge_commission(sale: Sale, terms: Terms) -> CommissionFinding | None:
    """None when the stored commission is right, is explained by a refund, or has no rate to be held
    against (those are counted apart)."""
    if sale.rate is None:
        return None
    amount, rate, stored = exact(sale.amount), exact(sale.rate), exact(sale.commission)
    unreadable = sale.commission is not None and stored is None
    if amount is None or rate is None or unreadable:
        named = {"amount": amount, "commission_rate": rate, "commission_amount": stored}
        given = {
            "amount": sale.amount,
            "commission_rate": sale.rate,
            "commission_amount": sale.commission,
        }
        odd = [name for name, number in named.items() if number is None and given[name] is not None]
        why = f"{', '.join(odd) or 'amount'} is no number that can be reckoned with"
        return CommissionFinding(sale, Wrong.UNREADABLE, None, None, why)
    due = commission_due(amount, rate, sale.currency, terms)
    owed = Money(sale.currency, terms.minor(due, sale.currency))
    has = stored if stored is not None else Decimal(0)
    off = Money(sale.currency, terms.minor(has, sale.currency) - owed.minor)
    if not 0 <= rate <= terms.most_rate:
        unit = "per cent" if terms.percent else "a fraction"
        why = f"a rate of {sale.rate} is outside 0..{terms.most_rate} ({unit})"
        return CommissionFinding(sale, Wrong.RATE, owed, off, why)
    if has == due or _refund_explains(sale, amount, rate, has, terms):
        return None
    if stored is None:
        return CommissionFinding(sale, Wrong.MISSING, owed, off, "none is stored")
    if rounded(stored, terms.places(sale.currency)) == due:
        why = f"{sale.commission} is the same, not rounded to the minor unit"
        return CommissionFinding(sale, Wrong.UNROUNDED, owed, off, why)
    return CommissionFinding(
        sale, Wrong.DIFFERS, owed, off, _looks_like(sale, amount, rate, stored, terms)
    )


def _refund_explains(
    sale: Sale, amount: Decimal, rate: Decimal, stored: Decimal, terms: Terms
) -> bool:
    if not stored and terms.status(sale.status) is PaymentStatus.REFUNDED:
        return True
    refunded = exact(sale.refunded)
    if not refunded:
        return False
    left = _EXACT.subtract(amount, refunded)
    return stored == commission_due(left, rate, sale.currency, terms)


def _looks_like(sale: Sale, amount: Decimal, rate: Decimal, stored: Decimal, terms: Terms) -> str:
    """What was reckoned instead, where one well-known mistake gives exactly the stored number."""
    places, raw = terms.places(sale.currency), _raw(amount, rate, terms)
    fee = exact(sale.fee)
    of_net = _raw(_EXACT.subtract(amount, fee), rate, terms) if fee else None
    tried: tuple[tuple[str, Decimal | None, str], ...] = (
        ("the fraction of a minor unit is cut off", raw, ROUND_DOWN),
        ("rounded half to even", raw, ROUND_HALF_EVEN),
        ("the rate was taken for a fraction: 100 times too much", raw.scaleb(2), ROUND_HALF_UP),
        ("the rate was divided by 100 twice: 100 times too little", raw.scaleb(-2), ROUND_HALF_UP),
        ("reckoned from the amount less the processor's fee", of_net, ROUND_HALF_UP),
    )
    for words, number, how in tried:
        if number is not None and rounded(number, places, how) == stored:
            return words
    return ""


# ── collections ──────────────────────────────────────────────────────────────────────────────────


class Odd(Enum):
    """What is wrong with a collection."""

    NO_TRANSACTION = "transaction_missing"
    NO_CONNECTION = "connection_missing"
    OTHER_CONNECTION = "other_connection"
    OTHER_OWNER = "other_owner"
    CURRENCY = "currency_differs"
    AMOUNT = "amount_differs"
    NOT_PAID = "transaction_not_paid"
    TWICE = "collected_twice"


@dataclass(frozen=True)
class CollectionFinding:
    """A collection and all that is wrong with it. `money` is what it asks for, `due` the commission
    of its transaction, `difference` more than 0 when it asks too much."""

    collection: Collection
    wrong: tuple[Odd, ...]
    money: Money | None
    due: Money | None
    difference: Money | None

    @property
    def at_risk(self) -> Money | None:
        """The difference where only the amount is wrong, else all of it."""
        if self.wrong == (Odd.AMOUNT,):
            return self.difference
        return self.money


def judge_collection(
    row: Collection, terms: Terms, *, connections: bool, amounts: bool = True
) -> CollectionFinding | None:
    """None when nothing is wrong. `connections`: whether they are mapped, so that a missing one can
    be told; `amounts`: whether a collection's amount is."""
    wrong = list(_wrong_names(row, connections))
    asked = exact(row.amount)
    due = _commission_of(row, terms) if row.found and row.is_commission else None
    difference = None
    if row.found and row.is_commission and not row.is_waived:
        if terms.status(row.sale_status) in _LOST:
            wrong.append(Odd.NOT_PAID)
        if row.sale_currency != row.currency:
            wrong.append(Odd.CURRENCY)
        elif amounts and due is not None:
            right = {due, _after_refund(row, terms)}
            if asked is None or asked not in right:
                wrong.append(Odd.AMOUNT)
                off = _EXACT.subtract(asked or Decimal(0), due)
                difference = Money(row.currency, terms.minor(off, row.currency))
        if row.is_collected and row.times > 1:
            wrong.append(Odd.TWICE)
    if not wrong:
        return None
    return CollectionFinding(
        row,
        tuple(wrong),
        None if asked is None else Money(row.currency, terms.minor(asked, row.currency)),
        None if due is None else Money(row.currency, terms.minor(due, row.sale_currency or "")),
        difference,
    )


def _wrong_names(row: Collection, connections: bool) -> Iterable[Odd]:
    if row.transaction is not None and not row.found:
        yield Odd.NO_TRANSACTION
    if connections and row.connection is not None and not row.connection_found:
        yield Odd.NO_CONNECTION
    elif row.found and row.connection is not None and row.connection != row.sale_connection:
        yield Odd.OTHER_CONNECTION
    owner = row.sale_owner if row.sale_owner is not None else row.connection_owner
    if row.owner is not None and owner is not None and row.owner != owner:
        yield Odd.OTHER_OWNER


def _commission_of(row: Collection, terms: Terms) -> Decimal | None:
    """Reckoned anew where there is a rate; what is stored where there is none."""
    amount, rate = exact(row.sale_amount), exact(row.sale_rate)
    if amount is None or rate is None:
        return exact(row.sale_commission)
    return commission_due(amount, rate, row.sale_currency or "", terms)


def _after_refund(row: Collection, terms: Terms) -> Decimal | None:
    amount, rate = exact(row.sale_amount), exact(row.sale_rate)
    refunded = exact(row.sale_refunded)
    if amount is None or rate is None or not refunded:
        return None
    left = _EXACT.subtract(amount, refunded)
    return commission_due(left, rate, row.sale_currency or "", terms)


# ── totals ───────────────────────────────────────────────────────────────────────────────────────


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
    into[currency] = _EXACT.add(into.get(currency, Decimal(0)), more)


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
        scaled = _EXACT.multiply(volume, Decimal(10) ** places)
        off = _EXACT.subtract(scaled, sums.volume.get(currency, Decimal(0)))
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
