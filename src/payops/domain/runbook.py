"""A runbook: what it is about, what tells that it applies, and its steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from payops.domain.evidence import Action
from payops.domain.status import Status
from payops.domain.symptom import Suspect, Symptoms

Kind = Literal["check", "run", "ask", "tell", "plan", "wait"]

OUTCOMES: Mapping[Kind, tuple[str, ...]] = {
    "check": ("ok", "not_ok", "unknown"),
    "run": ("ok", "not_ok", "unknown"),
    "ask": (),  # its answers
    "tell": ("done", "not_done"),
    "plan": ("done", "nothing", "declined", "refused", "failed"),
    "wait": ("ok", "timeout"),
}
"""What a step of each kind can end with: the keys of `then`."""

AUTOMATIC: frozenset[Kind] = frozenset({"check", "run", "wait"})
"""Steps that ask nobody and change nothing: those that `--auto` takes."""

NEXT, END, ESCALATE, VERIFY = "next", "end", "escalate", "verify"
"""Where a step may lead beside another step (its id) and another runbook (`runbook:ID`).
`escalate` names whom to call by the configuration, and goes on with the next step; `verify` goes to
the first step that verifies; `end` is the end, nothing verified."""

SINCE_CHANGE = "change"
"""Of `since`: what came after the last change of the run."""

ELSEWHERE = "runbook:"
"""Before the id of another runbook."""


@dataclass(frozen=True)
class Step:
    """One thing to do.

    By `kind`: `check` runs checks by name (globs, several by commas); `run` one read-only payops
    command; `ask` puts a question with `answers`; `tell` gives an instruction to a person and,
    with `seen`, asks what was seen; `plan` is a payops command with `{plan}` that writes a plan,
    which is shown, confirmed and applied; `wait` asks a check, or a command, until it is as
    expected.
    `what` is that check, command, question or instruction, with `{names}` of parameters. `expect`
    are the statuses that are well. `then` is where to go by outcome (see `OUTCOMES`); what is not
    in it goes on with the next step. `why` and `risk` are told before a change. `timeout_s` and
    `every_s` belong to `wait`. `since` is how far back its checks look: a duration, or `change` for
    what came after the run's last change; empty is as the run looks. `rows` cites what of the
    sources it does.
    """

    id: str
    kind: Kind
    what: str
    title: str = ""
    expect: frozenset[Status] = frozenset({Status.OK, Status.SKIP})
    answers: tuple[str, ...] = ()
    then: Mapping[str, str] = field(default_factory=dict)
    seen: bool = False
    why: str = ""
    risk: str = ""
    timeout_s: float = 300.0
    every_s: float = 10.0
    since: str = ""
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunbookParameter:
    """A word that steps use as `{name}`: its default, and what it means."""

    default: str
    meaning: str


@dataclass(frozen=True)
class Runbook:
    """One page of `runbooks/`.

    `kind` tells an incident from a routine. `severity` is P1 to P4 (empty for a routine), `mttr_s`
    the time in which it should be repaired (None: no target). `rows` and `source` cite the
    checklist and the page it comes from. `suspects` are the scenarios that it repairs, its own
    first; a routine has none. `verify` are the steps at the end that tell whether it is repaired.
    `prose` is the page's text below the front matter, `path` the file.
    """

    id: str
    title: str
    kind: Literal["incident", "routine"] = "incident"
    severity: str = ""
    mttr_s: float | None = None
    rows: tuple[str, ...] = ()
    source: str = ""
    presets: tuple[str, ...] = ()
    symptoms: Symptoms = field(default_factory=Symptoms)
    suspects: tuple[Suspect, ...] = ()
    next: tuple[Action, ...] = ()
    parameters: Mapping[str, RunbookParameter] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    verify: tuple[Step, ...] = ()
    prose: str = ""
    path: str = ""

    @property
    def every_step(self) -> tuple[Step, ...]:
        """Its steps and then those that verify."""
        return (*self.steps, *self.verify)
