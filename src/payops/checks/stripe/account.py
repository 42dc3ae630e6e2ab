"""May the account take money, and be paid out? What does Stripe still want to know of it?

Stripe disables charges or payouts of an account whose requirements are overdue: then every payment
fails though API, key and status page are well (runbook 001, 'Stripe configuration recovery').
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from payops.checks import stripe_asked
from payops.checks.contract import Check, Context
from payops.domain.duration import human_duration, utc_text
from payops.domain.evidence import Action, Evidence, Scalar
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import shortened
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    # After the deadline Stripe disables something: a week is time to gather papers.
    "left": Threshold(
        7 * 86400, 86400, "s", "payops: time to answer what Stripe requires", worse="lower"
    ),
}
_MOST = 5


@dataclass(frozen=True)
class Facts:
    """What Stripe says of the account. `charges` and `payouts` are None where it does not say.

    `past_due` and `due` are Stripe's names of what is required, `deadline` when it will act.
    """

    as_of: datetime
    account: str
    charges: bool | None
    payouts: bool | None
    disabled_reason: str = ""
    past_due: tuple[str, ...] = ()
    due: tuple[str, ...] = ()
    deadline: datetime | None = None


def gather(ctx: Context) -> Facts:
    answer = stripe_asked.permitted(lambda: stripe_asked.account(ctx), "Account")
    about, wanted = answer.value, answer.value.requirements
    past_due = (wanted.past_due or ()) if wanted else ()
    return Facts(
        as_of=stripe_asked.as_of(answer, ctx),
        account=about.id,
        charges=about.charges_enabled,
        payouts=about.payouts_enabled,
        disabled_reason=(wanted.disabled_reason or "") if wanted else "",
        past_due=past_due,
        due=tuple(one for one in (wanted.currently_due or ()) if one not in past_due)
        if wanted
        else (),
        deadline=(
            stripe_asked.moment(wanted.current_deadline)
            if wanted and wanted.current_deadline
            else None
        ),
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    told: list[tuple[Status, str]] = []
    if facts.charges is False:
        told.append((Status.CRIT, "Stripe takes no charges for this account: every payment fails"))
    if facts.payouts is False:
        told.append((Status.CRIT, "payouts are disabled: no money reaches the bank"))
    if facts.past_due:
        told.append((Status.CRIT, f"{_named(facts.past_due)} overdue"))
    left: float | None = None
    if facts.due and facts.deadline:
        left = (facts.deadline - facts.as_of).total_seconds()
        of_left = limits["left"].judge(left)
        when = f"due in {human_duration(left)}" if left > 0 else "due, and its deadline is over"
        told.append((of_left, f"{_named(facts.due)} {when}"))
    elif facts.due:
        told.append((Status.WARN, f"{_named(facts.due)} due"))
    status = worst(one for one, _ in told) if told else Status.OK
    if status is Status.OK:
        able = {True: "can be charged and paid out"}.get(
            facts.charges is True and facts.payouts is True, "has nothing disabled"
        )
        noted = "".join(f"; {what}" for _, what in told)
        summary = f"account {facts.account} {able}{noted}"
    else:
        summary = "; ".join(what for one, what in told if one is not Status.OK)
        if facts.disabled_reason:
            summary += f" ({shortened(facts.disabled_reason, 60)})"
    measured: dict[str, Scalar] = {
        "left": None if left is None else round(left),
        "due": len(facts.due),
        "past_due": len(facts.past_due),
    }
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured=measured,
        evidence=_evidence(facts),
        actions=(
            Action(
                "Give Stripe what it asks for: Dashboard, Settings, Business, Account status; "
                "payments come back within minutes of it",
            ),
            Action("Until then tell users that cards cannot be taken")
            if facts.charges is False
            else Action("Who may open the Dashboard as an administrator? They alone can"),
        )
        if status is not Status.OK
        else (),
    )


def _named(fields: tuple[str, ...]) -> str:
    """`3 requirements (a, b, c)`."""
    shown = ", ".join(shortened(one, 40) for one in fields[:_MOST])
    more = f" and {len(fields) - _MOST} more" if len(fields) > _MOST else ""
    noun = "requirement" if len(fields) == 1 else "requirements"
    verb = "is" if len(fields) == 1 else "are"
    return f"{len(fields)} {noun} ({shown}{more}) {verb}"


def _evidence(facts: Facts) -> tuple[Evidence, ...]:
    detail: dict[str, Scalar] = {"account": facts.account}
    if facts.deadline:
        detail["deadline"] = utc_text(facts.deadline)
    return tuple(
        Evidence(f"{what}: {shortened(', '.join(names), 300)}", "stripe", facts.as_of, detail)
        for what, names in (("past due", facts.past_due), ("due", facts.due))
        if names
    )


CHECK = Check(
    title="The account can be charged and paid out",
    source="stripe",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S1-01", "S1-18", "S4-01"),
)
