"""A drill: a lab with an incident in it, a person against the clock, and what came of it.

`begin` breaks a lab in a way that was chosen or drawn; `examine` says what still stands of it;
`help_from_outside` does what only somebody else can do; `end` leaves nothing of it behind.
"""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from payops.errors import LabError, UsageError
from payops.lab import laboratory
from payops.lab.drill_record import FILE_NAME, Drill, Helped, drill_in
from payops.lab.info import LabInfo
from payops.lab.parameter import USUAL, Severity
from payops.lab.repaired import repaired
from payops.lab.running import Lab
from payops.lab.scenario import load_scenario, scenarios_for
from payops.lab.veil import unveiled, veiled

Say = Callable[[str], None]
_MOST_TRIES = 20
_SHORTEST_S = 3600.0


def default_directory() -> Path:
    """Beside the lab's own, so that a drill ends no lab that somebody plays with."""
    return laboratory.default_directory().with_name("drill")


@dataclass(frozen=True)
class DrillOptions:
    """What was asked for. Without `scenario` one is drawn, with `two` a second one; `seed` draws,
    and tells the lab's payments. `blind`: nobody is told which. `timeout_s`: twice the target where
    it is left out. `known` are the scenarios that may be drawn and their runbooks' targets in
    seconds."""

    directory: Path
    known: dict[str, float | None]
    scenario: str | None = None
    preset: str | None = None
    severity: Severity = USUAL
    seed: int | None = None
    two: bool = False
    blind: bool = False
    keep: bool = False
    environment: str = "lab"
    timeout_s: float | None = None


@dataclass(frozen=True)
class Left:
    """What still stands, a sentence each: of what checks say, and what none sees (`unseen`)."""

    by_checks: tuple[str, ...] = ()
    unseen: tuple[str, ...] = field(default=())

    @property
    def nothing(self) -> bool:
        """Whether it is repaired."""
        return not self.by_checks and not self.unseen


def begin(options: DrillOptions, say: Say) -> Drill:
    """Start a lab, or take the one in the folder, and break it.

    Raises LabError where a drill is under way there, or the lab is broken already; UsageError for a
    scenario that is not there. What was started is stopped again where it does not come to a drill.
    """
    directory = options.directory
    if (directory / FILE_NAME).exists():
        where = f" --dir {directory}" if directory != default_directory() else ""
        raise LabError(
            f"a drill is under way in {directory}", hint=f"payops drill --status{where}, or --end"
        )
    if options.scenario is not None:
        load_scenario(options.scenario)
    seed = options.seed if options.seed is not None else secrets.randbelow(10_000)
    info = _standing(directory)
    ours = info is None
    try:
        if info is None:
            info = _started(options, seed, say)
        drill = _broken(options, seed, info, ours=ours)
        drill.save(directory)
    except BaseException:
        if ours:
            laboratory.down(directory)
        else:
            laboratory.heal(directory)
        raise
    return drill


def _standing(directory: Path) -> LabInfo | None:
    """The lab that is up in the folder; None where none is. Raises LabError for a broken one."""
    if not laboratory.status(directory):
        return None
    info = LabInfo.load(directory)
    if info is not None and info.scenarios:
        raise LabError(
            f"the lab in {directory} is broken already", hint="payops lab heal, or another --dir"
        )
    return info


def _started(options: DrillOptions, seed: int, say: Say) -> LabInfo:
    preset = options.preset or "reference"
    if options.scenario is not None:
        fitting = load_scenario(options.scenario).presets
        if preset not in fitting and options.preset is not None:
            raise LabError(
                f"{options.scenario} is not made for the preset {preset}",
                hint=f"it is for: {', '.join(fitting)}",
            )
        preset = preset if preset in fitting else fitting[0]
    made = laboratory.LabOptions(
        dir=options.directory, preset=preset, seed=seed, environment=options.environment
    )
    info = laboratory.up(made, say)
    # A drill's journal is its own: nobody wants practice among what was truly done.
    state = Path(info.dir) / "state"
    with open(info.config, "a", encoding="utf-8") as file:
        file.write(f"\npaths:\n  # The drill's own; it goes with it.\n  state: {_quoted(state)}\n")
    return info


def _quoted(path: Path) -> str:
    return json.dumps(str(path))  # a JSON string is a YAML string


