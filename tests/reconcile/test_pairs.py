"""The table of state pairs: complete, and as SQL applies it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import get_args

import pytest

from payops.config.ledger import PaymentWord
from payops.domain.discrepancy import HARMLESS, MatchClass
from payops.domain.payment import PAID, PaymentStatus
from payops.domain.status import Status
from payops.reconcile.classify import PAIRS, STATES, verdict, verdicts
from payops.reconcile.totals import Row
from reconcile.merchant import NOW, Found, Merchant, ledger, match

T = NOW - timedelta(hours=5)
WORDS = get_args(PaymentWord)
_PAID_WORDS = {each.value for each in PAID}
_TAKEN = {"paid", "part_refunded", "refunded"}
_STATUS = {
    "paid": "succeeded",
    "part_refunded": "succeeded",
    "refunded": "succeeded",
    "processing": "processing",
    "held": "requires_capture",
    "action": "requires_action",
    "waiting": "requires_confirmation",
    "declined": "requires_payment_method",
    "canceled": "canceled",
}
# Read by a person, row by row: M matched, ~ moving, ! CRIT, ? WARN; R, P and r, p are refunds
# missing or of other amounts, CRIT and WARN.
_BY_HAND = """
                    paid part_refunded refunded processing held action waiting declined canceled
pending             !    !             ?        ~          ~    ?      ~       ?        ?
processing          !    !             ?        ~          ~    ?      ~       ?        ?
requires_action     !    !             ?        ~          ~    ~      ~       ?        ?
succeeded           M    r             r        ?          ?    !      !       !        !
failed              !    !             ?        ?          ?    M      M       M        M
canceled            !    !             M        ?          ?    M      M       M        M
refunded            R    P             M        ?          ?    ?      ?       ?        ?
partially_refunded  R    M             p        ?          ?    !      !       !        !
disputed            ?    ?             ?        ?          ?    !      !       !        !
"""
_SIGNS = {
    "M": (MatchClass.MATCHED, Status.OK),
    "~": (MatchClass.IN_FLIGHT, Status.OK),
    "!": (MatchClass.STATUS_MISMATCH, Status.CRIT),
    "?": (MatchClass.STATUS_MISMATCH, Status.WARN),
    "R": (MatchClass.REFUND_MISSING, Status.CRIT),
    "r": (MatchClass.REFUND_MISSING, Status.WARN),
    "P": (MatchClass.REFUND_PARTIAL_MISMATCH, Status.CRIT),
    "p": (MatchClass.REFUND_PARTIAL_MISMATCH, Status.WARN),
}
_ROWS = [line.split() for line in _BY_HAND.strip().splitlines()]
PAIR_CASES = [
    (row[0], state, *_SIGNS[sign])
    for row in _ROWS[1:]
    for state, sign in zip(_ROWS[0], row[1:], strict=True)
]


def test_every_pair_has_a_verdict() -> None:
    assert set(PAIRS) == set(WORDS) == {each.value for each in PaymentStatus}
    assert all(set(states) == set(STATES) for states in PAIRS.values())
    assert len(PAIR_CASES) == len(list(verdicts())) == len(WORDS) * len(STATES)


@pytest.mark.parametrize(("word", "state", "match_class", "severity"), PAIR_CASES)
def test_the_table_says_what_a_person_would(
    word: str, state: str, match_class: MatchClass, severity: Status
) -> None:
    found = verdict(word, state)
    assert (found.match_class, found.severity) == (match_class, severity)
    assert found.why
    if match_class in HARMLESS:
        assert found.risk == "none"
    if severity is Status.CRIT:
        assert found.risk in {"net", "booked"}


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("state", STATES)
def test_money_on_one_side_only_is_never_harmless(word: str, state: str) -> None:
    kept_there, believed = state in {"paid", "part_refunded"}, word in _PAID_WORDS
    if kept_there != believed and state not in _TAKEN | {"processing", "held"}:
        assert verdict(word, state).match_class not in HARMLESS
    if kept_there and not believed:
        assert verdict(word, state).severity is Status.CRIT


@dataclass(frozen=True)
class Matched:
    """Every pair of the table as a payment of one merchant's, and what a match made of them."""

    found: Found
    keys: dict[tuple[str, str], str]

    def of(self, word: str, state: str) -> list[Row]:
        key = self.keys[word, state]
        return [row for row in self.found.findings if row["key"] == key]


@pytest.fixture(scope="module")
def matched(tmp_path_factory: pytest.TempPathFactory) -> Matched:
    merchant, keys = Merchant(), {}
    for word, state, _, _ in PAIR_CASES:
        intent, row = merchant.pair(T, word, _STATUS[state])
        keys[word, state] = row["key"]
        if state == "declined":
            intent["failure_code"] = "card_declined"
        if state in {"part_refunded", "refunded"}:
            intent["amount_refunded"] = 1999 if state == "refunded" else 999
    spool = merchant.write(tmp_path_factory.mktemp("pairs") / "spool")
    return Matched(match(spool, {"payments": ledger()}), keys)


def test_sql_counts_each_pair_once(matched: Matched) -> None:
    expected = Counter(match_class.value for _, _, match_class, _ in PAIR_CASES)
    assert matched.found.counted() == expected
    harmless = sum(match_class in HARMLESS for _, _, match_class, _ in PAIR_CASES)
    assert len(matched.found.findings) == len(PAIR_CASES) - harmless


@pytest.mark.parametrize(("word", "state", "match_class", "severity"), PAIR_CASES)
def test_sql_applies_the_table(
    matched: Matched, word: str, state: str, match_class: MatchClass, severity: Status
) -> None:
    rows = matched.of(word, state)
    if match_class in HARMLESS:
        assert rows == []
        return
    (row,) = rows
    assert row["class"] == match_class.value
    assert row["severity"] == severity.value
    net = {"paid": 1999, "part_refunded": 1000, "refunded": 0}.get(state, 0)
    given = 1999 - net if state in _TAKEN else 0
    risk = {"none": 0, "net": net, "booked": 1999, "held": 1999, "refunded": given}
    assert row["money"] == risk[verdict(word, state).risk]
