"""Whether a webhook secret is in use: Stripe never tells one again, but what it signed does."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from payops.domain.evidence import Action, Evidence
from payops.domain.result import CheckResult
from payops.domain.signature import signed_with
from payops.domain.status import Status, worst
from payops.domain.stripe_key import Role
from payops.keys.found import Found
from payops.keys.judge import form_troubles
from payops.keys.trouble import Trouble, concluded, skipped

_HOW = Action(
    "Stripe never tells a webhook secret again. To be sure: send a signed, harmless event and see "
    "whether the endpoint takes it",
    "payops webhooks probe --signed",
)
_ABSENT = Trouble(
    Status.WARN,
    "there are webhook endpoints, and no webhook secret: no signature can be told, and an "
    "application without one refuses every event, or believes anybody",
    Action(
        "Give stripe.webhook_secrets (or the endpoint's own `secret`) the signing secret: Stripe's "
        "Dashboard, Developers, Webhooks, the endpoint, Reveal"
    ),
)
_LONGEST_HEADER = 4096


@dataclass(frozen=True)
class Sample:
    """Something that Stripe signed: an event of the log, or what was given by hand."""

    name: str
    body: bytes = field(repr=False)
    header: str = field(repr=False)
    given: bool = False
    """By hand: the event log's may have been written anew by the application."""


def signed_by(secret: str, sample: Sample) -> bool:
    """Whether the secret made one of the sample's signatures; its age does not matter here.

    >>> from payops.domain.signature import signature_header
    >>> signed_by("whsec_a", Sample("x", b"{}", signature_header("whsec_a", b"{}", 7)))
    True
    """
    parts = [part.strip().partition("=") for part in sample.header[:_LONGEST_HEADER].split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if not times or not re.fullmatch(r"[0-9]{1,12}", times[0]):
        return False
    expected = signed_with(secret, sample.body, int(times[0])).encode()
    given = [value.encode() for name, _, value in parts if name == "v1"]
    return any(hmac.compare_digest(expected, each) for each in given)


def fitting(sample: Sample, secrets: Sequence[Found]) -> Found | None:
    """The first secret that made the sample's signature. In quotes or blanks it is tried as it is
    meant, too."""
    for one in secrets:
        if signed_by(one.secret.reveal(), sample) or signed_by(one.form.text, sample):
            return one
    return None


def judge_webhook(
    found: Sequence[Found],
    samples: Sequence[Sample],
    now: datetime,
    *,
    environment: str,
    expected: bool,
    untold: str = "",
) -> CheckResult:
    """Present, well-formed and in use. `expected` tells that an endpoint is configured, so that
    there has to be a secret for `environment`; `untold` why the event log could not be asked."""
    ours = [one for one in found if one.role is Role.WEBHOOK]
    here = [one for one in ours if one.place.environment.lower() == environment.lower()]
    troubles = [trouble for one in ours for trouble in form_troubles(one)]
    troubles += [_ABSENT] if expected and not here else []
    if not ours:
        return (
            concluded(troubles, "", now)
            if expected
            else skipped("no webhook secret is given, and no endpoint", now)
        )
    result = concluded(
        troubles,
        _named(ours) + ": well-formed",
        now,
        notes=[f"the event log could not be asked: {untold}"] if untold else (),
    )
    proved = [(sample, fitting(sample, ours)) for sample in samples]
    given = next((pair for pair in proved if pair[0].given), None)
    if given is not None:
        return _with_given(result, given, ours, now)
    newest = proved[0] if proved else None
    if newest is None:
        return _unproved(result)
    return _with_log(result, newest, proved, ours, now)


def _with_given(
    result: CheckResult, pair: tuple[Sample, Found | None], ours: Sequence[Found], now: datetime
) -> CheckResult:
    sample, one = pair
    if one is not None:
        return _proved(result, one, sample.name, now)
    trouble = Trouble(
        Status.CRIT,
        f"{sample.name} was signed with none of {_named(ours)}",
        Action(
            "See why: another endpoint's secret, another mode, or a body that was written anew",
            "payops webhooks verify --payload FILE --header FILE",
        ),
        "files",
    )
    return _joined(result, trouble, now)


def _with_log(
    result: CheckResult,
    newest: tuple[Sample, Found | None],
    proved: Sequence[tuple[Sample, Found | None]],
    ours: Sequence[Found],
    now: datetime,
) -> CheckResult:
    sample, one = newest
    if one is not None:
        return _proved(result, one, f"the newest event kept ({sample.name})", now)
    older = next(((s, o) for s, o in proved if o is not None), None)
    if older is not None:
        what = (
            f"{older[1].form.described if older[1] else ''} signed {older[0].name}, but no longer "
            f"the newest event kept ({sample.name}): the endpoint's secret was rolled"
        )
    else:
        what = (
            f"the newest events kept ({sample.name}, …) were signed with none of {_named(ours)}: "
            "it is another endpoint's, or was rolled"
        )
    trouble = Trouble(
        Status.WARN,
        what,
        Action(
            "Compare with the application's own secret: .env, Kubernetes Secret or compose file",
            "payops keys check --from FILE",
        ),
        "postgres",
    )
    return _joined(result, trouble, now)


def _proved(result: CheckResult, one: Found, by: str, now: datetime) -> CheckResult:
    seen = Evidence(f"{one.form.described} made the signature of {by}", "event log", now)
    summary = result.summary
    if result.status is Status.OK:
        summary = f"{one.form.described}: well-formed, and in use: it signed {by}"
    return replace(result, summary=summary, evidence=(*result.evidence, seen))


def _unproved(result: CheckResult) -> CheckResult:
    summary = result.summary
    if result.status is Status.OK:
        summary += "; whether it is in use, no kept event tells"
    return replace(result, summary=summary, actions=(*result.actions, _HOW))


def _joined(result: CheckResult, trouble: Trouble, now: datetime) -> CheckResult:
    """A further finding beside those of form, which lead: a broken secret signs nothing."""
    other = concluded([trouble], "", now, source=trouble.source)
    if result.status is Status.OK:
        return replace(other, evidence=(*other.evidence, *result.evidence))
    return replace(
        result,
        status=worst((result.status, other.status)),
        evidence=(*result.evidence, Evidence(trouble.what, trouble.source, now)),
        actions=(*result.actions, *other.actions),
    )


def _named(found: Sequence[Found]) -> str:
    names = list(dict.fromkeys(one.form.described for one in found))
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")