def _broken(options: DrillOptions, seed: int, info: LabInfo, *, ours: bool) -> Drill:
    if options.preset not in (None, info.preset):
        raise LabError(f"the lab in {info.dir} has the preset {info.preset}", hint="another --dir")
    directory, count = Path(info.dir), 2 if options.two else 1
    names: list[str] = []
    why = LabError("there is no scenario to draw")
    salt = f"{random.Random(f'salt {seed}').getrandbits(32):08x}"
    for wanted in _drawn(options, seed, info.preset):
        name = veiled(wanted, salt) if options.blind else wanted
        try:
            laboratory.inject(directory, name, severity=options.severity)
        except LabError as error:
            if wanted == options.scenario:
                raise
            why = error  # the two exclude each other: another one is drawn
            continue
        names.append(name)
        if len(names) == count:
            break
    else:
        raise why
    targets = [options.known.get(unveiled(name, options.known)) for name in names]
    target = max((each for each in targets if each is not None), default=None)
    return Drill(
        began=datetime.now(UTC),
        preset=info.preset,
        scenarios=tuple(names),
        seed=seed,
        blind=options.blind,
        severity=options.severity,
        target_s=target,
        timeout_s=options.timeout_s or max(_SHORTEST_S, 2 * (target or 0.0)),
        ours=ours,
        keep=options.keep,
        entries=len(entries(info)),
    )


def _drawn(options: DrillOptions, seed: int, preset: str) -> Iterator[str]:
    """The scenario that was asked for, and then others as the seed draws them."""
    if options.scenario is not None:
        yield options.scenario
    others = [
        each for each in scenarios_for(preset) if each in options.known and each != options.scenario
    ]
    random.Random(f"drill {seed}").shuffle(others)
    yield from others[:_MOST_TRIES]


def entries(info: LabInfo) -> Sequence[dict[str, object]]:
    """What is in the journal of the lab's configuration."""
    from payops.config.load import load
    from payops.engine.journal import Journal
    from payops.reconcile.spool import state_folder

    return Journal(state_folder(load(info.config).settings)).read().entries


def info_of(directory: Path) -> LabInfo:
    """The drill's lab. Raises LabError when it is gone."""
    info = LabInfo.load(directory)
    if info is None:
        raise LabError(f"the lab in {directory} is gone", hint="start another: payops drill")
    return info


def examine(directory: Path, drill: Drill) -> Left:
    """What still stands of it, now."""
    by_checks: dict[str, None] = {}
    unseen: dict[str, None] = {}
    for name in drill.scenarios:
        with Lab(directory, info_of(directory)) as lab:
            for told in repaired(lab, name, drill.severity):
                id_, is_, rest = told.partition(" is ")
                of_check = is_ and " " not in id_ and "." in id_ and rest
                (by_checks if of_check else unseen)[told] = None
    return Left(tuple(by_checks), tuple(unseen))


def found_repaired(directory: Path, drill: Drill, left: Left, at: datetime) -> Drill:
    """The drill after a look: since when it is repaired, or that it is not."""
    if left.nothing == (drill.repaired is not None):
        return drill
    drill = replace(drill, repaired=at if left.nothing else None)
    drill.save(directory)
    return drill


def name_it(directory: Path, what: str) -> Drill:
    """Write down what somebody says it is: a scenario's id. Raises UsageError for another word."""
    load_scenario(what)
    drill = drill_in(directory).named(what, datetime.now(UTC))
    drill.save(directory)
    return drill


def help_from_outside(directory: Path) -> tuple[Drill, tuple[str, ...]]:
    """Do what only somebody else can do, about every scenario that needs it; what was done.

    Raises UsageError in a blind drill until it was called by its name: whoever is asked to help
    asks what to do.
    """
    drill = drill_in(directory)
    in_force = info_of(directory).scenarios
    waiting = [name for name in drill.scenarios if name in in_force and load_scenario(name).outside]
    if drill.blind:
        right = {one.what for one in drill.said if one.right}
        called = [name for name in waiting if right & load_scenario(name).told_as]
        if not called and not drill.diagnosed:
            raise UsageError(
                "whom you ask wants to know what it is",
                hint="payops drill --diagnosis SCENARIO (see `payops lab list`)",
            )
        waiting = called
    done = []
    for name in waiting:
        if any(one.scenario == name for one in drill.helped):
            continue
        laboratory.mend(directory, name)
        drill = replace(drill, helped=(*drill.helped, Helped(datetime.now(UTC), name)))
        drill.save(directory)
        done.append(load_scenario(name).outside)
    return drill, tuple(done)


def end(directory: Path, drill: Drill, say: Say, *, keep: bool = False) -> None:
    """Leave nothing of it behind: the lab is stopped where the drill started it, healed where it
    was somebody's, and left as it is where it is to be kept."""
    (directory / FILE_NAME).unlink(missing_ok=True)
    if drill.ours and not (keep or drill.keep):
        laboratory.down(directory, say)
    elif not drill.ours:
        laboratory.heal(directory)
