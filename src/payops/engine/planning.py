"""From discrepancies to a plan, and a plan to a file and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from payops.domain.discrepancy import Discrepancy
from payops.domain.plan import Plan
from payops.domain.plan_facts import Refusal, StripeFacts

if TYPE_CHECKING:
    from payops.config.settings import Settings


@dataclass(frozen=True)
class Planned:
    """A plan, which may be empty, and what was left out of it."""

    plan: Plan
    refused: tuple[Refusal, ...]


def plan_from(
    discrepancies: Iterable[Discrepancy],
    settings: Settings,
    facts: Mapping[str, StripeFacts],
    *,
    account: str,
    command: str,
    now: datetime,
) -> Planned:
    """The changes that the ledgers' `fixes` allow for these discrepancies.

    `facts` are by `Discrepancy.stripe_id` (of a missing refund the `re_…`). `account` is Stripe's
    (`acct_…`; empty when both sides came from files: then only the database is held to be the
    right one). `command` is the line to write into the plan. Reads the rows' columns as they are
    now, by `postgres.dsn`, in its own read-only sessions. Raises NotConfiguredError without a
    database, SourceError when it does not answer.
    """
    raise NotImplementedError


def save_plan(plan: Plan, path: Path) -> None:
    """Write the plan's file, 0600, whole or not at all. Raises UsageError when it cannot be."""
    raise NotImplementedError


def load_plan(path: Path) -> Plan:
    """Read a plan's file. Raises UsageError when it is none, RefusedError when it was edited."""
    raise NotImplementedError
