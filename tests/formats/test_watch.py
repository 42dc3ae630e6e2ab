"""A watch's page never leaves its terminal, and its summary says what was seen."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from rich.cells import cell_len

from formats.reports import BEGAN, HEALTHY, HOSTILE, INCIDENT, NOW, REPORTS, report, result
from payops.domain.evidence import Action
from payops.domain.report import Report
from payops.domain.session import Session
from payops.domain.status import Status
from payops.formats.safe import Page, safe
from payops.formats.screen import screen
from payops.formats.watched import json_line, line, opening, summary


def measured(status: Status, rate: float, latency: float, minute: int, *more: object) -> Report:
    checks = (
        result(status, "payments.success-rate", f"{rate} % succeeded", measured={"rate": rate}),
        result(Status.OK, "stripe.api", "answers", measured={"latency": latency}),
        *more,
    )
    at = NOW - timedelta(minutes=3 - minute)
    return replace(report(*checks), generated_at=at)  # type: ignore[arg-type]


def session_of(*reports: Report) -> Session:
    session = Session(reports[0].generated_at)
    for one in reports:
        session, _ = session.after(safe(one, one_line=True))
    return session


OUTAGE = session_of(
    measured(Status.OK, 99.0, 120, 0),
    measured(Status.OK, 98.0, 180, 1),
    measured(
        Status.CRIT,
        61.0,
        2400,
        2,
        result(
            Status.CRIT,
            "circuit.state",
            "breaker is open",
            since=BEGAN,
            actions=(Action("Close it", "payops circuit reset stripe"),),
        ),
    ),
    measured(Status.WARN, 93.0, 300, 3),
)


def lines(session: Session, width: int, height: int, *, ascii_only: bool = False) -> list[str]:
    page = Page(colour=True, width=width, now=NOW, ascii_only=ascii_only)
    return [one.plain for one in screen(session, page, height, 12.0)]


def test_a_page() -> None:
    assert [one.rstrip() for one in lines(OUTAGE, 80, 16)] == [
        " WARN     payops health · production · 09:30:00Z (just now) · next in 12 s",
        "          2 checks: 1 WARN, 1 OK · 1.2 s · round 4 since 09:27:00Z",
        "",
        " success rate         93.0 %  ██▁▇  worst 61.0 %",
        " Stripe answers in    300 ms  ▁▂█▂  worst 2,400 ms",
        "",
        " WARN     payments.success-rate 09:29:58Z 93.0 % succeeded",
        " OK       stripe.api            09:29:58Z answers",
        "",
        " Since 09:27:00Z (3 min): 3 changes",
        " 09:30:00Z payments.success-rate CRIT → WARN  93.0 % succeeded",
        " 09:29:00Z circuit.state - → CRIT  breaker is open",
        " 09:29:00Z payments.success-rate OK → CRIT  61.0 % succeeded",
        "",
        "",
        " ^C ends, with a summary to paste",
    ]


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 10), (200, 60), (20, 5), (80, 1)])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_no_page_is_larger_than_its_terminal(
    name: str, width: int, height: int, ascii_only: bool
) -> None:
    shown = lines(session_of(HEALTHY, REPORTS[name]), width, height, ascii_only=ascii_only)
    assert len(shown) <= height
    assert all(cell_len(one) <= width for one in shown)


statuses = st.lists(st.sampled_from(list(Status)), max_size=60)


@hypothesis_settings(deadline=None, max_examples=80)
@given(statuses, st.integers(10, 50))
def test_every_check_is_shown_or_counted(given: list[Status], height: int) -> None:
    checks = [result(status, f"a.{n:02}", "x") for n, status in enumerate(given)]
    shown = lines(session_of(report(*checks)), 80, height)
    named = sum(one[10:].startswith("a.") for one in shown)
    counted = [one for one in shown if "… and " in one]
    left = sum(int(word) for one in counted for word in one.split() if word.isdigit())
    assert named + left == len(checks)
    assert len(shown) <= height


def test_a_finding_has_a_second_line_where_there_is_room() -> None:
    text = "\n".join(lines(session_of(INCIDENT), 120, 40))
    assert "since 09:18:04Z (11 min ago) · at risk 1,234.50 USD (11)" in text
    assert "payops health --only payments.stuck" in text
    assert "(advisory)" in text


def test_while_it_asks_it_says_so() -> None:
    page = Page(colour=True, width=80, now=NOW, ascii_only=False)
    assert screen(Session(NOW), page, 24, None)[0].plain == " asking"
    assert "asking now" in screen(OUTAGE, page, 24, None)[0].plain


def test_a_summary_to_paste() -> None:
    assert summary(OUTAGE, ascii_only=True).splitlines() == [
        (
            "payops health, production: 2026-02-11 09:27:00 UTC to 2026-02-11 09:30:00 UTC "
            "(3 min, 4 rounds)"
        ),
        "CRIT for 60 s, OK for 2 min, WARN at the end; 2 checks: 1 WARN, 1 OK",
        "success rate: 99.0 % first, 61.0 % worst, 93.0 % last",
        "  @@_#",
        "Stripe answers in: 120 ms first, 2,400 ms worst, 300 ms last",
        "  _.@.",
        "Changes:",
        "  2026-02-11T09:29:00Z  CRIT     payments.success-rate (was OK): 61.0 % succeeded",
        "  2026-02-11T09:29:00Z  CRIT     circuit.state: breaker is open",
        "  2026-02-11T09:30:00Z  WARN     payments.success-rate (was CRIT): 93.0 % succeeded",
        "At the end:",
        "  WARN     payments.success-rate: 93.0 % succeeded",
    ]
    assert summary(Session(NOW), ascii_only=True) == ""
    assert "Nothing changed." in summary(session_of(HEALTHY), ascii_only=True)


def test_a_pipe_gets_a_line_a_change() -> None:
    assert opening(OUTAGE) == "2026-02-11T09:30:00Z  WARN     2 checks: 1 WARN, 1 OK\n"
    assert opening(Session(NOW)) == ""
    assert line(OUTAGE.events[-1]).endswith("(was CRIT): 93.0 % succeeded\n")
    assert json.loads(json_line(OUTAGE.events[1])) == {
        "at": "2026-02-11T09:29:00Z",
        "check": "circuit.state",
        "before": None,
        "after": "CRIT",
        "summary": "breaker is open",
    }


def test_text_from_outside_stays_on_its_line() -> None:
    session = session_of(HOSTILE)
    for event in session.events:
        assert line(event).count("\n") == 1
    for one in lines(session, 200, 100):
        assert "\n" not in one
        assert "\x1b" not in one
