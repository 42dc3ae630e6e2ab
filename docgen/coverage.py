"""Writes docs/coverage.md: every row of the runbooks' checklist, and where it went.

The checks come from the code (`rows=` of each, and what presets' own checks cite), the runbooks
from their pages (`rows:` of a step and of a page, and what the prose cites), the rest from
coverage_rows.txt. `python -m docgen.coverage`; a test compares the page with what this would write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from payops.checks import check_ids, load_check
from payops.config.files import preset_names
from payops.config.load import settings_from
from payops.domain.runbook import Runbook
from payops.runbook.shelf import every_runbook, shipped

LIST = Path(__file__).parent / "coverage_rows.txt"
PAGE = Path(__file__).parent.parent / "docs" / "coverage.md"
ROW = re.compile(r"S[0-9]-[0-9]{2}")
# As many places in runbooks are named for a row; of others the number.
NAMED = 4
# Each by what it begins with; a person's is told, not checked.
KINDS = (
    "payops ",
    "class ",
    "own ",
    "remedy ",
    "lab ",
    "format ",
    "payops: ",
    "runbook: ",
    "person: ",
)
RUNBOOKS = {
    "S0": "000, Ireti's troubleshooting guide",
    "S1": "001, Ireti's operations runbook",
    "S2": "002, V-EdFinance's P1 payment failure",
    "S3": "003, BookedBarber's hybrid payments",
    "S4": "004, DebtFlow's processor outage",
}
HEADING = """\
# Coverage

Written by `make docs` from the code and docgen/coverage_rows.txt: {count} rows, all that the five
runbooks ask for, boiled down, and where each went. {checked} are answered by checks of `payops
health`, {commanded} by a command or a guarded change. {led} stand in a runbook that leads through
them (`payops runbook run ID`), {person} need a hand, a shell on the server, or the application's
code: there the runbook asks what was seen.

A row is named by the first runbook that has it. `own PRESET/NAME` is an own check of a preset,
`remedy` a guarded change (`payops remedy plan NAME`), `class` one of `payops reconcile`, `lab` a
scenario (`payops lab inject NAME`) that shows it, `ID/STEP` a step of the runbook ID, and `ID`
alone what its prose says.
"""


@dataclass(frozen=True)
class Row:
    """One row: its words, the checks and places in runbooks that cite it, and the other places
    that it went to. A place in a runbook is `ID/STEP`, or `ID` for its prose."""

    id: str
    words: str
    checks: tuple[str, ...]
    runbooks: tuple[str, ...]
    places: tuple[str, ...]


def listed() -> dict[str, tuple[str, tuple[str, ...]]]:
    """The hand-kept list: words and places by id. Raises ValueError for a line that is none."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for number, line in enumerate(LIST.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = [part.strip() for part in line.split(" | ")]
        if len(parts) != 3 or not ROW.fullmatch(parts[0]) or parts[0] in found:
            raise ValueError(
                f"coverage_rows.txt:{number}: not a row, or one that was there: {line}"
            )
        places = tuple(place.strip() for place in parts[2].split(";"))
        for place in places:
            if not place.startswith(KINDS):
                raise ValueError(f"coverage_rows.txt:{number}: no kind of place: {place!r}")
        found[parts[0]] = (parts[1], places)
    return found


def cited() -> dict[str, list[str]]:
    """The checks that answer each row, by what they say of themselves."""
    found: dict[str, list[str]] = {}
    for id_ in check_ids():
        for row in load_check(id_).rows:
            found.setdefault(row, []).append(id_)
    return found


def cited_by_presets() -> dict[str, list[str]]:
    """The presets' own checks that cite a row, as `own PRESET/NAME`."""
    found: dict[str, list[str]] = {}
    for preset in preset_names():
        for name, check in settings_from({"preset": preset}).checks.items():
            for row in ROW.findall(check.source):
                found.setdefault(row, []).append(f"own {preset}/{name}")
    return found


def cited_by_runbooks() -> dict[str, list[str]]:
    """Where runbooks cite a row: `ID/STEP`, or `ID` where no step of the page does."""
    found: dict[str, list[str]] = {}
    for page in every_runbook(shipped()):
        in_steps: set[str] = set()
        for step in page.every_step:
            for row in sorted({*step.rows, *ROW.findall(step.what)}):
                found.setdefault(row, []).append(f"{page.id}/{step.id}")
                in_steps.add(row)
        for row in sorted(_of_the_page(page) - in_steps):
            found.setdefault(row, []).append(page.id)
    return found


def _of_the_page(page: Runbook) -> set[str]:
    return {*page.rows, *ROW.findall(page.prose)}


def rows() -> list[Row]:
    """Every row, in order. Raises ValueError for one that is cited and not in the list."""
    known, by_check, by_preset = listed(), cited(), cited_by_presets()
    by_runbook = cited_by_runbooks()
    strange = {*by_check, *by_preset, *by_runbook} - {*known}
    if strange:
        raise ValueError(f"cited, and not in coverage_rows.txt: {', '.join(sorted(strange))}")
    return [
        Row(
            id_,
            words,
            tuple(by_check.get(id_, ())),
            tuple(by_runbook.get(id_, ())),
            tuple(dict.fromkeys([*places, *by_preset.get(id_, ())])),
        )
        for id_, (words, places) in sorted(known.items())
    ]


def page() -> str:
    """docs/coverage.md."""
    all_ = rows()
    parts = [
        HEADING.format(
            count=len(all_),
            checked=sum(bool(row.checks) for row in all_),
            commanded=_having(all_, "payops ", "class ", "remedy "),
            led=sum(bool(row.runbooks) for row in all_),
            person=_having(all_, "person: "),
        )
    ]
    for prefix, title in RUNBOOKS.items():
        parts.append(f"## {title}\n\n| row | asks | went to |\n|---|---|---|")
        parts += [_line(row) for row in all_ if row.id.startswith(prefix)]
        parts.append("")
    return "\n".join(parts)


def _having(all_: Iterable[Row], *kinds: str) -> int:
    return sum(any(place.startswith(kinds) for place in row.places) for row in all_)


def _line(row: Row) -> str:
    went = [*(f"`{id_}`" for id_ in row.checks), *map(_shown, row.places), *_led(row.runbooks)]
    return f"| {row.id} | {row.words} | {', '.join(went)} |"


def _led(runbooks: tuple[str, ...]) -> Iterator[str]:
    """The runbooks of a row: steps first, and of many only the first few."""
    if not runbooks:
        return
    places = sorted(runbooks, key=lambda place: "/" not in place)
    more = len(places) - NAMED
    named = ", ".join(f"`{place}`" for place in places[:NAMED])
    yield f"runbook {named}" + (f" and {more} more" if more > 0 else "")


def _shown(place: str) -> str:
    if place.startswith("runbook: "):
        return place.removeprefix("runbook: ")  # which they are comes behind it
    for kind in ("payops: ", "person: "):
        if place.startswith(kind):
            return place
    if place.startswith("payops "):
        return f"`{place}`"
    kind, _, name = place.partition(" ")
    return f"{kind} `{name}`"


def places_of(kind: str, all_: Iterable[Row]) -> Mapping[str, list[str]]:
    """The names of one kind of place, each with the rows that went there."""
    found: dict[str, list[str]] = {}
    for row in all_:
        for place in row.places:
            if place.startswith(kind):
                found.setdefault(place.removeprefix(kind), []).append(row.id)
    return found


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
