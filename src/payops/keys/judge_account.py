"""Whether the keys belong together and to this system, and what a restricted one may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.stripe_key import Form, Kind
from payops.keys.probe import NEEDED, Answered, Known, Permission
from payops.keys.trouble import Trouble, concluded, skipped


@dataclass(frozen=True)
class AccountFacts:
    """What is known of the accounts that the configured keys belong to.

    `expected` is `stripe.account`. `references` are the ledger's newest payments as the secret key
    sees them. `sees` tells whether the publishable key sees what the secret key sees.
    """

    secret: Form
    answer: Answered
    expected: str = ""
    publishable: Form | None = None
    sees: Known = Known.NOT_TOLD
    references: Sequence[tuple[str, Known]] = ()
    ledger_untold: str = ""


def judge_account(facts: AccountFacts, now: datetime) -> CheckResult:
    """One account for secret key, publishable key, `stripe.account` and the ledger's payments."""
    troubles: list[Trouble] = []
    sure: list[str] = []
    notes: list[str] = []
    _against_expected(facts, troubles, sure)
    _against_ledger(facts, troubles, sure, notes)
    if not troubles:  # with the secret key of another account, the publishable one is the right one
        _together(facts, troubles, sure, notes)
    whose = f"account {facts.answer.account}" if facts.answer.account else "the key's account"
    fine = f"{whose}: " + (", ".join(sure) if sure else "nothing to compare it with")
    if facts.ledger_untold:
        fine += "; the ledger's payments could not be read"
    return concluded(
        troubles,
        fine,
        now,
        source="stripe+postgres" if facts.references else "stripe",
        notes=notes,
    )


def judge_permissions(kind: Kind, permissions: Sequence[Permission], now: datetime) -> CheckResult:
    """What a restricted key may read of what payops reads, and what does not work without."""
    if kind is not Kind.RESTRICTED:
        return concluded(
            (),
            "a secret key may do everything: payops needs no more than a restricted one that reads",
            now,
            actions=(
                Action(
                    "For payops alone, make a restricted key with Read on: "
                    + ", ".join(sorted(each for each, _, _ in NEEDED))
                ),
            ),
        )
    if not permissions:
        return skipped("not asked", now)
    troubles = [
        Trouble(
            Status.WARN,
            f"may not read {each.resource}: without it {_listed(each.commands)} will not work",
            Action(
                f"Stripe's Dashboard, Developers, API keys, edit the key: {each.resource}: Read",
            ),
            "stripe",
        )
        for each in permissions
        if each.granted is False
    ]
    untold = [f"{each.resource}: {each.said}" for each in permissions if each.granted is None]
    granted = sum(each.granted is True for each in permissions)
    return concluded(
        troubles,
        f"may read {granted} of the {len(permissions)} resources that payops reads",
        now,
        source="stripe",
        notes=untold,
    )


def _against_expected(facts: AccountFacts, troubles: list[Trouble], sure: list[str]) -> None:
    account, expected = facts.answer.account, facts.expected
    if not expected:
        return
    part = facts.secret.account_part
    if account and account != expected:
        troubles.append(
            Trouble(
                Status.CRIT,
                f"{facts.secret.described} belongs to {account}, and stripe.account is {expected}",
                Action("Give stripe.secret_key the key of this system's own account"),
                "stripe",
                facts.answer.request_id,
            )
        )
    elif account:
        sure.append("as stripe.account says")
    elif part and f"acct_{part}" == expected:
        sure.append("as stripe.account says, by the form of the key (Stripe does not document it)")


def _against_ledger(
    facts: AccountFacts, troubles: list[Trouble], sure: list[str], notes: list[str]
) -> None:
    known = [each for _, each in facts.references]
    if facts.ledger_untold:
        notes.append(f"the ledger could not be asked: {facts.ledger_untold}")
    if Known.YES in known:
        sure.append("the ledger's newest payments are in it")
    elif known and all(each is Known.NO for each in known):
        names = ", ".join(reference for reference, _ in facts.references)
        troubles.append(
            Trouble(
                Status.CRIT,
                f"{facts.secret.described} sees none of the ledger's newest payments ({names}): "
                "they were made with the key of another account",
                Action(
                    "Compare with the key that the application uses (its environment or file)",
                    "payops keys check --from FILE",
                ),
                "stripe",
            )
        )
    elif facts.references and Known.NOT_TOLD in known:
        notes.append("the ledger's payments: the key may not read them")


def _together(
    facts: AccountFacts, troubles: list[Trouble], sure: list[str], notes: list[str]
) -> None:
    public = facts.publishable
    if public is None or public.mode != facts.secret.mode:
        return  # keys.mode says so
    ours, theirs = facts.secret.account_part, public.account_part
    if facts.sees is Known.YES:
        sure.append("the publishable key sees its payments")
        return
    apart = f"{public.described} is of another account than {facts.secret.described}"
    cure = Action(
        "Give stripe.publishable_key the one that stands beside the secret key (Stripe's Dashboard,"
        " Developers, API keys)"
    )
    if facts.sees in (Known.NO, Known.OTHER_MODE):
        told = f"{apart}: it does not find a payment that the secret key finds; no checkout ends"
        troubles.append(Trouble(Status.CRIT, told, cure, "stripe"))
    elif ours and theirs and ours != theirs:
        told = f"{apart}, by the form of the keys, which Stripe does not document"
        troubles.append(Trouble(Status.CRIT, told, cure))
    elif ours and theirs:
        sure.append("the publishable key is of the same, by the form of the keys (not documented)")
    else:
        notes.append("whether the publishable key is of the same account could not be told")


def _listed(commands: Sequence[str]) -> str:
    named = [f"payops {each}" for each in commands]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
