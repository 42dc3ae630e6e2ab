"""What people are told: what became of which check, in a size that every chat takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from formats.reports import BEGAN, INCIDENT, NOW, report, result
from payops.domain.change import FLAPPING, Change, Kind
from payops.domain.secret import Secret
from payops.domain.status import Status
from payops.formats.message import message

any_text = st.text(st.characters(exclude_categories=()), max_size=80)


def test_a_new_trouble_says_what_since_when_how_much_and_what_next() -> None:
    change = Change("circuit.state", Kind.NEW, Status.CRIT, Status.OK, NOW)
    title, body = message(INCIDENT, [change], {"circuit.state": "CRIT"})
    assert title == "payops production health CRIT: 1 new"
    assert body.splitlines() == [
        (
            "NEW CRIT circuit.state: breaker `stripe` is open after 7 failures; "
            "no payment has been tried for 12 min"
        ),
        "  since 2026-02-11T09:18:04Z",
        "  at risk 1,234.50 USD (11), 5,000 JPY (2), 12.345 KWD (1)",
        "  next: payops circuit reset stripe",
        "Still: payments.stuck, webhooks.delivery_lag",
    ]


@pytest.mark.parametrize(
    ("status", "word", "kind", "first", "title"),
    [
        (Status.CRIT, "CRIT", Kind.WORSE, "WORSE CRIT a.b: x", "CRIT: 1 worse"),
        (Status.WARN, "WARN", Kind.BETTER, "BETTER WARN a.b: x", "WARN: 1 better"),
        (Status.CRIT, "CRIT", Kind.PERSISTING, "NEW CRIT a.b: x", "CRIT: 1 new"),
        (Status.CRIT, "CRIT", None, "NEW CRIT a.b: x", "CRIT: 1 new"),
        (Status.CRIT, FLAPPING, Kind.FLAPPING, "FLAPPING CRIT a.b: x", "CRIT: 1 flapping"),
        (Status.OK, "OK", Kind.RESOLVED, "RESOLVED OK a.b: x", "OK: 1 resolved"),
        (Status.OK, "OK", None, "RESOLVED OK a.b: x", "OK: 1 resolved"),
    ],
)
def test_each_kind_has_its_word(
    status: Status, word: str, kind: Kind | None, first: str, title: str
) -> None:
    changes = [Change("a.b", kind, status, None, BEGAN)] if kind else []
    given = report(result(status, "a.b", "x"))
    told, body = message(given, changes, {"a.b": word})
    assert body.splitlines()[0] == first
    assert told.endswith(title)
    if kind is Kind.RESOLVED:
        assert body.splitlines()[1] == "  seen since 2026-02-11T09:18:04Z, for 11 min"


@hypothesis_settings(deadline=None, max_examples=60)
@given(any_text | st.just("@x<!y" * 16), st.integers(1, 40))
def test_any_text_fits_and_mentions_nobody(text: str, many: int) -> None:
    checks = [result(Status.CRIT, f"a.{n}", text * 5) for n in range(many)]
    told, body = message(
        report(*checks, environment=text), [], {check.id: "CRIT" for check in checks}
    )
    assert len(told) + len(body) <= 1900
    for written in (told, body):
        assert "@e" not in written
        assert "<!" not in written
    assert "\n" not in told


def test_what_the_report_does_not_name_any_more_is_told_too() -> None:
    change = Change("cause.one", Kind.RESOLVED, Status.OK, Status.CRIT, BEGAN)
    given = report(result(Status.OK, "a.b", "x"))
    title, body = message(given, [change], {"cause.one": "OK"})
    assert title.endswith("OK: 1 resolved")
    assert body.splitlines() == [
        "RESOLVED OK cause.one: not found any more",
        "  seen since 2026-02-11T09:18:04Z, for 11 min",
    ]


def test_mentions_are_broken_and_secrets_are_gone() -> None:
    Secret("hunter2hunter2")
    said = "@everyone <!channel> <@U123> [bank](https://x) password is hunter2hunter2"
    _, body = message(report(result(Status.CRIT, "a.b", said)), [], {"a.b": "CRIT"})
    assert "@everyone" not in body
    assert "<!channel>" not in body
    assert "<@U123>" not in body
    assert "[bank] (https://x)" in body
    assert "hunter2" not in body


def test_what_has_no_room_is_counted() -> None:
    checks = [result(Status.CRIT, f"a.{n}", "x" * 250) for n in range(20)]
    _, body = message(report(*checks), [], {check.id: "CRIT" for check in checks})
    shown = sum(line.startswith("NEW CRIT") for line in body.splitlines())
    assert f"… and {20 - shown} other changes" in body
