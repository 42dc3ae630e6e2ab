"""`payops keys check`: every key that is configured or found, held against Stripe and the rest."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from payops.config.settings import Settings
from payops.domain.deadline import Deadline
from payops.domain.evidence import Evidence
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.stripe_key import Role
from payops.engine.keys_asked import Asked, ask
from payops.engine.keys_exposed import exposed
from payops.engine.keys_tables import tables_of
from payops.engine.untold import untold
from payops.errors import FailedError
from payops.keys.found import Found, Of, Reading, names_of
from payops.keys.judge import judge_mode, judge_role
from payops.keys.judge_account import AccountFacts, judge_account, judge_permissions
from payops.keys.judge_age import Recorded, judge_age, recorded
from payops.keys.judge_places import judge_places
from payops.keys.judge_webhook import Sample, judge_webhook
from payops.keys.places import configured, in_environment, read_files
from payops.keys.probe import REFUSED
from payops.keys.trouble import skipped
from payops.sources import Sources, borrowed

TITLES = {
    "keys.secret": "Secret keys: their form, and whether Stripe takes them",
    "keys.publishable": "Publishable keys: their form, and whether Stripe takes them",
    "keys.webhook-secret": "Webhook secrets: there, well-formed, in use",
    "keys.mode": "Live keys in production, test keys elsewhere",
    "keys.account": "The keys belong together and to this system",
    "keys.permissions": "A restricted key may read what payops reads",
    "keys.environments": "The same keys where they should be the same, and nowhere else",
    "keys.rotation": "No key is older than the policy",
    "keys.exposed": "No key stands in the logs",
}
ROWS = {
    "keys.secret": ("S0-13", "S2-02", "S2-35", "S2-36", "S0-45"),
    "keys.publishable": ("S2-35", "S2-36"),
    "keys.webhook-secret": ("S0-29", "S2-35", "S2-36"),
    "keys.mode": ("S2-37",),
    "keys.account": ("S2-37",),
    "keys.rotation": ("S0-45",),
    "keys.exposed": ("S3-41", "S1-21"),
}
_LOGS_S = 1.5


@dataclass(frozen=True)
class KeysOptions:
    """`files` are `[NAME=]FILE`; `environ` is the process' environment; `sample` is what was given
    by `--payload` and `--header`. `sources` are those of a run that this is a part of."""

    files: tuple[str, ...] = ()
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    sample: Sample | None = None
    sources: Sources | None = None


def check_keys(settings: Settings, options: KeysOptions, deadline: Deadline) -> Report:
    """Look at all keys. Raises nothing that a source or a file does: what could not be told says
    so, and hides nothing else."""
    started, now = time.monotonic(), datetime.now(UTC)
    readings = read_everything(settings, options, deadline)
    found = [one for reading in readings for one in reading.found]
    # First, and bounded: a Stripe that hangs takes all the time that there is.
    in_logs = exposed(settings, Deadline.after(deadline.within(_LOGS_S)), now)
    ends = deadline.sooner(0.1, at_most=0.5)
    with (
        borrowed(options.sources, settings, ends) as sources,
        borrowed(options.sources, settings, ends.sooner(0.5, at_most=15)) as database,
    ):
        asked = ask(settings, sources, database, found)
        results = {
            "keys.secret": _secret(settings, found, asked, now),
            "keys.publishable": judge_role(
                Role.PUBLISHABLE, found, asked.answers, now, "no publishable key is given"
            ),
            "keys.webhook-secret": _webhook(settings, found, options, asked, now),
            "keys.mode": judge_mode(found, asked.references, now),
            "keys.account": _account(settings, asked, now),
            "keys.permissions": _permissions(asked, now),
            "keys.environments": judge_places(readings, now),
            "keys.rotation": _rotation(settings, found, now),
            "keys.exposed": in_logs,
        }
        calls = sources.stripe_calls()
    return Report(
        command="keys check",
        generated_at=now,
        environment=settings.environment,
        checks=tuple(
            replace(result, id=id_, title=TITLES[id_], rows=ROWS.get(id_, ()))
            for id_, result in results.items()
        ),
        stripe_calls=calls,
        duration_ms=round((time.monotonic() - started) * 1000),
        tables=tables_of(found, asked),
    )


def read_everything(
    settings: Settings, options: KeysOptions, deadline: Deadline
) -> tuple[Reading, ...]:
    """The configuration, the environment, and every file."""
    names = names_of(settings.keys.variables)
    return (
        configured(settings),
        in_environment(options.environ, settings.environment, names),
        *read_files(
            (*settings.keys.sources, *options.files), settings.environment, names, deadline
        ),
    )


def _secret(settings: Settings, found: Sequence[Found], asked: Asked, now: datetime) -> CheckResult:
    result = judge_role(Role.SECRET, found, asked.answers, now, "no secret key is given")
    if asked.left_out:
        what = f"Stripe was not asked about {asked.left_out} more secret keys: give fewer files"
        result = replace(result, evidence=(*result.evidence, Evidence(what, "payops", now)))
    if asked.silent is None or result.status is not Status.OK:
        return result
    answer = untold(settings, asked.silent, now)
    return replace(answer, summary=f"{result.summary}; whether Stripe takes it {answer.summary}")


def _webhook(
    settings: Settings,
    found: Sequence[Found],
    options: KeysOptions,
    asked: Asked,
    now: datetime,
) -> CheckResult:
    samples = [options.sample] if options.sample is not None else []
    samples += [Sample(event.event_id, event.body, event.signature) for event in asked.captured]
    return judge_webhook(
        found,
        samples,
        now,
        environment=settings.environment,
        expected=bool(settings.webhooks.endpoints),
        untold=asked.log_untold,
    )


def _account(settings: Settings, asked: Asked, now: datetime) -> CheckResult:
    if asked.secret is None or asked.answer is None or asked.silent is not None:
        return skipped(_why_not(asked), now)
    if asked.answer.standing in REFUSED:
        return skipped("not asked: Stripe refuses the secret key", now)
    return judge_account(
        AccountFacts(
            secret=asked.secret.form,
            answer=asked.answer,
            expected=settings.stripe.account if settings.stripe is not None else "",
            publishable=asked.publishable.form if asked.publishable is not None else None,
            sees=asked.sees,
            references=asked.references,
            ledger_untold=asked.ledger_untold,
        ),
        now,
    )


def _permissions(asked: Asked, now: datetime) -> CheckResult:
    if asked.secret is None or asked.answer is None or asked.silent is not None:
        return skipped(_why_not(asked), now)
    if asked.answer.standing in REFUSED:
        return skipped("not asked: Stripe refuses the secret key", now)
    return judge_permissions(asked.secret.form.kind, asked.permissions, now)


def _why_not(asked: Asked) -> str:
    if asked.silent is not None:
        return "not told: Stripe gives no answer (see keys.secret)"
    return "not asked: stripe.secret_key cannot be used (see keys.secret)"


def _rotation(settings: Settings, found: Sequence[Found], now: datetime) -> CheckResult:
    past, why = _past(settings)
    max_age = timedelta(seconds=float(settings.keys.max_age))
    return judge_age(found, past, settings.keys.rotated_at, max_age, now, why)


def _past(settings: Settings) -> tuple[tuple[Recorded, ...], str]:
    """The rotations that the journal knows, and why they cannot be trusted."""
    from payops.engine.journal import Journal
    from payops.reconcile.spool import state_folder

    try:
        chain = Journal(state_folder(settings)).read()
    except FailedError as error:
        return (), error.message
    why = f"the journal was touched: {chain.broken.what}" if chain.broken else ""
    return recorded(chain.entries, settings.environment), why


def record_rotation(settings: Settings, name: str) -> tuple[Found, int]:
    """Write into the journal that a configured key was rotated: the key, and the entry's number.

    Raises UsageError for a name that no configured key has, RefusedError for a key that is recorded
    already, or that cannot be one, FailedError when the journal cannot be written.
    """
    from difflib import get_close_matches

    from payops.engine.journal import Journal, operator
    from payops.errors import RefusedError, UsageError
    from payops.keys.judge_age import JOURNALED
    from payops.reconcile.spool import state_folder

    ours = {one.name: one for one in configured(settings).found if one.place.of is Of.CONFIGURATION}
    one = ours.get(name)
    if one is None:
        near = get_close_matches(name, ours, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageError(
            f"no key of the configuration is called {name!r}{meant}",
            hint=f"its keys: {', '.join(ours) or 'none'}",
        )
    if not one.usable:
        raise RefusedError(
            f"{name} cannot be a key as it stands; nothing was recorded",
            hint="`payops keys check` says what is wrong with it",
        )
    journal = Journal(state_folder(settings))
    past = recorded(journal.trusted().entries, settings.environment)
    mine = [each for each in past if each.name == name]
    if mine and mine[-1].digest == one.form.digest:
        raise RefusedError(
            f"{name} {one.form.described} is recorded since {mine[-1].at:%Y-%m-%d}: it is the same "
            "key, so it was not rotated",
            hint="put the new key into the configuration first",
        )
    entry = journal.append(
        JOURNALED,
        {
            "what": f"{name} is {one.form.described}",
            "name": name,
            "digest": one.form.digest,
            "key": one.form.described,
            "before": mine[-1].digest if mine else "",
            "environment": settings.environment,
            "operator": operator(),
        },
    )
    return one, int(entry["seq"])
