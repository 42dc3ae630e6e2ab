"""Can every connected processor tell us of its payments?

Runbook 003: a connected connection without a webhook URL, or without its signing secret, is a
warning. A URL that the mapping knows to lead nowhere (`dead_urls`) is as good as none. Of the
secret it is asked whether it is NULL, nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from payops.checks.contract import Check, Context
from payops.checks.outside import (
    SHOWN,
    Connections,
    all_connections,
    connections_mapped,
    many,
    seen,
)
from payops.domain.evidence import Action
from payops.domain.external import Connection
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import shortened
from payops.domain.threshold import Limits, Threshold
from payops.errors import NotConfiguredError

LIMITS = {
    "without_url": Threshold(0, None, "count", "S3-04: connected, without a webhook URL"),
    "unsigned": Threshold(0, None, "count", "S3-05: connected, without a signing secret"),
    "dead_url": Threshold(0, None, "count", "S3-03: the path that is stored is no route"),
}


@dataclass(frozen=True)
class Facts:
    """All connections, and which of both columns are mapped."""

    connections: Connections
    has_urls: bool
    has_secrets: bool


def gather(ctx: Context) -> Facts:
    columns = connections_mapped(ctx).columns
    if not columns.webhook_url and not columns.webhook_secret:
        raise NotConfiguredError("not used here: connections have no webhook URL or secret")
    return Facts(all_connections(ctx), bool(columns.webhook_url), bool(columns.webhook_secret))


def judge(facts: Facts, limits: Limits) -> CheckResult:
    found = facts.connections
    wrong: dict[str, list[str]] = {row.id: [] for row in found.working}
    counts = {"without_url": 0, "unsigned": 0, "dead_url": 0}
    for row in found.working:
        dead = found.dead_urls
        for kind, words in wrong_with(row, dead, urls=facts.has_urls, secrets=facts.has_secrets):
            counts[kind] += 1
            wrong[row.id].append(words)
    rows = [row for row in found.working if wrong[row.id]]
    working = many(len(found.working), "connected connection")
    told = {
        "without_url": "without a URL",
        "unsigned": "without a secret",
        "dead_url": "with a URL that leads nowhere",
    }
    words = ", ".join(f"{count:,} {told[kind]}" for kind, count in counts.items() if count)
    status = worst(limits[kind].judge(count) for kind, count in counts.items())
    return CheckResult(
        status,
        f"{words}, of {working}" if words else f"{working}: each has where to post, and a secret",
        as_of=found.as_of,
        measured={**counts},
        evidence=tuple(seen(row, "; ".join(wrong[row.id]), found.as_of) for row in rows[:SHOWN]),
        actions=_actions(counts) if status is not Status.OK else (),
    )


def wrong_with(
    row: Connection, dead_urls: tuple[str, ...], *, urls: bool, secrets: bool
) -> list[tuple[str, str]]:
    """What keeps one processor from posting: the name of a limit, and words. `urls` and `secrets`:
    whether the columns are mapped."""
    found: list[tuple[str, str]] = []
    if urls and not (row.webhook_url or "").strip():
        found.append(("without_url", "no webhook URL"))
    elif row.webhook_url and any(part in row.webhook_url for part in dead_urls):
        found.append(("dead_url", f"posts to {_shown(row.webhook_url)}, which is no route"))
    if secrets and not row.has_secret:
        found.append(("unsigned", "no signing secret"))
    return found


def _shown(url: str) -> str:
    """Host and path: a query or a user may hold a secret."""
    try:
        parts = urlsplit(url)
        return shortened(f"{parts.hostname or ''}{parts.path}", 120)
    except ValueError:
        return "what is no URL"


def _actions(counts: dict[str, int]) -> tuple[Action, ...]:
    actions = []
    if counts["without_url"] or counts["dead_url"]:
        actions.append(
            Action(
                "Set the application's right URL at the processor and in the row: until then its "
                "payments are only found by a sync"
            )
        )
    if counts["unsigned"]:
        actions.append(
            Action("Store the processor's signing secret: without one anybody can post a payment")
        )
    return (*actions, Action("Which ones", "payops connections"))


CHECK = Check(
    title="Connected processors can post to us",
    source="postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S3-02", "S3-03", "S3-04", "S3-05"),
)
