"""What a scan found, gathered as it goes: distinct values with how often and where, bounded.

A log can hold the same secret a million times, and a million card numbers: what is kept has a
limit, what is counted has none.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field, replace

from payops.domain.secret import fingerprint
from payops.keys.numbers import Number
from payops.keys.patterns import Kind
from payops.keys.scan_window import Hit

MOST = 5_000
"""Distinct findings kept of one file."""
_MOST_WEAK = 200  # of one company of numbers
_MOST_COMPANIES = 4_000
_MOST_OTHERS = 1_000
_CROWD = b"*"  # the company of all that came after so many

# Of random numbers nine in ten fail Luhn's sum, of cards none. Where four fail and twice as many as
# pass, those that pass are no cards. Twice, not nine times, since few random numbers vary; and not
# once, since there may be cards among other numbers.
_FEWEST_FAILING = 4
_FAILING = 2


@dataclass(frozen=True, order=True)
class Place:
    """Where in a file: byte offset from 0, and line from 1 (0 where it is not known yet, or the
    file is binary)."""

    offset: int
    line: int = 0


@dataclass(frozen=True)
class Finding:
    """One value in one place's file or column.

    `value` is a keyed hash that tells values apart in one run and says nothing outside it, `shown`
    the masked value, `fingerprint` the short hash for the ignore file (none of a card), `field` the
    name that a number stands under.
    """

    kind: Kind
    value: bytes
    shown: str
    fingerprint: str
    note: str
    field: str
    count: int
    first: Place
    last: Place
    path: str = ""
    line_based: bool = True
    row: str = ""
    """Of a database: the key of the first row (`id=17`); `path` is then `table.column`."""


@dataclass
class Company:
    """The numbers under one name: how many are cards by their sum, and how many are not."""

    fails: int = 0
    passes: int = 0
    found: dict[tuple[Kind, bytes, str], Finding] = field(default_factory=dict)
    beyond: Counter[Kind] = field(default_factory=Counter)

    @property
    def are_cards(self) -> bool:
        """Whether those that pass may be cards, by the company that they keep."""
        return self.fails < _FEWEST_FAILING or self.fails < _FAILING * self.passes


@dataclass
class Findings:
    """Of one file, or of a part of it. `salt` is the run's: it keys the hash of values."""

    salt: bytes = field(repr=False)
    strict: bool = False
    found: dict[tuple[Kind, bytes, str], Finding] = field(default_factory=dict)
    companies: dict[bytes, Company] = field(default_factory=dict)
    beyond: Counter[Kind] = field(default_factory=Counter)
    """Occurrences of values that are no more kept."""
    others: Counter[str] = field(default_factory=Counter)
    """Numbers that would be cards, under names that say otherwise: `order_id`: how many."""

    def add(self, hit: Hit, place: Place) -> None:
        """Count one occurrence."""
        number = hit.number
        if number is None or number.sure or self.strict:
            _keep(self.found, self.beyond, MOST, self._finding(hit, place))
        elif number.other:
            name = number.name.lower()
            crowded = len(self.others) >= _MOST_OTHERS and name not in self.others
            self.others[_CROWD.decode() if crowded else name] += 1
        else:
            company = self._company(number)
            company.passes += 1
            _keep(company.found, company.beyond, _MOST_WEAK, self._finding(hit, place))

    def add_failing(self, number: Number) -> None:
        """Count a number whose sum is wrong: it tells what those beside it are."""
        self._company(number).fails += 1

    def merge(self, later: Findings) -> None:
        """Take in what was found in a later part of the same file."""
        for finding in later.found.values():
            _keep(self.found, self.beyond, MOST, finding)
        self.beyond.update(later.beyond)
        self.others.update(later.others)
        for name, theirs in later.companies.items():
            ours = self._named(name)
            ours.fails += theirs.fails
            ours.passes += theirs.passes
            ours.beyond.update(theirs.beyond)
            for finding in theirs.found.values():
                _keep(ours.found, ours.beyond, _MOST_WEAK, finding)

    def settled(self) -> tuple[Finding, ...]:
        """All findings in order of place; what is in bad company is counted in `others`."""
        all_found = list(self.found.values())
        for name, company in self.companies.items():
            if company.are_cards:
                all_found += company.found.values()
                self.beyond.update(company.beyond)
            elif company.passes:
                self.others[name.decode("ascii", "replace")] += company.passes
        self.companies.clear()
        return tuple(sorted(all_found, key=lambda finding: finding.first))

    def moved(self, lines: int) -> None:
        """Count lines from the beginning of the file, of which `lines` lie before this part."""
        self.found = {key: _moved(each, lines) for key, each in self.found.items()}
        for company in self.companies.values():
            company.found = {key: _moved(each, lines) for key, each in company.found.items()}

    def _company(self, number: Number) -> Company:
        return self._named(number.name.lower().encode() or number.template)

    def _named(self, name: bytes) -> Company:
        company = self.companies.get(name)
        if company is None:
            if len(self.companies) >= _MOST_COMPANIES:
                name = _CROWD
            company = self.companies.setdefault(name, Company())
        return company

    def _finding(self, hit: Hit, place: Place) -> Finding:
        number = hit.number
        printed = "" if number else _hash_of(hit)
        return Finding(
            kind=hit.kind,
            value=hashlib.blake2b(hit.value, key=self.salt, digest_size=12).digest(),
            shown=hit.shown,
            fingerprint=printed,
            note=hit.note,
            field=number.name if number else "",
            count=1,
            first=place,
            last=place,
        )


def _keep(
    kept: dict[tuple[Kind, bytes, str], Finding],
    beyond: Counter[Kind],
    most: int,
    finding: Finding,
) -> None:
    """Take in a finding, or count it as beyond `most`."""
    key = (finding.kind, finding.value, finding.field)
    known = kept.get(key)
    if known is None:
        if len(kept) >= most:
            beyond[finding.kind] += finding.count
        else:
            kept[key] = finding
        return
    kept[key] = replace(
        known,
        count=known.count + finding.count,
        first=min(known.first, finding.first),
        last=max(known.last, finding.last),
    )


def _moved(finding: Finding, lines: int) -> Finding:
    def down(place: Place) -> Place:
        return replace(place, line=place.line + lines) if place.line else place

    return replace(finding, first=down(finding.first), last=down(finding.last))


def _hash_of(hit: Hit) -> str:
    """The short hash that `fingerprint` shows; empty where it shows none."""
    if hit.kind is Kind.CONFIGURED:
        shown = hit.shown
    else:
        shown = fingerprint(hit.value.decode("ascii", "replace"))
    _, _, digest = shown.rpartition("sha256 ")
    return digest.rstrip(")") if "sha256" in shown else ""
