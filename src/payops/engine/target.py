"""Whether a plan may be applied: by whom it was made, when, where and how much."""

from __future__ import annotations

from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from payops.domain.duration import human_duration
from payops.domain.money import Money
from payops.domain.plan import Caps, Change, Plan, digest_of, money_of
from payops.errors import RefusedError, SourceError

if TYPE_CHECKING:
    from payops.config.settings import Settings
    from payops.config.webhooks import WebhookEndpoint
    from payops.sources import Sources
    from payops.sources.writer import Database

_AHEAD = timedelta(minutes=5)  # how far two machines' clocks may differ
_AGAIN = "make a new plan: {command}"
_SYSTEMS = ("postgres", "http", "redis")
_LIVE_KEYS = ("sk_live_", "rk_live_")


def is_production(settings: Settings) -> bool:
    """Whether the environment's name has to be typed: by its name, or because its key is live."""
    name = settings.environment.lower()
    key = settings.stripe.secret_key.reveal() if settings.stripe else ""
    return name.startswith(("prod", "live")) or key.startswith(_LIVE_KEYS)


def check_signed(plan: Plan) -> None:
    """Raises RefusedError when the digest is missing or wrong."""
    if not plan.digest:
        raise RefusedError(
            "the plan has no digest: it was edited, or not made by payops",
            hint=_AGAIN.format(command=plan.command or "payops reconcile --save-plan F"),
        )
    if plan.digest != digest_of(plan):
        raise RefusedError(
            "the plan was edited: its digest is another",
            hint=_AGAIN.format(command=plan.command or "payops reconcile --save-plan F"),
        )


def check_plan_fits(plan: Plan, settings: Settings, now: datetime, *, force: bool) -> None:
    """Digest, age, environment, kind of target and caps. Raises RefusedError.

    `force` lifts the caps alone.
    """
    check_signed(plan)
    again = _AGAIN.format(command=plan.command)
    age = now - plan.created_at
    limit = min(plan.expires_s, float(settings.apply.max_age))
    if age.total_seconds() > limit:
        raise RefusedError(
            f"the plan is {human_duration(age.total_seconds())} old, and may be applied for "
            f"{human_duration(limit)}",
            hint=again,
        )
    if age < -_AHEAD:
        raise RefusedError(
            f"the plan was made {human_duration(-age.total_seconds())} ahead of this machine's "
            "clock",
            hint="one of the two clocks is wrong (`timedatectl`)",
        )
    if plan.target.environment != settings.environment:
        raise RefusedError(
            f"the plan is for environment {plan.target.environment!r}, this configuration is for "
            f"{settings.environment!r}",
            hint="choose the right file with --config",
        )
    if plan.target.system not in _SYSTEMS:
        raise RefusedError(
            f"the plan is for {plan.target.system!r}, only {', '.join(_SYSTEMS)} are known here"
        )
    if not force:
        _check_caps(plan, plan.caps, "the plan's own caps")
        caps = Caps(settings.apply.max_changes, settings.apply.max_money)
        _check_caps(plan, caps, "apply: in the configuration")


def check_database(plan: Plan, database: Database) -> None:
    """The database is the one that the plan was made from. Raises RefusedError."""
    if plan.target.fingerprint not in database.fingerprints or (
        plan.target.database != database.name
    ):
        raise RefusedError(
            f"the plan is for another database: {plan.target.database} "
            f"({plan.target.fingerprint}), postgres.write_dsn is {database.name} "
            f"({database.fingerprints[0]}) on {database.server}",
            hint="postgres.dsn and postgres.write_dsn must be one database, or a replica of it "
            "and its primary",
        )


def check_redis(plan: Plan, settings: Settings, fingerprint: str, database: str) -> None:
    """The Redis is the one that the plan was made from, and every key that it changes belongs to a
    configured breaker of the change's name. Raises RefusedError."""
    from payops.domain.plan_redis import CLEAR, keys_of
    from payops.sources.breakers import place_of

    if (plan.target.fingerprint, plan.target.database) != (fingerprint, database):
        raise RefusedError(
            f"the plan is for another Redis: {plan.target.database} ({plan.target.fingerprint}), "
            f"redis.url is {database} ({fingerprint}); one that lost its memory is another too",
            hint=_AGAIN.format(command=plan.command),
        )
    places = {breaker.name: place_of(breaker)[1] for breaker in settings.circuit.breakers}
    for change in plan.changes:
        if change.remedy == CLEAR:
            _check_cache(change, settings)
            continue
        if change.kind != "update":  # else nothing would be compared
            raise RefusedError(f"{change.id}: sets what the plan did not see")
        place = places.get(change.table)
        known = set(place.parts.values()) if place else set()
        others = {*keys_of(change.before), *keys_of(change.after)} - known
        if others:
            raise RefusedError(
                f"{change.id}: {min(others)!r} is no key of a configured breaker {change.table!r}",
                hint="see circuit.breakers, `payops config show`",
            )


