"""What Stripe and the database are asked about keys, in which order, and no more often than needed.

At most 14 requests for the configured keys: 1 whose it is, 2 for the ledger's payments, 2 for the
publishable key, 9 for the permissions of a restricted one. Each further secret key costs 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from payops.domain.stripe_key import Kind, Role
from payops.errors import NotConfiguredError, SourceError
from payops.keys.found import Found, Of
from payops.keys.probe import (
    REFUSED,
    Answered,
    Known,
    Permission,
    Standing,
    ask_payment,
    ask_permissions,
    ask_publishable,
    ask_references,
    ask_secret,
)
from payops.sources.key_proofs import CapturedEvent, captured_events, newest_references

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.sources import Sources

_REFERENCES = 2
_CAPTURED = 5
MOST_OTHERS = 4


@dataclass
class Asked:
    """The answers so far. `secret` is the configured key, None where it cannot be used; `silent` is
    Stripe's silence, after which it was not asked again. `answers` by a key's digest."""

    secret: Found | None = None
    publishable: Found | None = None
    answer: Answered | None = None
    answers: dict[str, Answered] = field(default_factory=dict)
    references: tuple[tuple[str, Known], ...] = ()
    sees: Known = Known.NOT_TOLD
    permissions: tuple[Permission, ...] = ()
    captured: tuple[CapturedEvent, ...] = ()
    silent: SourceError | None = None
    ledger_untold: str = ""
    log_untold: str = ""
    left_out: int = 0
    """Secret keys of other places that were not asked about: there are more than MOST_OTHERS."""


def ask(settings: Settings, sources: Sources, database: Sources, found: Sequence[Found]) -> Asked:
    """Ask the database, then Stripe. Raises nothing that they do. `database` ends sooner, so that
    one that hangs leaves Stripe its time."""
    asked = Asked()
    references = _from_database(settings, database, found, asked)
    usable = [one for one in found if one.usable]
    asked.secret = next((one for one in usable if _configured(one, Role.SECRET)), None)
    asked.publishable = _publishable(usable, settings.environment)
    try:
        if asked.secret is not None:
            _ask_own(sources, asked, asked.secret, references)
        if settings.stripe is not None:
            _ask_others(sources, usable, asked)
    except SourceError as error:
        asked.silent = error
    return asked


def _from_database(
    settings: Settings, sources: Sources, found: Sequence[Found], asked: Asked
) -> tuple[str, ...]:
    """The ledger's newest references; the captured events go into `asked`."""
    references: tuple[str, ...] = ()
    try:
        if settings.payments is not None:
            references = newest_references(sources.postgres, settings.payments, _REFERENCES)
    except SourceError as error:
        asked.ledger_untold = str(error)
        if error.does_not_answer:
            asked.log_untold = asked.ledger_untold
            return ()
    except NotConfiguredError:
        return ()
    log = next((one for one in settings.event_logs.values() if one.columns.signature), None)
    if log is None or not any(one.role is Role.WEBHOOK for one in found):
        return references
    try:
        asked.captured = captured_events(sources.postgres, log, _CAPTURED)
    except SourceError as error:
        asked.log_untold = str(error)
    return references


def _ask_own(sources: Sources, asked: Asked, secret: Found, references: Sequence[str]) -> None:
    stripe = sources.stripe
    asked.answer = asked.answers[secret.form.digest] = ask_secret(stripe)
    if asked.answer.standing in REFUSED or asked.answer.standing is Standing.NOT_HERE:
        return
    asked.references = ask_references(stripe, references)
    if asked.publishable is not None:
        _ask_publishable(sources, asked, asked.publishable)
    if secret.form.kind is Kind.RESTRICTED:
        asked.permissions = ask_permissions(stripe)


def _ask_publishable(sources: Sources, asked: Asked, public: Found) -> None:
    seen = next((name for name, known in asked.references if known is Known.YES), "")
    payment, client_secret = ask_payment(sources.stripe, seen)
    answer, known = ask_publishable(sources.stripe_with(public.secret), payment, client_secret)
    asked.answers[public.form.digest] = answer
    asked.sees = known


def _ask_others(sources: Sources, usable: Sequence[Found], asked: Asked) -> None:
    """Whether the secret keys of other places are valid: before and after a rotation (S0-45)."""
    others = {
        one.form.digest: one
        for one in usable
        if one.role is Role.SECRET and one.form.digest not in asked.answers
    }
    asked.left_out = max(len(others) - MOST_OTHERS, 0)
    for digest, one in list(others.items())[:MOST_OTHERS]:
        asked.answers[digest] = ask_secret(sources.stripe_with(one.secret))


def _publishable(usable: Sequence[Found], environment: str) -> Found | None:
    """The configured publishable key, else one of a place of the same environment."""
    ours = [one for one in usable if one.role is Role.PUBLISHABLE]
    own = [one for one in ours if one.place.of is Of.CONFIGURATION]
    same = [one for one in ours if one.place.environment.lower() == environment.lower()]
    return next(iter([*own, *same]), None)


def _configured(one: Found, role: Role) -> bool:
    return one.role is role and one.place.of is Of.CONFIGURATION
