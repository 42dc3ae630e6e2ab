"""Does Stripe's API answer, quickly, and does it accept our key?

Runbook 001: `GET /v1/account` in the morning check; runbook 004, step 6, tells authentication,
connection and other errors apart. A restricted key may not read the account: its 403 still proves
that the key is valid (STRIPE.md, 'Keys').
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks import stripe_asked
from payops.checks.contract import Check, Context
from payops.domain.duration import human_duration
from payops.domain.evidence import Action, Evidence, Scalar
from payops.domain.result import CheckResult
from payops.domain.secret import fingerprint
from payops.domain.status import Status
from payops.domain.stripe_key import is_live_environment
from payops.domain.threshold import Limits, Threshold
from payops.errors import Failure, SourceError

LIMITS = {
    # S4-36: payment p95 > 5 s, 'check Stripe API latency'; half of it is worth a look
    "latency": Threshold(2500, 5000, "ms", "S4-36"),
}


@dataclass(frozen=True)
class Facts:
    """One call: how long it took, and what Stripe said of the key.

    `refused` is Stripe's own sentence when it did not accept the key, else empty. `key` is the
    key's fingerprint. `account` is empty for a restricted key that may not read it; `forbidden` is
    Stripe's sentence when it told a key so that may read everything by its kind. `unlike` is the
    environment when the key is a test key and the environment is not for one.
    """

    as_of: datetime
    latency_ms: float
    key: str
    account: str = ""
    refused: str = ""
    restricted: bool = False
    forbidden: str = ""
    unlike: str = ""
    request_id: str = ""


def gather(ctx: Context) -> Facts:
    configured = ctx.settings.stripe
    key = fingerprint(configured.secret_key.reveal()) if configured else ""
    restricted = configured is not None and configured.secret_key.reveal().startswith("rk_")
    test = configured is not None and "_test_" in configured.secret_key.reveal()[:8]
    environment = ctx.settings.environment
    unlike = environment if test and is_live_environment(environment) else ""
    before = ctx.deadline.remaining
    try:
        answer = stripe_asked.account(ctx)
    except SourceError as error:
        if error.kind not in (Failure.AUTHENTICATION, Failure.PERMISSION):
            raise
        return Facts(
            as_of=ctx.now,
            latency_ms=(before - ctx.deadline.remaining) * 1000,
            key=key,
            refused=error.message if error.kind is Failure.AUTHENTICATION else "",
            restricted=error.kind is Failure.PERMISSION and restricted,
            forbidden="" if error.kind is Failure.AUTHENTICATION or restricted else error.message,
            unlike=unlike,
            request_id=error.request_id,
        )
    return Facts(
        as_of=ctx.now,
        latency_ms=answer.latency_ms,
        key=key,
        account=answer.value.id,
        unlike=unlike,
        request_id=answer.request_id,
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    measured: dict[str, Scalar] = {
        "latency": round(facts.latency_ms),
        "request_id": facts.request_id,
    }
    if facts.refused:
        return CheckResult(
            Status.CRIT,
            f"Stripe answers, but refuses the key {facts.key}: every payment with it fails",
            as_of=facts.as_of,
            measured=measured,
            evidence=(
                Evidence(facts.refused, "stripe", facts.as_of, {"request_id": facts.request_id}),
            ),
            actions=(
                Action(
                    "Compare the key that payops and the application use with the Dashboard "
                    "(Developers, API keys); replace a rolled key everywhere",
                    "payops config show",
                ),
            ),
        )
    if facts.unlike:
        return CheckResult(
            Status.CRIT,
            f"Stripe answers, but {facts.key} is a test key and the environment is {facts.unlike}: "
            "payops sees test payments, not yours",
            as_of=facts.as_of,
            measured=measured,
            actions=(
                Action(
                    "Give stripe.secret_key a live key that can only read; or, if these are tests, "
                    "give the environment another name",
                    "payops config show",
                ),
            ),
        )
    if facts.forbidden:
        return CheckResult(
            Status.WARN,
            f"Stripe answers, but forbids {facts.key} to read its own account, which a secret key "
            "may: payments may fail too",
            as_of=facts.as_of,
            measured=measured,
            evidence=(
                Evidence(facts.forbidden, "stripe", facts.as_of, {"request_id": facts.request_id}),
            ),
            actions=(Action("Look at the key's limits in the Dashboard (Developers, API keys)"),),
        )
    status = limits["latency"].judge(facts.latency_ms)
    took = human_duration(facts.latency_ms / 1000)
    who = "a restricted key, valid" if facts.restricted else f"account {facts.account}"
    actions: tuple[Action, ...] = ()
    if status is not Status.OK:
        actions = (Action("See if Stripe says the same", "payops health --only stripe"),)
    return CheckResult(
        status,
        f"answers in {took}; {who}",
        as_of=facts.as_of,
        measured=measured,
        actions=actions,
    )


CHECK = Check(
    title="Stripe's API answers and accepts our key",
    source="stripe",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S0-13", "S0-17", "S0-20", "S1-01", "S4-01", "S4-36"),
    when_down=(
        Action("See if Stripe itself is down", "payops health --only stripe.status-page"),
        Action("Do not retry payments by hand while Stripe is out (runbook 004, scenario 1)"),
    ),
)
