"""Which runs of digits in a text are card numbers: by what stands around them.

A number counts when it stands alone (no letter, digit, `_`, decimal point or hyphen is glued to it,
but the end of an escape may be), when its issuer, length and sum are right, and when what names it
does not say that it is something else. What a name leaves open is decided by the company it keeps:
see `Company` in `scan_findings.py`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from payops.keys.cards import is_test_card, issuer_of, luhn

CONTEXT = 96
"""Bytes to the left that are looked at for a name; to the right half of it."""

# Escapes that may end right before a digit, so that what looks glued is not.
_ESCAPED = re.compile(
    rb"(?:%(?:25)*[0-9A-Fa-f]{2}|\\+[nrtbf]|\\+x[0-9A-Fa-f]{2}|\\+u[0-9A-Fa-f]{4}"
    rb"|(?:\x1b|\\+x1[bB]|\\+u001[bB]|\\+033)\[[0-9;]{0,12}m|%B)\Z"
)
# The same escapes, where their last digits have been taken for the number's first ones.
_SWALLOWED = (
    (re.compile(rb"%(?:25)*\Z"), 2),
    (re.compile(rb"\\+x\Z"), 2),
    (re.compile(rb"\\+u\Z"), 4),
)
_GLUED = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")
_JOINS = frozenset(b"-.")  # glues only with something of _GLUED beyond it

_SEPARATOR = rb"([ +-]|%20|%2[dD])"
# As they are printed, and typed in fours; the longest first.
_GROUPED = tuple(
    re.compile(pattern + rb"(?![0-9])")
    for pattern in (
        rb"\d{4}" + _SEPARATOR + rb"\d{4}\1\d{4}\1\d{4}\1\d{3}",
        rb"\d{4}" + _SEPARATOR + rb"\d{4}\1\d{4}\1\d{4}",
        rb"\d{4}" + _SEPARATOR + rb"\d{6}\1\d{5}",
        rb"\d{4}" + _SEPARATOR + rb"\d{6}\1\d{4}",
        rb"\d{4}" + _SEPARATOR + rb"\d{4}\1\d{4}\1\d{3}",
        rb"\d{4}" + _SEPARATOR + rb"\d{4}\1\d{4}\1\d{2}",
    )
)
_DUMP = 6  # so many groups of four in a row, and more, are a dump of memory and no card
_FOURS_BEFORE = re.compile(rb"(?:(?<![0-9A-Fa-f])[0-9A-Fa-f]{4}[ +-]){0,6}\Z")
_FOURS_AFTER = re.compile(rb"(?:[ +-][0-9A-Fa-f]{4}(?![0-9A-Fa-f])){0,6}")
_IBAN = re.compile(rb"\b[A-Z]{2}[0-9]{2}[ -](?:[0-9A-Z]{4}[ -]){0,4}\Z")

_ENCODED = re.compile(
    rb"%(?:25)*[0-9A-Fa-f]{2}|\\+x[0-9A-Fa-f]{2}|\\+u[0-9A-Fa-f]{4}|\\+[nrtbf\"]|\x1b\[[0-9;]*m"
)
# Read backwards from the number, which is ten times as fast as a search that ends there:
# `order_id":"`, `card[number]=`, `order no. `.
_NAME = re.compile(
    rb"[^A-Za-z0-9\n,;|\t]{0,6}"
    rb"(?:(?:si|saw|on|rn|mun|rebmun|srebmun|eulav|fo)[^A-Za-z0-9\n]{1,6}(?=[A-Za-z0-9_]*[A-Za-z]))?"
    rb"([A-Za-z0-9_.\[\]-]{0,60}[A-Za-z])"
)
# Digits end a word of a name (`last4`); `fe69d-4159` and `ZEUL0KZ` are values that stand before.
_IS_NAME = re.compile(rb"[A-Za-z]+\d{0,3}(?:[_.\[\]-]+[A-Za-z]+\d{0,3})*[_\]]*")
_ALL_ALIKE = bytes(97 if chr(byte).isalnum() and byte < 128 else byte for byte in range(256))
_WORD = re.compile(rb"[A-Za-z0-9]+")
_WORDS = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

CARD_WORDS = frozenset(
    b"""card cards cardno cardnum cardnumber creditcard debitcard ccnum ccnumber ccno cc pan pans
    credit debit visa mastercard maestro amex discover diners jcb unionpay cvc cvv cvn exp expiry
    kreditkarte karte carte tarjeta""".split()
)
# What names a number that is none of a card. `number`, `account`, `customer` and `payment` do not.
OTHER_WORDS = frozenset(
    b"""id ids uid gid pid tid uuid guid oid orderid userid requestid traceid spanid order orders
    invoice ref reference trace span request req correlation transaction txn ts time timestamp
    epoch date phone tel telephone mobile fax msisdn sms imei imsi iccid iban bic ean gtin isbn upc
    sku barcode tracking parcel shipment serial seq sequence offset size bytes length hash nonce
    checksum crc etag digest sha md5 commit git blob session sid cookie csrf
    version build revision port duration us ms ns usec nsec nanos micros latency count
    total amount price sum balance batch lsn cursor ticket voucher coupon gift licence license
    random seed snowflake node host thread worker ptr addr address job task event message msg
    """.split()
)


class Number(NamedTuple):
    """A number that may be a card's. A tuple, since a log has a million of them.

    `end` is where it ends in the text, `name` the name it stands under (empty where there is
    none), `sure` whether a word of cards, a test number or a way of writing settles it, `other`
    whether its name says that it is something else. `template` is how its surroundings look, for
    what has no name.
    """

    digits: bytes
    brand: str
    end: int
    passes: bool
    test: bool
    sure: bool
    other: bool
    name: str
    template: bytes

    def __repr__(self) -> str:
        return f"Number({self.brand}, {self.name})"  # never the digits


def compact(text: bytes, start: int, end: int) -> Number | None:
    """What the run of digits `text[start:end]` is; None of what cannot be a card."""
    if start and text[start - 1] in b"%xu":
        before = text[max(0, start - 12) : start]
        for pattern, length in _SWALLOWED:
            if pattern.search(before):
                start += length
                if length == 2 and text[start - 2 : start] == b"25":  # encoded twice: %2522
                    start += 2
                break
    digits = text[start:end]
    if not 12 <= len(digits) <= 19 or digits[0] not in b"23456":
        return None
    issuer = issuer_of(digits)
    if issuer is None or not _stands_alone(text, start, end):
        return None
    return _weighed(text, start, end, digits, issuer)


def grouped(text: bytes, start: int) -> Number | None:
    """The number in groups (`4242 4242 4242 4242`) that begins at `start`; None where none does."""
    failed: Number | None = None
    if start and text[start - 1] == 37 and text[start : start + 2] in (b"20", b"22"):
        return None  # the blank before is encoded, and the digits after it are found on their own
    for pattern in _GROUPED:
        match = pattern.match(text, start)
        if match is None:
            continue
        separator = match.group(1)
        digits = match.group().replace(separator, b"")
        issuer = issuer_of(digits)
        if issuer is None or not _stands_alone(text, start, match.end()):
            continue
        if _in_longer(text, start, match.end(), len(digits)):
            return None
        found = _weighed(text, start, match.end(), digits, issuer)
        if found is not None and found.passes:
            return found
        failed = failed or found
    return failed


def _stands_alone(text: bytes, start: int, end: int) -> bool:
    before = text[max(0, start - 24) : start]
    if before:
        last = before[-1]
        if last in _GLUED and not _ESCAPED.search(before):
            return False
        if last in _JOINS and len(before) > 1 and before[-2] in _GLUED:
            return False
        if last == 43 and (len(before) == 1 or before[-2] not in _GLUED):  # +49… is a phone's
            return False
    after = text[end : end + 2]
    if after:
        if after[0] in _GLUED or after[0] == 64:  # @: an address
            return False
        if after[0] in _JOINS and len(after) > 1 and after[1] in _GLUED:
            return False
    return True


def _in_longer(text: bytes, start: int, end: int, length: int) -> bool:
    """Whether the groups are some of an IBAN's, of a parcel's number or of a dump."""
    before = text[max(0, start - 40) : start]
    if _IBAN.search(before):
        return True
    fours_before = _FOURS_BEFORE.search(before)
    fours_after = _FOURS_AFTER.match(text, end)
    ahead = len(fours_before.group()) // 5 if fours_before else 0
    behind = len(fours_after.group()) // 5 if fours_after else 0
    return bool(ahead % 4) or length // 4 + ahead + behind >= _DUMP


def _weighed(
    text: bytes,
    start: int,
    end: int,
    digits: bytes,
    issuer: tuple[str, bool],
) -> Number | None:
    brand, usual = issuer
    passes = luhn(digits) and len(set(digits)) > 1
    test = passes and is_test_card(digits)
    left = text[max(0, start - CONTEXT) : start]
    left = left[left.rfind(b"\n") + 1 :]
    if b"%" in left or b"\\" in left or b"\x1b" in left:
        left = _ENCODED.sub(b" ", left)
    name = _NAME.match(left[::-1])
    field = name.group(1)[::-1] if name else b""
    if not _IS_NAME.fullmatch(field):
        field = b""
    of_cards, other = _meaning(field)
    if not passes and (of_cards or other):
        return None  # mistyped or masked in a card's field; or of no interest at all
    if not (of_cards or usual or test):
        near = _words(left[-48:]) | _words(text[end : end + CONTEXT // 2].split(b"\n", 1)[0])
        if other or near.isdisjoint(CARD_WORDS):
            return None
        of_cards = True
    return Number(
        digits=digits,
        brand=brand,
        end=end,
        passes=passes,
        test=test,
        sure=of_cards or test,
        other=other and not test,
        name=field.decode("ascii", "replace"),
        template=b"" if field else _template(left, text[end : end + 2], len(digits)),
    )


@lru_cache(maxsize=4096)
def _meaning(field: bytes) -> tuple[bool, bool]:
    """Whether a name speaks of cards, and whether of something else."""
    words = _words(field)
    of_cards = not words.isdisjoint(CARD_WORDS)
    return of_cards, not of_cards and not words.isdisjoint(OTHER_WORDS)


def _words(text: bytes) -> frozenset[bytes]:
    return frozenset(word.lower() for word in _WORDS.findall(text))


def _template(left: bytes, right: bytes, length: int) -> bytes:
    """How a nameless place looks: the same column of the same kind of line looks the same."""
    shape = _WORD.sub(b"a", left[-24:])[-6:]
    return b"%d %s|%s" % (length, shape, right.translate(_ALL_ALIKE))
