"""Do the names of the application's addresses resolve?

A name that does not resolve here may resolve elsewhere, and the other way round: what Stripe sees
is what its own resolvers say. But a domain that ran out is gone everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.checks.hosts import application_urls, ask_each, hosts_of
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.text import shortened
from payops.domain.threshold import Limits
from payops.errors import NotConfiguredError, SourceError


@dataclass(frozen=True)
class Resolved:
    """One name: its addresses, or why there are none."""

    name: str
    addresses: tuple[str, ...] = ()
    failure: str = ""


@dataclass(frozen=True)
class Facts:
    """Every name; `addresses` counts the hosts that are addresses already. `unreachable` is the
    status of a name that does not resolve."""

    as_of: datetime
    names: tuple[Resolved, ...]
    addresses: int = 0
    unreachable: Status = Status.CRIT


def gather(ctx: Context) -> Facts:
    hosts = hosts_of(application_urls(ctx))
    if not hosts:
        raise NotConfiguredError("no address of the application is configured (app.base_url)")
    names = tuple(dict.fromkeys(host.name for host in hosts if not host.is_address))
    found: dict[str, Resolved] = {}

    def look(name: str) -> None:
        try:
            found[name] = Resolved(name, ctx.sources.http.resolve(name))
        except SourceError as error:
            found[name] = Resolved(name, failure=error.message)

    ask_each(ctx, names, look)
    return Facts(
        as_of=ctx.now,
        names=tuple(found.get(n) or Resolved(n, failure=f"{n}: no answer") for n in names),
        addresses=len({host.name for host in hosts if host.is_address}),
        unreachable=Status[ctx.settings.unreachable],
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    del limits
    lost = [one for one in facts.names if one.failure or not one.addresses]
    if lost:
        names = ", ".join(shortened(one.name, 80) for one in lost[:5])
        verb = "does" if len(lost) == 1 else "do"
        summary = f"{names} {verb} not resolve"
    elif facts.names:
        summary = "; ".join(
            f"{shortened(one.name, 80)} is {', '.join(one.addresses[:3])}"
            for one in facts.names[:3]
        )
    else:
        summary = "only addresses are configured: there is no name to resolve"
    return CheckResult(
        facts.unreachable if lost else Status.OK,
        summary,
        as_of=facts.as_of,
        measured={"names": len(facts.names), "lost": len(lost)},
        evidence=tuple(
            Evidence(shortened(one.failure or f"{one.name}: no address", 200), "http", facts.as_of)
            for one in lost
        ),
        actions=tuple(
            Action(
                "See what the name servers say: a domain that ran out, a record that was removed, "
                "or this machine's resolver",
                f"getent hosts {one.name}" if _typeable(one.name) else "",
            )
            for one in lost[:3]
        ),
    )


def _typeable(name: str) -> bool:
    plain = name.replace("-", "").replace(".", "").replace("_", "")
    return plain.isalnum() and name.isascii() and not name.startswith("-")


CHECK = Check(
    title="The application's names resolve",
    source="http",
    gather=gather,
    judge=judge,
    rows=("S0-21",),
)
