"""What a remedy written in code offers. Applying is not its business: a change is applied by
payops' own compare-and-set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from payops.domain.plan import Change

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.sources.remedy_rows import RemedyRows

Make = Callable[["Settings", "RemedyRows", Mapping[str, str]], Sequence[Change]]


@dataclass(frozen=True)
class CodeRemedy:
    """`make(settings, rows, params)` gives the changes, each without its `statement`. `params` are
    the names that `--set` may give, with their defaults. `source` is the runbook's line."""

    title: str
    why: str
    make: Make
    risk: str = ""
    max_changes: int = 100
    params: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
