"""What a scenario is, how it is found, and how it is set loose and undone.

A scenario is one file in `scenarios/`, named by its id with underscores. Its docstring says what
the person on call sees and which runbook it comes from; its `SCENARIO` says how to make it and how
to undo it, also from another process: what it changes is remembered in `D/scenarios/ID.json`
before it is changed.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from payops.domain.status import Status
from payops.errors import LabError, UsageError
from payops.lab.parameter import USUAL, Parameter, Severity, chosen
from payops.lab.running import Lab, memory
from payops.lab.systems import System
from payops.lab.veil import unveiled

__all__ = [
    "EVERY_PRESET",
    "Lab",
    "Parameter",
    "Parameters",
    "Scenario",
    "heal",
    "inject",
    "load_scenario",
    "mend",
    "scenario_ids",
    "scenarios_for",
    "stopped_servers",
]
PACKAGE = "payops.lab.scenarios"
EVERY_PRESET = ("reference", "debtflow", "ireti-pos", "v-edfinance", "bookedbarber")
_OF_FAILURES = frozenset(
    {"payments.success-rate", "payments.failure-rate", "payments.failing-customers"}
)

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Scenario:
    """A cause that a runbook names, and how to make it.

    `runbook` cites the page and place, `breaks` says in a sentence what is broken. `expected` are
    the statuses of the checks that differ from OK while it is in force, by check id. `inject` gets
    a value for every one of `parameters`. `heal` restores the state before, needs nothing but what
    was remembered, and also undoes an `inject` that was cut short. `changes` names what is set to
    what it was before (`payments`, `breaker`): of two scenarios that change the same, the later one
    is healed first. `stops` names the servers that are down on purpose, so that `up` does not
    bring them back. `silences` is the dependency that gives no usable answer by it. `failures`
    tells that payments fail by it, which some systems leave no row of; `loses` that events are lost
    by it, which in some systems moves no row.

    `causes` are the words of `domain.webhook.Cause` that `payops webhooks status` has to name, and
    no others; `unlogged` those in a system without an event log, where they differ. Of scenarios
    that `hold` the same (`answer`: what the endpoint answers; `registration`), one alone can be in
    force.

    `mild` and `severe` are the values of `parameters` that make it less or more of an incident than
    the defaults do; in `differs` stand, by severity, the statuses that are others then (OK: the
    check does not see it any more); what `varies` is WARN or CRIT then, by how busy the shop is.
    `classes` are those of `domain.discrepancy.MatchClass` that a reconciliation finds by it, where
    the system can tell, and `elsewhere` what `payops reconcile external` says, by id. `own` are own
    checks that see it too, by preset, and `still` tells in sentences what is left of it that no
    check sees. `outside` says what somebody else has to do before it can be over ("restart Redis");
    empty where payops' own commands repair all of it. `mend` does that alone, and leaves to payops
    what payops can repair; None: what is outside is all, or nothing is.

    `told_as` are the ids that a diagnosis may rightly give for it: its own always (`load_scenario`
    sees to that), and those of faults that look the same from outside.
    """

    title: str
    runbook: str
    breaks: str
    expected: Mapping[str, Status]
    inject: Callable[[Lab, Parameters], None]
    heal: Callable[[Lab], None]
    presets: tuple[str, ...] = ("reference",)
    causes: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    unlogged: frozenset[str] | None = None
    failures: bool = False
    loses: bool = False
    holds: frozenset[str] = frozenset()
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    changes: frozenset[str] = frozenset()
    stops: tuple[str, ...] = ()
    silences: Literal["stripe", "postgres", ""] = ""
    mild: Mapping[str, int] = field(default_factory=dict)
    severe: Mapping[str, int] = field(default_factory=dict)
    differs: Mapping[Severity, Mapping[str, Status]] = field(default_factory=dict)
    varies: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    elsewhere: Mapping[str, Status] = field(default_factory=dict)
    own: Mapping[str, Mapping[str, Status]] = field(default_factory=dict)
    still: Callable[[Lab], list[str]] | None = None
    outside: str = ""
    mend: Callable[[Lab], None] | None = None
    told_as: frozenset[str] = frozenset()

    @property
    def severities(self) -> Mapping[Severity, Mapping[str, int]]:
        """The values of all parameters, by severity."""
        usual = {name: parameter.default for name, parameter in self.parameters.items()}
        return {"mild": {**usual, **self.mild}, "usual": usual, "severe": {**usual, **self.severe}}

    @property
    def cured_by(self) -> Literal["payops", "heal", "both"]:
        """Who repairs it: payops' commands, somebody outside (in a lab `payops lab heal`), or first
        somebody outside (`payops lab mend`) and then payops."""
        if not self.outside:
            return "payops"
        return "heal" if self.mend is None else "both"

    def expected_in(self, made: System, severity: Severity = USUAL) -> Mapping[str, Status]:
        """`expected` on this system, which may lack what a check looks at."""
        lost = set(made.unmoved)
        if self.failures and made.failed is None:
            lost |= _OF_FAILURES
        if self.loses and not made.moves_on_success:
            lost.add("payments.stuck-pending")
        if self.silences == "postgres":
            lost |= made.asked_of_stripe
        if made.name != "reference":
            # The others' health pages ask no server, and their breakers are not opened.
            lost.add("app.health" if self.stops else "circuit.state")
        expected = {**self.expected, **self.differs.get(severity, {})}
        told: dict[str, Status] = {
            check: status
            for check, status in expected.items()
            if check not in lost and status is not Status.OK
        }
        told |= self.own.get(made.preset, {})
        if self.silences == "stripe":
            told |= dict.fromkeys(made.asked_of_stripe, Status.CRIT)
        if self.silences != "postgres":
            for check in tuple(told):
                told |= made.besides.get(check, {})
        if "postgres" in self.stops:
            from payops.lab.dependents import own_that_ask_postgres

            told |= own_that_ask_postgres(made.preset)
        return told

    def causes_in(self, made: System) -> frozenset[str]:
        """`causes` on this system."""
        return self.causes if made.payload or self.unlogged is None else self.unlogged


def scenario_ids(package: str = PACKAGE) -> tuple[str, ...]:
    """The ids of all scenarios, sorted. Raises LabError for two files with one id."""
    return tuple(_modules(package))


def scenarios_for(preset: str) -> tuple[str, ...]:
    """The ids of the scenarios that are made for a preset, sorted."""
    return tuple(one for one in scenario_ids() if preset in load_scenario(one).presets)


def load_scenario(wanted: str, package: str = PACKAGE) -> Scenario:
    """The scenario of that id, or of the name that hides it (`payops.lab.veil`).

    Raises UsageError naming the nearest one, and LabError for a file without a `SCENARIO`.
    """
    known = _modules(package)
    wanted = unveiled(wanted, known)
    if wanted in known:
        module = importlib.import_module(f"{package}.{known[wanted]}")
        made = getattr(module, "SCENARIO", None)
        if not isinstance(made, Scenario):
            raise LabError(f"{module.__file__} has no SCENARIO")
        return replace(made, told_as=made.told_as | {wanted})
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.4)
    raise UsageError(
        f"there is no scenario {wanted!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
        hint="see `payops lab list`",
    )


def inject(
    lab: Lab, wanted: str, scenario: Scenario, given: Parameters, severity: Severity = USUAL
) -> None:
    """Set a scenario loose and note it in the lab's record; undone when it fails half-way."""
    if lab.system.preset not in scenario.presets:
        raise LabError(
            f"{wanted} is not made for the preset {lab.info.preset}",
            hint=f"it is for: {', '.join(scenario.presets)}",
        )
    known = scenario_ids()
    if unveiled(wanted, known) in {unveiled(one, known) for one in lab.info.scenarios}:
        raise LabError(f"{wanted} is in force already", hint=f"payops lab heal {wanted}")
    values = chosen(wanted, scenario.parameters, given, scenario.severities[severity])
    for other in lab.info.scenarios:
        if scenario.holds & load_scenario(other).holds:
            raise LabError(
                f"{wanted} cannot be in force beside {other}", hint=f"payops lab heal {other} first"
            )
    lab.scenario = wanted
    lab.remember()
    _note(lab, (*lab.info.scenarios, wanted))
    try:
        with _servers_needed(wanted):
            scenario.inject(lab, values)
    except BaseException:
        # Where not even that is possible, it stays in force, to be healed later.
        with contextlib.suppress(LabError):
            heal(lab, wanted, scenario)
        raise
    _note(lab, lab.info.scenarios)


