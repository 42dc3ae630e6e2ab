"""What is said of a comparison that could not be made."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.errors import NotConfiguredError, SourceError

if TYPE_CHECKING:
    from payops.config.settings import Settings


def untold(
    settings: Settings, error: SourceError | NotConfiguredError, now: datetime
) -> CheckResult:
    """A check without an answer: SKIP where nothing is configured, the configured `unreachable`
    where the dependency as a whole gives no answer, else UNKNOWN."""
    actions = (Action(error.hint),) if error.hint else ()
    if isinstance(error, NotConfiguredError):
        return CheckResult(Status.SKIP, str(error), as_of=now, actions=actions)
    return CheckResult(
        status_of(settings, error),
        f"could not be told: {error}",
        source=error.source,
        as_of=now,
        actions=actions,
        measured=error.measured,
    )


def status_of(settings: Settings, error: SourceError) -> Status:
    """The status of what a source's failure left without an answer."""
    return Status[settings.unreachable] if error.does_not_answer else Status.UNKNOWN
