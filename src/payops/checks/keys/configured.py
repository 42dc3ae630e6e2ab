"""Can the configured keys be keys at all, and are they of the right mode?

Runbook 002, 'Environment variables': present, of the right form, and `sk_test` in production is
critical. Nothing is asked; `payops keys check` does that.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks.contract import Check, Context
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.stripe_key import Form, Kind, Role, is_live_environment, read_form
from payops.domain.threshold import Limits
from payops.errors import NotConfiguredError


@dataclass(frozen=True)
class Key:
    """A key of the configuration: its name there, what it is used as, its text read."""

    name: str
    role: Role
    form: Form


@dataclass(frozen=True)
class Facts:
    """All configured keys; `endpoints` tells whether webhook endpoints are configured, of which a
    signature can only be told with a secret."""

    as_of: datetime
    environment: str
    keys: tuple[Key, ...]
    endpoints: bool


def gather(ctx: Context) -> Facts:
    stripe, endpoints = ctx.settings.stripe, ctx.settings.webhooks.endpoints
    if stripe is None:
        raise NotConfiguredError("stripe is not configured, so there are no keys")
    given = [(Role.SECRET.value, Role.SECRET, stripe.secret_key.reveal())]
    if stripe.publishable_key:
        given.append((Role.PUBLISHABLE.value, Role.PUBLISHABLE, stripe.publishable_key))
    given += [(Role.WEBHOOK.value, Role.WEBHOOK, one.reveal()) for one in stripe.webhook_secrets]
    given += [
        (f"webhooks.endpoints[{index}].secret", Role.WEBHOOK, one.secret.reveal())
        for index, one in enumerate(endpoints)
        if one.secret is not None
    ]
    return Facts(
        as_of=ctx.now,
        environment=ctx.settings.environment,
        keys=tuple(Key(name, role, read_form(text)) for name, role, text in given),
        endpoints=bool(endpoints),
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    del limits
    wrong = [what for key in facts.keys for what in _wrong(key, facts.environment)]
    status = Status.CRIT
    if not wrong and facts.endpoints and not any(k.role is Role.WEBHOOK for k in facts.keys):
        status = Status.WARN
        wrong = ["webhook endpoints are configured, and no webhook secret"]
    if not wrong:
        modes = sorted({key.form.mode for key in facts.keys if key.form.mode})
        return CheckResult(
            Status.OK,
            f"{len(facts.keys)} well-formed, {' and '.join(modes)} mode in {facts.environment}",
            source="configuration",
            as_of=facts.as_of,
        )
    more = f"; and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    return CheckResult(
        status,
        wrong[0] + more,
        source="configuration",
        as_of=facts.as_of,
        measured={"count": len(wrong)},
        evidence=tuple(Evidence(what, "configuration", facts.as_of) for what in wrong if more),
        actions=(Action("See every key, what is wrong with it and how to cure it", _LOOK),),
    )


_LOOK = "payops keys check"


def _wrong(key: Key, environment: str) -> list[str]:
    found = [f"{key.name} {fault.value}" for fault in key.form.faults]
    if key.form.kind is not Kind.NONE and key.form.kind not in key.role.kinds:
        expected = " or ".join(kind.value for kind in key.role.kinds)
        found.append(f"{key.name} is a {key.form.kind.value} where a {expected} belongs")
    live = is_live_environment(environment)
    if key.form.mode == "test" and live:
        found.append(
            f"{key.name} {key.form.described} is a test key, and the environment is {environment}"
        )
    elif key.form.mode == "live" and not live:
        found.append(
            f"{key.name} {key.form.described} is a live key, and the environment is {environment}"
        )
    return found


CHECK = Check(
    title="The configured keys can be keys, and are of the right mode",
    source="configuration",
    gather=gather,
    judge=judge,
    rows=("S2-35", "S2-36", "S2-37"),
)
