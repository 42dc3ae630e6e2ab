"""Every row of the runbooks' checklist went somewhere, and what it went to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docgen import coverage

from payops.checks import check_ids
from payops.config.files import preset_names
from payops.config.load import settings_from
from payops.domain.discrepancy import MatchClass
from payops.formats import known_output
from payops.lab.scenario import scenario_ids
from tools import assert_typeable

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "coverage.md"
CHECKLIST = ROOT.parent / "shared" / "CHECKLIST.md"
# As many as the checklist has; it is kept here, since the checklist is not part of the repository.
ROWS = {"S0": 74, "S1": 30, "S2": 47, "S3": 47, "S4": 41}

# Rows that the checklist gives to `runbook` and `impact`, and those of no subcommand: what writes,
# or what only a person or the server's own shell can do.
FOR_RUNBOOKS = """
S0-27 S0-34 S0-36 S0-44 S0-45 S0-47 S0-51 S0-56 S0-57 S0-58 S0-59 S0-60 S0-61 S0-62 S0-63 S0-64
S0-65 S0-66 S0-67 S0-68 S0-69 S0-71 S0-72 S0-74 S1-10 S1-11 S1-19 S1-20 S1-25 S1-26 S1-28 S1-29
S1-30 S2-06 S2-13 S2-16 S2-32 S2-34 S2-38 S2-39 S2-40 S2-41 S2-42 S2-43 S2-44 S2-45 S2-46 S3-01
S3-07 S3-13 S3-14 S3-15 S3-19 S3-24 S3-25 S3-34 S3-37 S3-39 S3-40 S3-42 S3-45 S4-15 S4-16 S4-19
S4-20 S4-24 S4-27 S4-28 S4-37 S4-39
""".split()


def on_the_page() -> dict[str, str]:
    """Each row's line of docs/coverage.md."""
    lines = PAGE.read_text("utf-8").splitlines()
    return {line[2:7]: line for line in lines if re.match(r"\| S[0-9]-[0-9]{2} \|", line)}


@pytest.fixture(scope="module")
def rows() -> list[coverage.Row]:
    return coverage.rows()


def test_the_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == coverage.page(), "run `make docs`"


def test_every_row_is_on_the_page_once() -> None:
    expected = {f"{page}-{n:02}" for page, count in ROWS.items() for n in range(1, count + 1)}
    assert set(on_the_page()) == expected
    assert PAGE.read_text("utf-8").count("\n| S") == len(expected) == 239


def test_the_page_has_the_checklists_own_rows() -> None:
    if not CHECKLIST.exists():
        pytest.skip("the checklist of the runbooks is not beside the repository")
    found = re.findall(r"^\| (S[0-9]-[0-9]{2}) \|", CHECKLIST.read_text("utf-8"), re.MULTILINE)
    assert sorted(found) == sorted(on_the_page())


def test_no_row_is_unaccounted_for(rows: list[coverage.Row]) -> None:
    for row in rows:
        assert row.checks or row.places or row.runbooks, row.id
        assert row.words.strip()
        assert row.words in on_the_page()[row.id]


def test_every_row_that_the_code_cites_is_on_the_page() -> None:
    """Also in limits, comments and presets, where no `rows=` stands."""
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.yaml")]
    text = "\n".join(file.read_text("utf-8") for file in files)
    cited = set(coverage.ROW.findall(text))
    assert len(cited) > 100
    assert cited <= set(on_the_page())


def test_a_check_that_cites_a_row_stands_in_its_line() -> None:
    lines = on_the_page()
    for row, ids in coverage.cited().items():
        assert set(ids) <= set(check_ids())
        assert all(f"`{id_}`" in lines[row] for id_ in ids)


def test_what_only_a_person_can_do_is_in_a_runbook(rows: list[coverage.Row]) -> None:
    """What the checklist gives to `runbook`, `impact` or no subcommand at all; and what the list
    says that runbooks tell."""
    led = {row.id for row in rows if row.runbooks}
    assert set(FOR_RUNBOOKS) <= led, sorted(set(FOR_RUNBOOKS) - led)
    told = {row.id for row in rows if any(place.startswith("runbook: ") for place in row.places)}
    assert told <= led, sorted(told - led)


def test_a_runbook_that_cites_a_row_stands_in_its_line() -> None:
    lines = on_the_page()
    for row, places in coverage.cited_by_runbooks().items():
        named = [place for place in places if f"`{place}`" in lines[row]]
        assert len(named) == min(len(places), coverage.NAMED), row


def test_commands_are_accepted_by_the_command_line(rows: list[coverage.Row]) -> None:
    commands = coverage.places_of("payops ", rows)
    assert len(commands) > 30
    for command in commands:
        assert_typeable(f"payops {command}")


@pytest.mark.parametrize("kind", ["class", "own", "remedy", "lab", "format"])
def test_what_is_named_is_there(kind: str, rows: list[coverage.Row]) -> None:
    presets = {name: settings_from({"preset": name}) for name in preset_names()}
    known = {
        "class": {one.value for one in MatchClass},
        "own": {f"{name}/{check}" for name, one in presets.items() for check in one.checks},
        "remedy": {f"{name}/{each}" for name, one in presets.items() for each in one.remedies},
        "lab": set(scenario_ids()),
    }
    named = set(coverage.places_of(f"{kind} ", rows))
    assert named
    if kind == "format":
        assert all(known_output(name) for name in named)
    else:
        assert named <= known[kind], named - known[kind]


def test_names_of_checks_in_words_are_checks(rows: list[coverage.Row]) -> None:
    families = {id_.partition(".")[0] for id_ in check_ids()}
    for row in rows:
        for word in re.findall(r"\b([a-z]+\.[a-z][a-z-]+)\b", " ".join(row.places)):
            if word.partition(".")[0] in families and "stripe." not in word:
                assert word in check_ids(), (row.id, word)


@pytest.mark.parametrize(
    "line",
    [
        "S0-01 | twice | payops stats",
        "S9 | no id | payops stats",
        "S9-01 | no place",
        "S9-01 | strange | somewhere",
    ],
)
def test_a_line_that_is_no_row_is_refused(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.txt"
    path.write_text(f"S0-01 | first | payops stats\n{line}\n")
    monkeypatch.setattr(coverage, "LIST", path)
    with pytest.raises(ValueError, match=r"rows\.txt:2"):
        coverage.listed()


def test_a_row_that_is_cited_and_not_listed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "rows.txt"
    path.write_text("S0-01 | first | payops stats\n")
    monkeypatch.setattr(coverage, "LIST", path)
    with pytest.raises(ValueError, match="cited, and not in"):
        coverage.rows()
