"""A drill in this process, on one lab: what is hidden, what is heard, who may help, what it came
to. The command is tested in tests/cli/test_drill.py."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payops.cli.drill_words import briefing, clock
from payops.domain.status import Status
from payops.errors import LabError, UsageError
from payops.lab import drill as drills
from payops.lab import laboratory, processes
from payops.lab.drill import DrillOptions, Left
from payops.lab.drill_record import FILE_NAME, Drill, Helped, Said, drill_in
from payops.lab.drill_report import diagnoses, ended, running, when_repaired
from payops.lab.drill_told import told_of
from payops.lab.info import LabInfo
from payops.lab.parameter import SEVERITIES
from payops.lab.scenario import (
    EVERY_PRESET,
    load_scenario,
    scenario_ids,
    scenarios_for,
    stopped_servers,
)
from payops.lab.systems import system
from payops.lab.veil import is_veiled, unveiled, veiled
from payops.runbook.shelf import every_runbook, shipped

IDS = scenario_ids()
PAGES = every_runbook(shipped())
KNOWN = {suspect.scenario: page.mttr_s for page in PAGES for suspect in page.suspects}
NOW = datetime(2026, 2, 11, 9, 30, tzinfo=UTC)
DRILL = Drill(NOW, "reference", ("redis-down",), seed=1, target_s=1200.0)


def silent(_: str) -> None:
    """Nobody wants to hear of progress."""


# ── names that hide ──────────────────────────────────────────────────────────────────────────────


@given(st.sampled_from(IDS), st.text("0123456789abcdef", min_size=1, max_size=12))
def test_a_hidden_name_is_found_again_and_tells_nothing(wanted: str, salt: str) -> None:
    name = veiled(wanted, salt)
    assert is_veiled(name)
    assert unveiled(name, IDS) == wanted
    assert wanted not in name
    assert load_scenario(name).title == load_scenario(wanted).title


def test_a_name_that_hides_nothing_known_stays_as_it_is() -> None:
    name = veiled("not-a-scenario", "5eed")
    assert unveiled(name, IDS) == name
    with pytest.raises(UsageError, match="there is no scenario"):
        load_scenario(name)


def test_one_scenario_has_another_name_by_another_salt() -> None:
    assert veiled("redis-down", "1") != veiled("redis-down", "2")


# ── what is heard ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("preset", EVERY_PRESET)
def test_something_is_heard_of_every_incident_and_it_names_none(preset: str) -> None:
    made = system(preset)
    for wanted in scenarios_for(preset):
        found = load_scenario(wanted)
        for severity in SEVERITIES:
            heard = told_of([found], made, severity)
            assert 1 <= len(heard) <= 4
            told = " ".join(heard).lower()
            assert wanted not in told
            assert found.title.lower() not in told


@pytest.mark.parametrize(
    ("scenarios", "severity", "heard"),
    [
        (["decline-spike"], "usual", ["Support: customers say that their cards are refused."]),
        (["stripe-certificate-refused"], "usual", ["The monitor: what it asks Stripe gets no"]),
        (["redis-down", "payout-failed"], "usual", ["The uptime monitor:", "Accounting: the pay"]),
        (["payments-stuck-pending"], "mild", ["`payops health --check` has been WARN"]),
        (["credential-exposure"], "usual", ["No alert has come."]),
    ],
)
def test_what_is_heard(scenarios: list[str], severity: str, heard: list[str]) -> None:
    found = [load_scenario(one) for one in scenarios]
    told = " ".join(told_of(found, system("reference"), severity, most=9))  # type: ignore[arg-type]
    for words in heard:
        assert words in told


# ── the record ───────────────────────────────────────────────────────────────────────────────────


def test_the_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    drill = replace(
        DRILL,
        blind=True,
        said=(Said(NOW, "redis-down", True),),
        helped=(Helped(NOW + timedelta(seconds=1.5), "redis-down"),),
        repaired=NOW,
    )
    drill.save(tmp_path)
    assert drill_in(tmp_path) == drill
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"began": 3}', "\x00"])
def test_a_damaged_record_is_told_as_such(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(LabError, match="damaged"):
        drill_in(tmp_path)


def test_no_record_is_no_drill(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no drill is under way"):
        drill_in(tmp_path)


def test_what_looks_the_same_from_outside_is_rightly_named_too() -> None:
    drill = replace(DRILL, scenarios=("key-expired",))
    told = sorted(load_scenario("key-expired").told_as)
    assert all(drill.named(one, NOW).diagnosed for one in told)
    assert not drill.named("redis-down", NOW).diagnosed
    both = replace(DRILL, scenarios=("key-expired", "redis-down")).named("redis-down", NOW)
    assert both.said[-1].right
    assert not both.diagnosed


# ── what it came to ──────────────────────────────────────────────────────────────────────────────


def entry(seconds: float, kind: str, **body: object) -> dict[str, object]:
    """A line of the journal, so long after the drill began."""
    at = (NOW + timedelta(seconds=seconds)).isoformat()
    return {"seq": 1, "at": at, "kind": kind, **body}


def test_it_was_repaired_by_the_last_thing_that_was_done() -> None:
    later = NOW + timedelta(minutes=9)
    assert when_repaired(DRILL, [], later) == later
    done = [entry(30, "outcome", result="done"), entry(90, "outcome", result="refused")]
    assert when_repaired(DRILL, done, later) == NOW + timedelta(seconds=30)
    helped = replace(DRILL, helped=(Helped(NOW + timedelta(seconds=60), "redis-down"),))
    assert when_repaired(helped, done, later) == NOW + timedelta(seconds=60)


def test_a_runbook_that_was_begun_is_a_diagnosis() -> None:
    def begun(seconds: float, runbook: str) -> dict[str, object]:
        at = NOW + timedelta(seconds=seconds)
        more = {"runbook": runbook, "operator": "ann", "began": at.isoformat()}
        place = {"runbook": runbook, "step": ""}
        return entry(seconds, "runbook", event="begin", runbook_run=runbook, next=place, **more)

    drill = DRILL.named("redis-evicting", NOW + timedelta(seconds=5))
    told = diagnoses(drill, [begun(20, "database-down"), begun(40, "redis-down")], PAGES)
    assert [(one.what, one.right) for one in told] == [
        ("redis-evicting", False),
        ("database-down", False),
        ("redis-down", True),
    ]


# ── on a lab ─────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabInfo]:
    directory = tmp_path_factory.mktemp("drill") / "lab"
    options = laboratory.LabOptions(dir=directory, payments=150, rate_limits=False)
    yield laboratory.up(options)
    laboratory.down(directory)


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def options(lab: LabInfo, **chosen: object) -> DrillOptions:
    """A drill on this lab."""
    return replace(DrillOptions(Path(lab.dir), KNOWN, seed=3), **chosen)  # type: ignore[arg-type]


@pytest.fixture
def drilled(lab: LabInfo) -> Iterator[Path]:
    """The lab's folder; whatever drill is left in it is ended."""
    directory = Path(lab.dir)
    yield directory
    if (directory / FILE_NAME).exists():
        drills.end(directory, drill_in(directory), silent)