def _check_cache(change: Change, settings: Settings) -> None:
    if len(change.before) != 1 or any(change.after.values()):
        raise RefusedError(f"{change.id}: clears one key, and nothing else", hint="make a new plan")
    pattern = settings.circuit.caches.get(change.table, "")
    for key in change.before:
        if not pattern or not fnmatchcase(key, pattern):
            raise RefusedError(
                f"{change.id}: {key!r} is no key of a configured cache {change.table!r}",
                hint="see circuit.caches, `payops config show`",
            )


def check_endpoint(plan: Plan, settings: Settings) -> WebhookEndpoint:
    """The configured endpoint that a replay was planned for: nothing is sent anywhere else.

    Raises RefusedError when there is none, when it cannot be signed for, or when live events would
    go there in clear.
    """
    from payops.engine.replay import is_live, stripe_of
    from payops.sources.webhook_sender import check_address
    from payops.webhooks.replay import fingerprint
    from payops.webhooks.secrets import own_secrets

    wanted, account = plan.target.fingerprint, plan.target.account
    found = [e for e in settings.webhooks.endpoints if fingerprint(e, account) == wanted]
    if not found:
        raise RefusedError(
            f"the plan sends to {plan.target.database}, which is not an endpoint of this "
            "configuration, or has another url now",
            hint=_AGAIN.format(command=plan.command),
        )
    if not account:
        raise RefusedError("the plan names no account of Stripe's", hint="make a new plan")
    by_payops = any(not change.key.get("webhook_endpoint") for change in plan.changes)
    if by_payops:
        check_address(found[0].url, livemode=is_live(stripe_of(settings)))
        if not own_secrets(settings, found[0]):
            raise RefusedError(
                f"there is no signing secret for {plan.target.database}",
                hint="add webhooks.endpoints: secret, or stripe.webhook_secrets",
            )
    return found[0]


def check_account(plan: Plan, settings: Settings, sources: Sources) -> str:
    """Stripe's account is the one that the plan rests on. Raises RefusedError.

    A word for the person where Stripe could not be asked and the configuration answers for it:
    the database can be put right while Stripe is down.
    """
    wanted = plan.target.account
    if not wanted:
        return ""
    if settings.stripe is None:
        raise RefusedError(
            f"the plan rests on Stripe's account {wanted}, and stripe is not configured",
            hint="add the stripe: section that the plan was made with",
        )
    try:
        found = sources.stripe.account().value.id
    except SourceError as error:
        if settings.stripe.account != wanted:
            raise RefusedError(
                f"whether Stripe's account is {wanted} cannot be told: {error}",
                hint=f"wait for Stripe, or say so in the configuration: stripe.account: {wanted}",
            ) from error
        return f"Stripe could not be asked ({error.kind.value}); stripe.account is {wanted}"
    if found != wanted:
        raise RefusedError(
            f"the plan rests on Stripe's account {wanted}, this key is of {found}",
            hint="choose the right file with --config",
        )
    return ""


def _check_caps(plan: Plan, caps: Caps, whose: str) -> None:
    if len(plan.changes) > caps.changes:
        raise RefusedError(
            f"the plan has {len(plan.changes):,} changes, {whose} allow {caps.changes:,}",
            hint="plan less, or lift the caps, and nothing else, with --force",
        )
    for currency, minor in money_of(plan.changes).items():
        most = caps.minor.get(currency, caps.minor.get(currency.upper()))
        if most is not None and minor > most:
            raise RefusedError(
                f"the plan touches {Money(currency, minor)}, {whose} allow {Money(currency, most)}",
                hint="plan less, or lift the caps, and nothing else, with --force",
            )
