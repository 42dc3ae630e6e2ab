"""However a text is cut, the findings are the same; precision and recall on a corpus."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.corpus import ordinary, planted, secrets
from payops.keys import scan_text
from payops.keys.patterns import REACH, KnownSecret
from payops.keys.scan_files import Job
from payops.keys.scan_findings import Finding, Findings, Place
from payops.keys.scan_text import TextScan
from payops.keys.scan_window import Window

KNOWN = (KnownSecret("postgres.dsn (password)", b"correct/horse", "password"),)
JOB = Job(KNOWN, b"salt" * 4)
TEXT = (
    "\n".join([line for line, _ in secrets(3)] * 2) + "\nuser app:correct/horse@db " * 3
).encode()


def found(pieces: Iterable[bytes]) -> tuple[tuple[Finding, ...], int]:
    findings = JOB.findings()
    scan = TextScan(Window(KNOWN), findings)
    for piece in pieces:
        scan.feed(piece)
    scan.finish()
    return findings.settled(), scan.lines


WHOLE = found([TEXT])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(TEXT)), max_size=30))
def test_any_split_gives_the_same_findings(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(TEXT)]
    pieces = [TEXT[a:b] for a, b in pairwise(edges)]
    assert found(pieces) == WHOLE


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, len(TEXT) - 1), max_size=6, unique=True))
def test_parts_of_a_file_say_together_what_the_whole_says(cuts: list[int]) -> None:
    edges: list[int | None] = [0, *sorted(cuts), None]
    merged, lines = JOB.findings(), 0
    for begin, end in pairwise(edges):
        assert begin is not None
        first = max(0, begin - REACH)
        findings = JOB.findings()
        scan = TextScan(Window(KNOWN), findings, offset=first, owned=(begin, end))
        scan.feed(TEXT[first : None if end is None else end + REACH])
        scan.finish()
        findings.moved(lines)
        lines += scan.lines
        merged.merge(findings)
    assert (merged.settled(), lines) == WHOLE


def test_every_byte_alone_is_no_other_text() -> None:
    short = TEXT[:3000]
    assert found(short[n : n + 1] for n in range(len(short))) == found([short])


def test_lines_and_repeats() -> None:
    key = b"sk_live_51NcXyZAbCdEfGh7jKlMnOpQr"
    (finding,), lines = found([b"a\n\n" + key + b"\nb " + key + b" " + key])
    assert (finding.count, finding.first, finding.last) == (3, Place(3, 3), Place(73, 4))
    assert lines == 3


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_planted_secret_is_found_and_nothing_else(seed: int) -> None:
    text, kinds = planted(seed, 1_000_000)
    findings = JOB.findings()
    scan = TextScan(Window(), findings)
    scan.feed(text)
    scan.finish()
    assert {each.first.line: each.kind.value for each in findings.settled()} == kinds


def test_no_false_positive_in_ordinary_logs() -> None:
    assert found(ordinary(11, 6_000_000))[0] == ()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_false_positive_in_a_hundred_megabytes() -> None:
    assert found(ordinary(12, 100_000_000))[0] == ()


def test_numbers_that_mostly_fail_the_sum_are_no_cards_and_are_counted() -> None:
    findings = JOB.findings()
    scan = TextScan(Window(), findings)
    scan.feed(b"".join(b"row,%d,x\n" % (4539578763621486 + 7 * n) for n in range(200)))
    scan.finish()
    assert findings.settled() == ()
    assert sum(findings.others.values()) > 5


def test_a_card_among_them_under_its_name_is_found() -> None:
    findings = JOB.findings()
    scan = TextScan(Window(), findings)
    rows = [b"row,%d,x\n" % (4539578763621486 + 7 * n) for n in range(200)]
    scan.feed(b"".join([*rows, b"row, card 5425233430109903\n"]))
    scan.finish()
    (finding,) = findings.settled()
    assert (finding.shown, finding.first.line) == ("mastercard …9903", 201)


def test_strict_lists_them_all() -> None:
    findings = Findings(b"salt", strict=True)
    for hit in Window().whole(b"order_id=4539578763621486"):
        findings.add(hit, Place(0, 1))
    assert [each.shown for each in findings.settled()] == ["visa …1486"]


@pytest.mark.parametrize("byte", [b"7", b"4", b"_", b" ", b"\n", b"-"])
def test_memory_is_constant_however_long_a_line_is(byte: bytes) -> None:
    findings = JOB.findings()
    scan = TextScan(Window(), findings)
    piece = byte * scan_text.PIECE
    scan.feed(piece)
    tracemalloc.start()
    for _ in range(20):
        scan.feed(piece)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    scan.finish()
    assert peak < 8 * scan_text.PIECE
    assert findings.settled() == ()


def test_what_is_kept_has_a_limit_and_what_is_counted_has_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("payops.keys.scan_findings.MOST", 3)
    findings = JOB.findings()
    scan = TextScan(Window(), findings)
    scan.feed(b"".join(b"whsec_Zx81kLmN0pQrStUvWxYz2345A%03d\n" % n for n in range(10)))
    scan.finish()
    assert len(findings.settled()) == 3
    assert sum(findings.beyond.values()) == 7


def test_of_bad_company_nothing_is_counted_as_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payops.keys.scan_findings._MOST_WEAK", 3)
    findings = JOB.findings()
    scan = TextScan(Window(), findings)
    scan.feed(b"".join(b"row,%d,x\n" % (4539578763621486 + 7 * n) for n in range(2000)))
    scan.finish()
    assert (findings.settled(), sum(findings.beyond.values())) == ((), 0)
