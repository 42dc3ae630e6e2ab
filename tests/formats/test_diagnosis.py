"""A diagnosis on the page. PAYOPS_UPDATE_GOLDEN=1 writes the golden files anew."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from looks import INCIDENT, PAGES, check, look
from payops.domain.evidence import Action
from payops.domain.impact import Failing, Impact, Level, Surroundings
from payops.domain.report import Report
from payops.domain.status import Status
from payops.engine.diagnosis import report_of
from payops.formats import render
from tools import NOW

GOLDEN = Path(__file__).parent / "golden"
AROUND = Surroundings(
    names={"breaker": ("stripe",)},
    levels=(Level("L1", "#payments-oncall"), Level("L2", "payments lead", 1800)),
    escalate_over={"usd": 1_000_000},
    failing=Failing(3, 6, NOW - timedelta(seconds=40), 8),
)
CRIT, WARN, UNKNOWN = Status.CRIT, Status.WARN, Status.UNKNOWN
FINE = (
    check("stripe.api"),
    check("payments.volume"),
    check("redis.connect", Status.SKIP),
    check("reconcile.matched"),
)
DIAGNOSES: dict[str, Report] = {
    "diagnosis": report_of(look(*INCIDENT, around=AROUND), PAGES),
    "diagnosis_well": report_of(look(*FINE), PAGES),
    "diagnosis_nothing_asked": report_of(look(check("stripe.api", Status.SKIP)), PAGES),
    "diagnosis_unknown": report_of(
        look(
            check("postgres.vacuum", WARN, "autovacuum does not come to payments", minutes=90),
            check("own.ship", CRIT, "7 orders", action=Action("Look", "payops health --only own")),
            *FINE,
            failures={"webhooks": "it was not done before the deadline"},
        ),
        PAGES,
    ),
    "diagnosis_blind": report_of(
        look(check("payments.failure-rate", CRIT, "no answer", failure="refused")), PAGES
    ),
}
CASES = [
    (name, output, 80)
    for name in DIAGNOSES
    for output in ("table", "plain", "markdown", "nagios", "json")
]
CASES += [("diagnosis", "table", 60), ("diagnosis", "table", 200)]


def shown(name: str, output: str, width: int = 80, *, ascii_only: bool = False) -> str:
    return render(
        DIAGNOSES[name], output, colour=False, width=width, now=NOW, ascii_only=ascii_only
    )


@pytest.mark.parametrize(("name", "output", "width"), CASES)
def test_golden(name: str, output: str, width: int) -> None:
    size = f".{width}" if output == "table" else ""
    path = GOLDEN / f"{name}.{output}{size}.txt"
    text = shown(name, output, width)
    if os.environ.get("PAYOPS_UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8", newline="")
    assert path.read_bytes().decode() == text


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_but_a_command_is_wider_than_the_page(width: int) -> None:
    for line in shown("diagnosis", "table", width).splitlines():
        assert len(line) <= width or "payops " in line


@pytest.mark.parametrize("output", ["table", "plain", "markdown", "nagios"])
def test_it_can_be_told_in_ascii(output: str) -> None:
    assert shown("diagnosis", output, ascii_only=True).isascii()


def test_colour_is_on_the_status_alone() -> None:
    report = DIAGNOSES["diagnosis"]
    text = render(report, "table", colour=True, width=80, now=NOW, ascii_only=False)
    assert "\x1b[" in text.splitlines()[0]
    assert "\x1b[4" not in "".join(text.splitlines()[1:])


def test_a_monitor_gets_one_line() -> None:
    for name in DIAGNOSES:
        text = shown(name, "nagios")
        assert text.count("\n") == 1
        assert text.count("|") == 1
        assert len(text) < 1000


@pytest.mark.parametrize(
    ("confidence", "words"), [(0.9, "It is this:"), (0.7, "Most likely:"), (0.5, "It may be this:")]
)
def test_how_sure_it_is_stands_in_the_words(confidence: float, words: str) -> None:
    report = DIAGNOSES["diagnosis"]
    (cause,) = report.extra["hypotheses"]  # type: ignore[misc]
    extra = {**report.extra, "hypotheses": [{**cause, "confidence": confidence}]}
    text = render(
        replace(report, extra=extra), "plain", colour=False, width=80, now=NOW, ascii_only=True
    )
    assert words in text


def test_what_comes_from_outside_is_shown_and_not_obeyed() -> None:
    evil = check("own.evil", CRIT, "\x1b[2J [red]x[/red] | <b> @ops\nCRIT fake")
    report = report_of(look(evil), PAGES)
    for output in ("table", "plain", "markdown", "nagios"):
        text = render(report, output, colour=False, width=200, now=NOW, ascii_only=False)
        assert "\x1b[2J" not in text
        assert "\nCRIT fake" not in text
    assert "[red]x[/red]" in render(
        report, "plain", colour=False, width=80, now=NOW, ascii_only=False
    )


@pytest.mark.parametrize("output", ["table", "plain", "markdown", "nagios"])
@pytest.mark.parametrize(
    ("impact", "expected"),
    [
        (Impact(), "No payment is affected; no refund"),
        (Impact(known=False), "how many payments are affected is not known"),
        (
            Impact(notes=("Stripe and the ledger were not compared",)),
            "no payment is affected so far",
        ),
    ],
)
def test_an_impact_that_nobody_answered_for_is_not_none(
    output: str, impact: Impact, expected: str
) -> None:
    asked = Report("impact", NOW, "lab", (), extra={"impact": impact})
    text = render(asked, output, colour=False, width=100, now=NOW, ascii_only=False)
    assert expected in text
    assert ("No payment is affected" in text) is (impact == Impact())
    if impact.notes and output != "nagios":
        assert impact.notes[0] in text
