"""Finds the shapes in bytes: a fast search for places worth a look, then a look at each.

The search uses `bytes.translate` and `bytes.find` only, which run at gigabytes a second; a regular
expression over every byte runs at a tenth of that. In the translated text every digit is `0`, every
small letter `a` (and `D`, of %2D), and blank, hyphen and plus are `-`, so that a few searches find
every number and one finds `_live_`, `_test_` and `_prod_`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from payops.domain.secret import fingerprint
from payops.keys import numbers
from payops.keys.cards import is_prefix, masked_card
from payops.keys.numbers import Number
from payops.keys.patterns import (
    CLIENT,
    KEY,
    ORGANISATION,
    REACH,
    WEBHOOK,
    Kind,
    KnownSecret,
    Shape,
    client_shape,
    is_client_secret,
    kind_of_key,
    random_looking,
)


def _translation() -> bytes:
    table = bytearray(b"x" * 256)
    for byte in b"0123456789":
        table[byte] = ord("0")
    for byte in b"abcdefghijklmnopqrstuvwxyzD":
        table[byte] = ord("a")
    for byte in b" -+":
        table[byte] = ord("-")
    table[ord("_")] = ord("_")
    table[ord("%")] = ord("%")
    return bytes(table)


_TABLE = _translation()
_RUN = b"0" * 12  # a card's shortest
_FOURS = b"0000-0000"  # every grouping begins so, `0000-000000` too
_ENCODED_FOURS = (b"0000%000000", b"0000%0a0000")  # %20, %2d and %2D
_DUMP = re.compile(rb"0000(?:-0000){5,}")
_RUN_END = re.compile(rb"0+")
_MOST_DIGITS = 19
_LONGEST_NUMBER = 64  # digits of a run that are told apart; longer ones are no cards in any case
_FIRST = frozenset(b"23456")  # of any card's number
_ESCAPING = frozenset(b"%xu")
_MODES = frozenset({b"_live_", b"_test_", b"_prod_"})


class Hit(NamedTuple):
    """One occurrence. `start` and `end` are offsets in the text that was looked at.

    `value` is the found text itself: it tells two secrets apart and is never shown; `shown` is what
    may be. `number` is there for numbers alone, also for those that failed Luhn's sum.
    """

    kind: Kind
    start: int
    end: int
    value: bytes
    shown: str
    note: str = ""
    number: Number | None = None

    def __repr__(self) -> str:
        return f"Hit({self.kind.value}, {self.start}, {self.shown})"  # never the value


class Window:
    """Looks at pieces of a text for all shapes and for `secrets` in their exact text."""

    def __init__(self, secrets: tuple[KnownSecret, ...] = ()) -> None:
        self._secrets = secrets
        self._by_text = {secret.text: secret for secret in secrets}

    def hits(self, text: bytes, begin: int, end: int) -> Iterator[Hit]:
        """What is anchored in `text[begin:end]`, each kind in order of place.

        `text` holds `REACH` bytes more on each side, unless the whole text ends there: then two
        pieces say together what one would.
        """
        translated = text.translate(_TABLE)
        for anchor in _places(translated, KEY.anchor, begin, end):
            if text[anchor : anchor + 6] in _MODES:
                yield from self._shaped(text, anchor, KEY, _key)
        for shape, make in _OTHERS:
            for anchor in _places(text, shape.anchor, begin, end):
                yield from self._shaped(text, anchor, shape, make)
        for anchor in _places(text, CLIENT, begin, end):
            yield from self._shaped(text, anchor, client_shape(text, anchor), _client_secret)
        for secret in self._secrets:
            for anchor in _places(text, secret.text, begin, end):
                yield Hit(
                    Kind.CONFIGURED,
                    anchor,
                    anchor + len(secret.text),
                    secret.name.encode(),
                    secret.shown,
                    f"{secret.name} of the configuration",
                )
        yield from _numbers(text, translated, begin, end)

    def whole(self, text: bytes) -> Iterator[Hit]:
        """What is in a short text."""
        return self.hits(text, 0, len(text))

    def _shaped(
        self,
        text: bytes,
        anchor: int,
        shape: Shape,
        make: Callable[[re.Match[bytes]], Hit | None],
    ) -> Iterator[Hit]:
        for before in shape.before:
            if before > anchor:
                continue
            match = shape.pattern.match(text, anchor - before, min(len(text), anchor + REACH))
            if match is not None:
                hit = make(match)
                if hit is not None and hit.value not in self._by_text:  # the configuration's own
                    yield hit
                return


def _key(match: re.Match[bytes]) -> Hit | None:
    kind = kind_of_key(match)
    return None if kind is None else _hit(kind, match)


def _organisation_key(match: re.Match[bytes]) -> Hit | None:
    if not random_looking(match["body"]):
        return None
    return _hit(Kind.LIVE_KEY, match, "organisation key")


def _webhook_secret(match: re.Match[bytes]) -> Hit | None:
    return _hit(Kind.WEBHOOK_SECRET, match) if random_looking(match["body"]) else None


def _client_secret(match: re.Match[bytes]) -> Hit | None:
    if not is_client_secret(match):
        return None
    # The id before `_secret_` is none, and it is what `payops trace` asks for.
    owner = match["object"].decode()
    shown = f"{owner}secret_…{match['body'][-4:].decode()}"
    return Hit(Kind.CLIENT_SECRET, match.start(), match.end(), match.group(), shown)


_OTHERS: tuple[tuple[Shape, Callable[[re.Match[bytes]], Hit | None]], ...] = (
    (ORGANISATION, _organisation_key),
    (WEBHOOK, _webhook_secret),
)


def _hit(kind: Kind, match: re.Match[bytes], note: str = "") -> Hit:
    value = match.group()
    return Hit(kind, match.start(), match.end(), value, fingerprint(value.decode("ascii")), note)


def _places(text: bytes, literal: bytes, begin: int, end: int) -> Iterator[int]:
    place = text.find(literal, begin, end + len(literal) - 1)
    while place >= 0:
        yield place
        place = text.find(literal, place + 1, end + len(literal) - 1)


def _numbers(text: bytes, translated: bytes, begin: int, end: int) -> Iterator[Hit]:
    for start in _runs(text, translated, begin, end):
        match = _RUN_END.match(translated, start)
        stop = match.end() if match else start
        if text[start - 1] not in _ESCAPING and (
            stop - start > _MOST_DIGITS or not is_prefix(text[start : start + 4])
        ):
            continue
        number = numbers.compact(text, start, min(stop, start + _LONGEST_NUMBER))
        if number is not None:
            yield _number_hit(stop - len(number.digits), number)
    literals = (_FOURS, *_ENCODED_FOURS) if b"%2" in text else (_FOURS,)
    for literal in literals:
        for start in _groups(translated, literal, begin, end):
            if (
                text[start] in _FIRST
                and (start == 0 or translated[start - 1] != 48)
                and is_prefix(text[start : start + 4])
            ):
                number = numbers.grouped(text, start)
                if number is not None:
                    yield _number_hit(start, number)


def _groups(translated: bytes, literal: bytes, begin: int, end: int) -> Iterator[int]:
    """Where groups of digits may begin; none in a dump of memory, which is full of them."""
    last = end + len(literal) - 1
    start = translated.find(literal, begin, last)
    while start >= 0:
        dump = _DUMP.match(translated, start)
        if dump is None:
            yield start
        start = translated.find(literal, dump.end() if dump else start + 1, last)


def _runs(text: bytes, translated: bytes, begin: int, end: int) -> Iterator[int]:
    """Where runs of 12 digits and more begin, in `[begin, end)`, that may hold a card's number.

    The first digit settles most: times begin with 1, and no card does. Behind an escape (`%22`)
    the number begins later in the run.
    """
    find, last = translated.find, end + len(_RUN) - 1
    start = find(_RUN, begin, last)
    while start >= 0:
        before = text[start - 1] if start else 0
        if 48 <= before <= 57:  # goes on from before
            match = _RUN_END.match(translated, start)
            start = find(_RUN, match.end() if match else start + 1, last)
            continue
        if text[start] in _FIRST or before in _ESCAPING:
            yield start
        start = find(_RUN, start + len(_RUN), last)


def _number_hit(start: int, number: Number) -> Hit:
    if not number.passes:  # it is only counted
        return Hit(Kind.CARD, start, number.end, b"", "", "", number)
    kind = Kind.TEST_CARD if number.test else Kind.CARD
    shown = masked_card(number.brand, number.digits)
    return Hit(kind, start, number.end, number.digits, shown, number=number)
