"""Many checks on a terminal: what is wrong stands out, what is well is told by family."""

from __future__ import annotations

import pytest

from formats.reports import NOW, report, result
from payops.domain.change import Change, Kind
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.formats import render
from payops.formats.message import message
from payops.formats.words import folded

WELL = [result(Status.OK, f"{family}.check-{n}", "well") for family in "abc" for n in range(8)]


def test_few_stay_as_they_are() -> None:
    assert folded(WELL[:20]) == WELL[:20]


def test_what_is_well_is_told_by_family() -> None:
    kept = folded([*WELL, result(Status.OK, "d.alone", "quite alone")])
    assert [(check.id, check.status) for check in kept] == [
        ("a", Status.OK),
        ("b", Status.OK),
        ("c", Status.OK),
        ("d.alone", Status.OK),
    ]
    assert kept[0].summary.startswith("8: well: check-0, check-1,")


def test_one_cause_is_told_once_and_nothing_is_lost() -> None:
    dead = [
        result(
            Status.CRIT,
            f"postgres.check-{n}",
            "postgres does not answer",
            source="postgres",
            cause="postgres: connection refused",
            actions=(Action("Start it", "pg_isready"),),
        )
        for n in range(5)
    ]
    other = result(Status.CRIT, "app.health", "answers 503", source="http")
    kept = folded([*dead, other, *WELL])
    assert [check.id for check in kept[:2]] == ["postgres.check-0", "app.health"]
    text = render(report(*dead, other, *WELL), "table", colour=False, width=80, now=NOW)
    assert text.count("pg_isready") == 2  # under the finding, and at the end
    assert "4 more say the same" in text
    for check in (*dead[1:], other):
        assert check.id in "".join(text.split())
    assert "30 checks: 6 CRIT, 24 OK" in text


def dead(*families: str) -> list[CheckResult]:
    return [
        result(
            Status.CRIT,
            f"{family}.check",
            f"stripe gives no usable answer: GET /v1/{family}: HTTP 401",
            source="stripe",
            cause="stripe: authentication failed",
            measured={"http_status": 401},
            actions=(Action("Replace the key", f"payops keys check {family}"),),
        )
        for family in families
    ]


DECLINES = result(Status.CRIT, "payments.declines", "91 of 110 declined", source="postgres")


@pytest.mark.parametrize("output", ["nagios", "markdown", "plain", "table"])
def test_what_is_told_once_leaves_room_for_the_rest(output: str) -> None:
    many = dead("api", "account", "balance", "payouts", "disputes", "events", "charges", "refunds")
    text = render(report(*many, DECLINES), output, colour=False, width=80, now=NOW)
    assert "payops keys check api" in text
    assert "payops keys check account" not in text
    assert all(check.id in text for check in many)
    if output == "nagios":
        first = text.splitlines()[0]
        assert first.startswith("PAYOPS HEALTH CRITICAL - 9 of 9 checks: api.check: stripe gives")
        assert "7 more say the same; payments.declines: 91 of 110 declined" in first
        assert "401;" in first
        assert "http_status" not in text


def test_a_message_tells_of_a_cause_once_for_each_word() -> None:
    checks = dead("api", "account", "balance", "payouts")
    known = [
        Change("api.check", Kind.WORSE, Status.CRIT, Status.WARN, NOW),
        Change("account.check", Kind.NEW, Status.CRIT, Status.OK, NOW),
        Change("balance.check", Kind.NEW, Status.CRIT, Status.OK, NOW),
    ]
    told = {change.id: "CRIT" for change in known}
    title, body = message(report(*checks, DECLINES), known, told)
    assert title.endswith("CRIT: 2 new, 1 worse")
    assert body.splitlines() == [
        "WORSE CRIT api.check: stripe gives no usable answer: GET /v1/api: HTTP 401",
        "  since 2026-02-11T09:30:00Z",
        "  next: payops keys check api",
        (
            "NEW CRIT account.check: stripe gives no usable answer: GET /v1/account: HTTP 401; "
            "1 more say the same: balance.check"
        ),
        "  since 2026-02-11T09:30:00Z",
        "  next: payops keys check account",
        "Still: payouts.check, payments.declines",
    ]


@pytest.mark.parametrize("many", [2, 30])
def test_the_same_words_are_not_the_same_cause(many: int) -> None:
    own = [result(Status.CRIT, f"own.check-{n}", "3 found", source="postgres") for n in range(many)]
    assert folded(own) == own


def test_programs_get_every_check() -> None:
    text = render(report(*WELL), "plain", colour=False, width=80, now=NOW)
    assert sum(line.startswith("OK ") for line in text.splitlines()) == len(WELL) + 1
