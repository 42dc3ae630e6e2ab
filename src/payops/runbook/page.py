"""What the front matter of a page may say: every key, and no other."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from payops.config.section import Duration

StatusWord = Literal["OK", "WARN", "CRIT", "UNKNOWN", "SKIP"]
StatusWords = StatusWord | list[StatusWord]


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the front matter."""


class SymptomPart(Part, frozen=True):
    """A check, its statuses, and what must hold of what it measured."""

    check: Annotated[str, Meta(description="A check's id, or a glob")]
    is_: StatusWords | None = field(default=None, name="is")
    where: dict[str, Any] = {}
    says: str = ""
    decisive: bool = False
    also: list[SymptomPart | str] = []
    unless: list[SymptomPart | str] = []


class SymptomsPart(Part, frozen=True):
    """For, against, and neither."""

    confirm: list[SymptomPart | str] = []
    refute: list[SymptomPart | str] = []
    neutral: list[SymptomPart | str] | None = None


class NextPart(Part, frozen=True):
    """What to do next, and the command that does it."""

    text: str
    command: str = ""


class ScenarioPart(Part, frozen=True):
    """A narrower cause that the same page repairs."""

    title: str
    severity: str | None = None
    symptoms: SymptomsPart = field(default_factory=SymptomsPart)
    next: list[NextPart] = []


class ParameterPart(Part, frozen=True):
    """A word that steps use as `{name}`."""

    default: str
    meaning: str


class StepPart(Part, frozen=True):
    """A step: exactly one of check, run, ask, tell, plan, wait."""

    id: str
    title: str = ""
    check: str = ""
    run: str = ""
    ask: str = ""
    tell: str = ""
    plan: str = ""
    wait: str = ""
    expect: StatusWords | None = None
    answers: list[str] = []
    then: dict[str, str] = {}
    seen: bool = False
    why: str = ""
    risk: str = ""
    timeout: Duration = field(default_factory=lambda: Duration(300))
    every: Duration = field(default_factory=lambda: Duration(10))
    since: str = ""
    rows: list[str] = []


class Page(Part, frozen=True):
    """The front matter of one runbook."""

    id: str
    title: str
    kind: Literal["incident", "routine"] = "incident"
    severity: Literal["", "P1", "P2", "P3", "P4"] = ""
    mttr: Duration | None = None
    rows: list[str] = []
    source: str = ""
    presets: list[str] = []
    symptoms: SymptomsPart = field(default_factory=SymptomsPart)
    scenarios: dict[str, ScenarioPart] = {}
    next: list[NextPart] = []
    parameters: dict[str, ParameterPart] = {}
    steps: list[StepPart] = []
    verify: list[StepPart] = []