def files_with(directory: Path, word: str) -> list[str]:
    """The files in which a word stands, or that are named so."""
    return [
        str(path.relative_to(directory))
        for path in directory.rglob("*")
        if word in path.name or (path.is_file() and word.encode() in path.read_bytes())
    ]


@pytest.mark.parametrize(
    "wanted",
    ["redis-down", "stripe-outage", "database-locks", "queue-stands-still", "webhook-timeouts"],
    # pytest tells every process the name of the test, in which no scenario's name may stand.
    ids=["server stopped", "rows added", "process left", "configuration changed", "faults set"],
)
def test_what_is_hidden_stands_nowhere(lab: LabInfo, drilled: Path, wanted: str) -> None:
    drill = drills.begin(options(lab, scenario=wanted, blind=True), silent)
    assert drill.ids == (wanted,)
    info = drills.info_of(drilled)
    assert info.scenarios == drill.scenarios
    assert is_veiled(info.scenarios[0])
    assert files_with(drilled, wanted) == []
    assert wanted not in briefing(drill, info.config, "")
    for process in processes.left_behind(drilled) if Path("/proc/self").exists() else ():
        for told in ("cmdline", "environ"):
            assert wanted.encode() not in Path(f"/proc/{process.pid}/{told}").read_bytes()
    assert stopped_servers(drilled) == set(load_scenario(wanted).stops)
    with pytest.raises(LabError, match="in force already"):
        laboratory.inject(drilled, wanted)
    left = drills.examine(drilled, drill)
    assert not left.nothing
    told = json.dumps([c.summary for c in running(drill, left, drilled).checks])
    assert load_scenario(wanted).title not in told
    drills.end(drilled, drill, silent)
    assert drills.info_of(drilled).scenarios == ()
    assert drills.examine(drilled, drill).nothing


def test_a_seed_draws_the_same_again(lab: LabInfo, drilled: Path) -> None:
    drawn = []
    for _ in range(2):
        drill = drills.begin(options(lab, two=True, seed=8, severity="mild"), silent)
        assert len(set(drill.ids)) == 2
        assert drills.info_of(drilled).scenarios == drill.scenarios
        drawn.append(drill.ids)
        drills.end(drilled, drill, silent)
    assert drawn[0] == drawn[1]


def test_one_that_excludes_the_first_is_not_drawn(lab: LabInfo, drilled: Path) -> None:
    both = dict.fromkeys(["redis-nearly-full", "redis-evicting", "worker-backlog"], 60.0)
    drill = drills.begin(options(lab, scenario="redis-evicting", two=True, known=both), silent)
    assert drill.ids == ("redis-evicting", "worker-backlog")
    assert drill.target_s == 60.0
    assert drill.timeout_s == 3600.0


