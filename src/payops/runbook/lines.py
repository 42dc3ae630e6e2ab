"""What a line of a runbook may do: whether it only reads, or makes a plan.

Which commands only read is listed, not guessed: a command that nobody thought of is refused. The
real command line reads the words (`Parse`, given by cli), so an option counts however it is
written.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from payops.domain.duration import parse_duration

OURS = "payops"
PLAN = "{plan}"


@dataclass(frozen=True)
class CommandLine:
    """A payops command as the command line understood it.

    `path` is the command (`("circuit", "reset")`), `given` its options by their long flag and its
    arguments by their name, those alone that stand there.
    """

    path: tuple[str, ...]
    given: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The command as it is written."""
        return " ".join(self.path)


Parse = Callable[[Sequence[str]], CommandLine]
"""Reads the words behind `payops`. Raises UsageError for what the command line does not take."""

_REPORTS_BESIDE = frozenset({"--state", "--heartbeat", "--notify", "--write"})
"""What a report does beside itself: it writes where a page says, or sends."""

_WHICH_SYSTEM = ("--config", "--environment")
"""What says which system is asked. A configuration names commands that give secrets: a page that
could choose one could run anything."""

READ_ONLY: Mapping[str, frozenset[str]] = {
    "health": _REPORTS_BESIDE | {"--watch"},
    "diagnose": _REPORTS_BESIDE | {"--bundle", "--replay"},
    "impact": _REPORTS_BESIDE | {"--affected"},
    "stats": _REPORTS_BESIDE,
    "connections": _REPORTS_BESIDE,
    "trace": _REPORTS_BESIDE | {"--save", "--follow"},
    "circuit status": _REPORTS_BESIDE,
    "circuit keys": _REPORTS_BESIDE,
    "circuit idempotency": _REPORTS_BESIDE,
    "reconcile": _REPORTS_BESIDE | {"--save-plan", "--affected"},
    "reconcile payouts": _REPORTS_BESIDE,
    "reconcile external": _REPORTS_BESIDE,
    "webhooks status": _REPORTS_BESIDE | {"--signed"},
    "webhooks endpoints": _REPORTS_BESIDE,
    "webhooks undelivered": _REPORTS_BESIDE,
    "webhooks stuck": _REPORTS_BESIDE,
    "webhooks probe": _REPORTS_BESIDE | {"--signed"},
    "webhooks verify": _REPORTS_BESIDE,
    "keys check": _REPORTS_BESIDE,
    "keys scan": _REPORTS_BESIDE,
    "config check": frozenset(),
    "config show": frozenset(),
    "journal": frozenset(),
    "journal show": frozenset(),
    "journal verify": frozenset(),
    "remedy list": frozenset(),
    "remedy show": frozenset(),
    "remedy plan": frozenset({"--save-plan"}),
    "runbook list": frozenset(),
    "runbook show": frozenset(),
    "runbook check": frozenset(),
}
"""Commands that change nothing, and of each the options with which it would."""

ONLY_WITH: Mapping[str, str] = {
    "apply": "--show",
    "undo": "--show",
    "webhooks replay": "--show",
    "circuit watch": "--timeout",
}
"""Commands that change nothing (or end) with that option alone."""

PLANS = ("circuit reset", "circuit trip", "reconcile", "webhooks replay", "remedy plan")
"""Commands that write a plan with --save-plan."""

