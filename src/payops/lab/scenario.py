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
import json
import os
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from payops.domain.status import Status
from payops.errors import LabError, UsageError
from payops.lab.control import Control
from payops.lab.info import LabInfo
from payops.lab.servers.system import Servers
from payops.lab.systems import System, system

if TYPE_CHECKING:
    import psycopg
    import redis


PACKAGE = "payops.lab.scenarios"
EVERY_PRESET = ("reference", "debtflow", "ireti-pos", "v-edfinance", "bookedbarber")
_OF_FAILURES = frozenset(
    {"payments.success-rate", "payments.failure-rate", "payments.failing-customers"}
)


class Lab:
    """A running lab in the hands of a scenario. Connections are opened when first used."""

    def __init__(self, directory: Path, info: LabInfo) -> None:
        self.directory = directory
        self.info = info
        self.servers = Servers.of(directory)
        self.system = system(info.preset)
        self.stripe = Control("Stripe simulator", info.stripe_control_url)
        self.merchant = Control("merchant application", info.app_control_url)
        self.scenario = ""
        """The id of the scenario that is at work."""
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    @cached_property
    def postgres(self) -> psycopg.Connection[Any]:
        """The shop's database as its owner; autocommit, so use `transaction()` for two changes."""
        import psycopg

        connection = psycopg.connect(
            self.info.postgres_dsn, autocommit=True, connect_timeout=5, options="-c timezone=UTC"
        )
        return self._open.enter_context(connection)

    @cached_property
    def redis_bytes(self) -> redis.Redis:
        """The shop's Redis, values as they are: some are pickled."""
        import redis

        client = redis.Redis.from_url(self.info.redis_url, socket_timeout=5, protocol=2)
        self._open.callback(client.close)
        return client

    @cached_property
    def redis(self) -> redis.Redis:
        """The shop's Redis, strings decoded."""
        import redis

        client = redis.Redis.from_url(
            self.info.redis_url, decode_responses=True, socket_timeout=5, protocol=2
        )
        self._open.callback(client.close)
        return client

    @property
    def endpoint(self) -> dict[str, Any]:
        """The shop's webhook endpoint, as Stripe has it now."""
        mode = "true" if self.info.environment == "production" else "false"
        found = self.stripe.get(f"/objects?type=webhook_endpoint&livemode={mode}")["objects"]
        return next(one for one in found if one["url"] == self.info.webhook_endpoint)

    def held(self) -> set[str]:
        """Ids of payments and events that other scenarios in force have changed."""
        found: set[str] = set()
        for path in (self.directory / "scenarios").glob("*.json"):
            if path.stem != self.scenario:
                found |= set(json.loads(path.read_text(encoding="utf-8")).get("held", ()))
        return found

    def remember(self, **values: Any) -> None:
        """Keep JSON values for `heal`, on disk when this returns. Call it before the change."""
        kept = {**self.recall(), **values}
        path = _memory(self.directory, self.scenario)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(kept, file)
        temporary.replace(path)

    def recall(self) -> dict[str, Any]:
        """What was remembered for this scenario; empty when nothing was."""
        try:
            text = _memory(self.directory, self.scenario).read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        kept: dict[str, Any] = json.loads(text)
        return kept


Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """A number that can be chosen when injecting: its default, its bounds, its meaning."""

    default: int
    lowest: int
    highest: int
    meaning: str


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

    def expected_in(self, made: System) -> Mapping[str, Status]:
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
        told = {check: status for check, status in self.expected.items() if check not in lost}
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
    """The scenario of that id.

    Raises UsageError naming the nearest one, and LabError for a file without a `SCENARIO`.
    """
    known = _modules(package)
    if wanted in known:
        module = importlib.import_module(f"{package}.{known[wanted]}")
        made = getattr(module, "SCENARIO", None)
        if not isinstance(made, Scenario):
            raise LabError(f"{module.__file__} has no SCENARIO")
        return made
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.4)
    raise UsageError(
        f"there is no scenario {wanted!r}" + (f"; did you mean {near[0]!r}?" if near else ""),
        hint="see `payops lab list`",
    )


def inject(lab: Lab, wanted: str, scenario: Scenario, given: Parameters) -> None:
    """Set a scenario loose and note it in the lab's record; undone when it fails half-way."""
    if lab.system.preset not in scenario.presets:
        raise LabError(
            f"{wanted} is not made for the preset {lab.info.preset}",
            hint=f"it is for: {', '.join(scenario.presets)}",
        )
    if wanted in lab.info.scenarios:
        raise LabError(f"{wanted} is in force already", hint=f"payops lab heal {wanted}")
    chosen = _chosen(wanted, scenario, given)
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
            scenario.inject(lab, chosen)
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
    _memory(lab.directory, wanted).unlink(missing_ok=True)
    _note(lab, tuple(one for one in in_force if one != wanted))


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
    return {name for one in in_force if one in known for name in load_scenario(one).stops}


def _chosen(wanted: str, scenario: Scenario, given: Parameters) -> dict[str, int]:
    """A value for every parameter. Raises UsageError for what is unknown or out of bounds."""
    for name in given:
        if name not in scenario.parameters:
            near = difflib.get_close_matches(name, scenario.parameters, n=1, cutoff=0.4)
            known = ", ".join(scenario.parameters) or "none"
            raise UsageError(
                f"{wanted} has no parameter {name!r}"
                + (f"; did you mean {near[0]!r}?" if near else ""),
                hint=f"its parameters: {known}",
            )
    chosen = {}
    for name, parameter in scenario.parameters.items():
        try:
            value = int(given.get(name, parameter.default))
        except (TypeError, ValueError):
            raise UsageError(f"{name} is a number, not {given[name]!r}") from None
        if not parameter.lowest <= value <= parameter.highest:
            raise UsageError(
                f"{name} is {parameter.lowest} to {parameter.highest}, not {value}",
                hint=parameter.meaning,
            )
        chosen[name] = value
    return chosen


def _note(lab: Lab, in_force: Iterable[str]) -> None:
    pids = {server.name: server.pid for server in lab.servers}
    lab.info = replace(lab.info, scenarios=tuple(in_force), pids=pids)
    lab.info.save()


def _memory(directory: Path, scenario: str) -> Path:
    return directory / "scenarios" / f"{scenario}.json"


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