def test_who_is_asked_to_help_wants_to_know_what_it_is(lab: LabInfo, drilled: Path) -> None:
    drills.begin(options(lab, scenario="redis-evicting", blind=True), silent)
    with pytest.raises(UsageError, match="wants to know what it is"):
        drills.help_from_outside(drilled)
    drills.name_it(drilled, "redis-down")
    with pytest.raises(UsageError, match="wants to know what it is"):
        drills.help_from_outside(drilled)
    with pytest.raises(UsageError, match="there is no scenario"):
        drills.name_it(drilled, "redis-is-odd")
    drills.name_it(drilled, "redis-evicting")
    drill, done = drills.help_from_outside(drilled)
    assert done == (load_scenario("redis-evicting").outside,)
    assert drills.help_from_outside(drilled)[1] == ()
    left = drills.examine(drilled, drill)
    assert left == Left()
    at = when_repaired(drill, [], datetime.now(UTC))
    drill = drills.found_repaired(drilled, drill, left, at)
    assert drill_in(drilled).repaired == drill.helped[0].at

    report = ended(drill, left, drilled, [], PAGES)
    told = {check.id: check for check in report.checks}
    assert report.status is Status.OK
    assert "(redis-evicting)" in told["drill.scenario"].summary
    assert told["drill.diagnosed"].summary.endswith("beside it: redis-down")
    assert told["drill.money"].summary.startswith("none")
    used = next(table for table in report.tables if table.id == "used")
    assert [row[2] for row in used.rows] == [
        "said: redis-down (it was not)",
        "said: redis-evicting",
        f"outside: {done[0]}",
    ]


def test_what_was_not_repaired_and_what_was_late(lab: LabInfo, drilled: Path) -> None:
    drill = drills.begin(options(lab, scenario="amount-drift"), silent)
    left = drills.examine(drilled, drill)
    report = ended(drill, left, drilled, [], PAGES)
    assert report.status is Status.CRIT
    money = next(check for check in report.checks if check.id == "drill.money")
    assert money.money_at_risk
    assert money.status is Status.WARN
    assert [table.id for table in report.tables] == ["left", "used"]

    assert drill.target_s is not None
    long_ago = drill.began - timedelta(seconds=drill.target_s + 60)
    late = replace(drill, began=long_ago, repaired=drill.began)
    report = ended(late, Left(), drilled, [], PAGES)
    assert report.status is Status.WARN
    took = next(check for check in report.checks if check.id == "drill.time")
    assert took.summary.endswith("60 s late")


@pytest.mark.parametrize(
    ("target", "minutes", "status", "said"),
    [
        (1200.0, 19, Status.OK, "19 min of 20 min"),
        (1200.0, 21, Status.WARN, "21 min of 20 min: 60 s late"),
        (None, 59, Status.OK, "59 min; its runbook sets no target"),
        (None, 61, Status.WARN, "1 h 1 min; its runbook sets no target, and 1 h are over"),
    ],
)
def test_the_time_it_took(
    drilled: Path, target: float | None, minutes: int, status: Status, said: str
) -> None:
    began = datetime.now(UTC) - timedelta(minutes=200)
    drill = replace(
        DRILL, began=began, target_s=target, repaired=began + timedelta(minutes=minutes)
    )
    report = running(drill, Left(), drilled)
    assert report.status is status
    assert report.checks[1].summary == said
    assert "Its time is up" in clock(drill)


def test_what_is_left_of_a_blind_one_is_told_by_checks_alone(drilled: Path) -> None:
    left = Left(("redis.connect is CRIT: connection refused",), ("a secret key stands in a log",))
    open_ = running(DRILL, left, drilled).tables[0].rows
    assert ("a secret key stands in a log",) in open_
    blind = running(replace(DRILL, blind=True), left, drilled)
    assert ("something that no check sees",) in blind.tables[0].rows
    assert "secret key" not in str(blind)
    told = blind.extra["drill"]
    assert isinstance(told, dict)
    assert told["scenarios"] is None


def test_one_drill_at_a_time_and_on_a_lab_that_is_well(lab: LabInfo, drilled: Path) -> None:
    drill = drills.begin(options(lab, scenario="worker-backlog"), silent)
    with pytest.raises(LabError, match="a drill is under way"):
        drills.begin(options(lab), silent)
    drills.end(drilled, drill, silent)
    laboratory.inject(drilled, "worker-backlog")
    with pytest.raises(LabError, match="broken already"):
        drills.begin(options(lab), silent)
    laboratory.heal(drilled)
    with pytest.raises(LabError, match="has the preset reference"):
        drills.begin(options(lab, preset="debtflow"), silent)
    with pytest.raises(UsageError, match="did you mean 'redis-down'"):
        drills.begin(options(lab, scenario="redis-dwon"), silent)
    with pytest.raises(LabError, match="is not made for the preset"):
        drills.begin(options(lab, scenario="connect-account-disabled"), silent)
    assert drills.info_of(drilled).scenarios == ()
    assert not (drilled / FILE_NAME).exists()