def heal(lab: Lab, wanted: str, scenario: Scenario) -> None:
    """Undo a scenario and strike it from the lab's record."""
    in_force = lab.info.scenarios
    if wanted not in in_force:
        raise LabError(f"{wanted} is not in force", hint="see `payops lab status`")
    for later in in_force[in_force.index(wanted) + 1 :]:
        if scenario.changes & load_scenario(later).changes:
            raise LabError(
                f"{later} came after {wanted} and changes the same",
                hint=f"payops lab heal {later} first, or payops lab heal for all",
            )
    lab.scenario = wanted
    with _servers_needed(wanted):
        scenario.heal(lab)
    memory(lab.directory, wanted).unlink(missing_ok=True)
    _note(lab, tuple(one for one in in_force if one != wanted))


def mend(lab: Lab, wanted: str, scenario: Scenario) -> None:
    """Do what somebody outside has to do, and leave the rest to payops; `heal` is to follow.

    Raises LabError where nobody outside has anything to do, or the scenario is not in force.
    """
    if not scenario.outside:
        raise LabError(
            f"nobody else has to do anything about {wanted}: payops repairs it",
            hint="payops diagnose",
        )
    if scenario.mend is None:
        heal(lab, wanted, scenario)
        return
    if wanted not in lab.info.scenarios:
        raise LabError(f"{wanted} is not in force", hint="see `payops lab status`")
    lab.scenario = wanted
    with _servers_needed(wanted):
        scenario.mend(lab)
    _note(lab, lab.info.scenarios)


