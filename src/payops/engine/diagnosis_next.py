"""What to do next: the runbooks' commands with everything filled in, so that they can be pasted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import zip_longest

from payops.diagnosis.rank import Hypothesis
from payops.domain.duration import parse_duration
from payops.domain.evidence import Action
from payops.domain.impact import Impact, Surroundings
from payops.domain.runbook import Runbook
from payops.domain.status import Status
from payops.domain.symptom import Signal
from payops.runbook.lines import OURS, filled, placeholders

MOST = 3  # commands that a person is given at once


def actions_of(
    one: Hypothesis,
    page: Runbook | None,
    signals: Mapping[str, Signal],
    impact: Impact,
    around: Surroundings,
    as_of: datetime,
) -> tuple[Action, ...]:
    """The suspect's own actions, and its runbook, which is always among the first that a person is
    given: it alone leads to the end. A command in which a name cannot be filled is left out, its
    text is not."""
    given = {name: each.default for name, each in page.parameters.items()} if page else {}
    values = {name: value for name, value in given.items() if value}
    values |= _configured(around, signals)
    values["plan"] = f"./payops-plan-{one.scenario}.json"
    if "since" in given:
        values["since"] = since_words(impact.since, as_of, given["since"])
    actions = [
        Action(filled(each.text, values), _command(each.command, values))
        for each in one.suspect.actions
    ]
    if page is not None and page.steps:
        led = Action("Go through its runbook", f"{OURS} runbook run {one.suspect.runbook}")
        actions.insert(_behind(actions, MOST - 1), led)
    return tuple(actions)


def _behind(actions: Sequence[Action], commands: int) -> int:
    """The place behind so many commands, or behind all."""
    left = commands
    for index, one in enumerate(actions):
        if left == 0:
            return index
        left -= bool(one.command)
    return len(actions)


def since_words(since: datetime | None, as_of: datetime, default: str) -> str:
    """A duration for `--since` that reaches back to the beginning, never less than the default.

    >>> from datetime import UTC
    >>> since_words(datetime(2026, 2, 9, tzinfo=UTC), datetime(2026, 2, 11, 1, tzinfo=UTC), "24h")
    '3d'
    """
    try:
        least = parse_duration(default)
    except ValueError:
        return default
    lasted = as_of - since if since else timedelta(0)
    if lasted <= least:
        return default
    hours = math.ceil(lasted / timedelta(hours=1))
    return f"{hours}h" if hours <= 48 else f"{math.ceil(hours / 24)}d"


def _configured(around: Surroundings, signals: Mapping[str, Signal]) -> dict[str, str]:
    """The only one that is configured; of several breakers the one that is in trouble."""
    values = {name: there[0] for name, there in around.names.items() if len(there) == 1}
    troubled = [
        name
        for name in around.names.get("breaker", ())
        if (one := signals.get(f"circuit.{name}")) is not None and one.status is Status.CRIT
    ]
    if len(troubled) == 1:
        values["breaker"] = troubled[0]
    return values


def _command(command: str, values: Mapping[str, str]) -> str:
    # A value comes from the configuration: it must stay one word of the shell.
    import shlex

    # Nor may it become an option.
    if any(values.get(name, "-").startswith("-") for name in placeholders(command)):
        return ""
    return filled(command, {name: shlex.quote(value) for name, value in values.items()})


def first_of(
    causes: Sequence[Sequence[Action]], unexplained: Iterable[Signal]
) -> tuple[Action, ...]:
    """The next three commands: of several causes by turns, what only a person can do in between.

    Without a cause, what the abnormal checks say themselves.
    """
    turns = (one for turn in zip_longest(*causes) for one in turn if one is not None)
    found = list(_up_to(turns if causes else _own(unexplained)))
    while found and not found[-1].command and any(one.command for one in found):
        found.pop()
    return tuple(found)


def _own(unexplained: Iterable[Signal]) -> Iterator[Action]:
    for one in sorted(unexplained, key=lambda each: (-each.status.rank, each.check)):
        following = next((each for each in one.actions if each.command), None)
        if following is not None:
            yield following


def _up_to(actions: Iterable[Action]) -> Iterator[Action]:
    seen: set[str] = set()
    commands = 0
    for one in actions:
        if (one.command or one.text) in seen:
            continue
        seen.add(one.command or one.text)
        yield one
        commands += bool(one.command)
        if commands == MOST or len(seen) == 2 * MOST:
            return