_NEVER_IN_A_PLAN = ("--yes", "--force", "--force-order", "--affected")
_LONGEST_WATCH = timedelta(hours=1)
_PLACEHOLDER = re.compile(r"(?<![%$])\{([a-z][a-z0-9_]*)\}")  # not curl's %{http_code}
_INLINE = re.compile(r"`(payops [^`]+)`")
_FENCED = re.compile(r"^```[^\n`]*\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
_BETWEEN = re.compile(r"&&|\|\||[;|>]")


FOR_A_PERSON = frozenset({*_WHICH_SYSTEM, *_NEVER_IN_A_PLAN, *_REPORTS_BESIDE, "-y"})
"""Options that nobody but the person at work says: no page, and no file from elsewhere."""


def why_not_read_only(line: CommandLine) -> str:
    """What keeps a command from a `run:` step; empty where nothing does."""
    if why := _another_system(line):
        return why
    if line.name in ONLY_WITH:
        needed = ONLY_WITH[line.name]
        if needed not in line.given:
            return f"`payops {line.name}` is read-only with {needed} alone"
        if needed == "--timeout" and not _is_short(str(line.given[needed])):
            return f"`payops {line.name}` with {needed} over an hour keeps everybody waiting"
        if line.name == "webhooks replay" and "--save-plan" in line.given:
            return "`--save-plan` writes a plan: that is a step of the kind plan"
        return ""
    if line.name not in READ_ONLY:
        return f"`payops {line.name}` is not read-only"
    used = sorted(READ_ONLY[line.name] & set(line.given))
    if "--save-plan" in used:
        return "`--save-plan` writes a plan: that is a step of the kind plan"
    return f"`payops {line.name}` with {used[0]} is not read-only" if used else ""


def why_not_a_plan(line: CommandLine) -> str:
    """What keeps a command from a `plan:` step; empty where nothing does."""
    if why := _another_system(line):
        return why
    if line.name not in PLANS:
        return f"`payops {line.name}` makes no plan; one of {', '.join(PLANS)} does"
    if "--save-plan" not in line.given:
        return f"has no --save-plan {PLAN}, so it would not make a plan but a change"
    forbidden = [flag for flag in (*_NEVER_IN_A_PLAN, *_REPORTS_BESIDE) if flag in line.given]
    return f"has {forbidden[0]}: that is for a person to say" if forbidden else ""


def _another_system(line: CommandLine) -> str:
    chosen = [flag for flag in _WHICH_SYSTEM if flag in line.given]
    return f"has {chosen[0]}: which system is asked is for a person to say" if chosen else ""


def _is_short(timeout: str) -> bool:
    try:
        return parse_duration(timeout) <= _LONGEST_WATCH
    except ValueError:
        return True  # the command itself refuses it


def placeholders(text: str) -> tuple[str, ...]:
    """The names in braces, in the order in which they come."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(text)))


def filled(text: str, values: Mapping[str, str]) -> str:
    """`text` with values for names in braces; one that has none stays as it is.

    >>> filled("since {since}, by {who}", {"since": "24h"})
    'since 24h, by {who}'
    """
    return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def words_of(line: str, values: Mapping[str, str]) -> list[str]:
    """The words of a command line, `payops` among them, with values for names in braces.

    A value is put into the word where its name stands: whatever is in it, it stays in one word. A
    word that is empty then is left out (`{breaker}`, where there is none to name). Raises
    ValueError for a quote that is not closed.

    >>> words_of("payops trace {id}", {"id": "a b; c"})
    ['payops', 'trace', 'a b; c']
    """
    words = shlex.split(line)
    return [word for word in (filled(each, values) for each in words) if word]


def lines_in(prose: str) -> Iterator[tuple[str, bool]]:
    """Each `payops ...` line of Markdown, and whether it stands in a code block.

    What is mentioned within a sentence may be a command without its arguments.
    """
    for block in _FENCED.findall(prose):
        for line in block.replace("\\\n", " ").splitlines():
            bare = line.strip().removeprefix("$ ").split(" #")[0]
            for part in _BETWEEN.split(bare):
                if part.strip().startswith(f"{OURS} "):
                    yield part.strip(), True
    for mention in _INLINE.findall(_FENCED.sub("", prose)):
        for part in _BETWEEN.split(" ".join(mention.split())):
            if part.strip().startswith(f"{OURS} "):
                yield part.strip(), False