@contextlib.contextmanager
def _servers_needed(wanted: str) -> Iterator[None]:
    """What a server's client raises, as a LabError that says what to do."""
    import psycopg
    import redis

    try:
        yield
    except (psycopg.OperationalError, redis.RedisError) as error:
        server = "Redis" if isinstance(error, redis.RedisError) else "PostgreSQL"
        raise LabError(
            f"{wanted} needs {server}, which does not answer: {error}",
            hint="heal what stopped it, or payops lab up to bring it back",
        ) from error


def stopped_servers(directory: Path) -> set[str]:
    """The servers that scenarios in force keep down."""
    known = scenario_ids()
    in_force = [path.stem for path in (directory / "scenarios").glob("*.json")]
    there = (one for one in in_force if unveiled(one, known) in known)
    return {name for one in there for name in load_scenario(one).stops}


def _note(lab: Lab, in_force: Iterable[str]) -> None:
    pids = {server.name: server.pid for server in lab.servers}
    lab.info = replace(lab.info, scenarios=tuple(in_force), pids=pids)
    lab.info.save()


def _modules(package: str) -> dict[str, str]:
    """Module names by scenario id: `circuit-stuck-open` is `circuit_stuck_open`."""
    modules: dict[str, str] = {}
    paths = importlib.import_module(package).__path__
    for name in sorted(module.name for module in pkgutil.iter_modules(paths)):
        id_ = name.strip("_").replace("_", "-")
        if id_ in modules:
            raise LabError(f"two files are the scenario {id_!r}: {modules[id_]}.py and {name}.py")
        modules[id_] = name
    return dict(sorted(modules.items()))
