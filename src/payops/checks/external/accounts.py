"""May the platform's sellers be charged for and paid, at Stripe Connect?

Runbook 003 looks at `charges_enabled` and `details_submitted` of a barber's account. Stripe
disables an account whose requirements are overdue; the platform's own account is well then, and the
payments of one seller fail. Asked for with `--deep` and by `payops connections`: each account is a
request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from payops.checks import stripe_asked
from payops.checks.contract import Check, Context
from payops.checks.outside import SHOWN, many, outside
from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.status import Status, worst
from payops.domain.text import shortened
from payops.domain.threshold import Limits, Threshold

LIMITS = {
    "disabled": Threshold(0, None, "count", "S3-31: charges_enabled is not true"),
    "unfinished": Threshold(0, None, "count", "S3-31: details_submitted is not true"),
    "unpaid": Threshold(0, None, "count", "payops: payouts_enabled is not true"),
    "strangers": Threshold(0, None, "count", "S3-31: the key is not the platform's, or it is gone"),
}
# Each is a request; the newest are those that were set up last.
MOST = 20
_ACCOUNT = re.compile(r"acct_[A-Za-z0-9]{1,60}")
_SAYS = {
    "strangers": "unknown to this Stripe account",
    "unfinished": "not finished by its owner",
    "disabled": "may not be charged for",
    "unpaid": "is not paid out",
}


@dataclass(frozen=True)
class Account:
    """What Stripe says of an owner's account; `known` False where it says that there is none."""

    owner: str
    id: str
    known: bool = True
    charges: bool = True
    payouts: bool = True
    submitted: bool = True
    reason: str = ""

    @property
    def fault(self) -> str:
        """The worst that is wrong with it, by the name of its limit; empty where nothing is."""
        if not self.known:
            return "strangers"
        if not self.submitted:
            return "unfinished"
        if not self.charges:
            return "disabled"
        return "" if self.payouts else "unpaid"


@dataclass(frozen=True)
class Facts:
    """The accounts that were asked about; `more` says that there are others."""

    as_of: datetime
    accounts: tuple[Account, ...]
    more: bool = False


def gather(ctx: Context) -> Facts:
    found = outside(ctx).accounts(MOST)
    return Facts(
        found.as_of,
        tuple(_asked(ctx, row.owner, row.account.strip()) for row in found.rows),
        found.more,
    )


def _asked(ctx: Context, owner: str, id_: str) -> Account:
    if not _ACCOUNT.fullmatch(id_):  # text from outside is no part of a path
        return Account(owner, id_, known=False)
    answer = stripe_asked.connected_account(ctx, id_)
    if answer is None:
        return Account(owner, id_, known=False)
    about = answer.value
    return Account(
        owner,
        id_,
        # What Stripe does not say is not held against it.
        charges=about.charges_enabled is not False,
        payouts=about.payouts_enabled is not False,
        submitted=about.details_submitted is not False,
        reason=(about.requirements.disabled_reason or "") if about.requirements else "",
    )


def judge(facts: Facts, limits: Limits) -> CheckResult:
    bad = [one for one in facts.accounts if one.fault]
    counts = {name: sum(one.fault == name for one in bad) for name in LIMITS}
    status = worst(limits[name].judge(count) for name, count in counts.items())
    total = many(len(facts.accounts), "Connect account")
    if facts.more:
        total = f"the newest {total}"
    if not facts.accounts:
        summary = "nobody has an account at Stripe Connect"
    elif bad:
        parts = (f"{counts[name]:,} {said}" for name, said in _SAYS.items() if counts[name])
        summary = f"of {total}: {', '.join(parts)}"
    else:
        summary = f"{total}: each can be charged for and is paid out"
    return CheckResult(
        status,
        summary,
        as_of=facts.as_of,
        measured={**counts, "accounts": len(facts.accounts)},
        evidence=tuple(
            Evidence(
                f"{shortened(one.id, 60)} of owner {shortened(one.owner, 60)}: {_SAYS[one.fault]}"
                + (f" ({shortened(one.reason, 60)})" if one.reason else ""),
                "stripe",
                facts.as_of,
                {"account": one.id, "owner": one.owner},
            )
            for one in bad[:SHOWN]
        ),
        actions=_actions(bad) if status is not Status.OK else (),
    )


def _actions(bad: list[Account]) -> tuple[Action, ...]:
    if all(one.fault == "strangers" for one in bad):
        return (
            Action(
                "Is stripe.secret_key that of the platform, in the right mode? Then they were "
                "disconnected: have each owner connect again",
                "payops keys check",
            ),
        )
    return (
        Action(
            "See Connect, Accounts in Stripe's Dashboard: what it still wants to know of them; "
            "until then the platform's own account can take their payments",
            "payops connections",
        ),
    )


CHECK = Check(
    title="Sellers' accounts at Stripe Connect work",
    source="stripe+postgres",
    gather=gather,
    judge=judge,
    limits=LIMITS,
    rows=("S3-31",),
    deep=True,
)
