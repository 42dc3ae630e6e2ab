"""Many checks on a terminal: what is wrong stands out, what is well is told by family."""

from __future__ import annotations

from formats.reports import NOW, report, result
from payops.domain.evidence import Action
from payops.domain.status import Status
from payops.formats import render
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


def test_programs_get_every_check() -> None:
    text = render(report(*WELL), "plain", colour=False, width=80, now=NOW)
    assert sum(line.startswith("OK ") for line in text.splitlines()) == len(WELL) + 1
