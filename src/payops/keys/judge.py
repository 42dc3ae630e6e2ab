"""What each key's own text, and Stripe's answer to it, say: form, role, mode, validity.

Pure: nothing is asked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.stripe_key import Fault, Kind, Role, is_live_environment
from payops.keys.found import Found, Of
from payops.keys.probe import REFUSED, Answered, Known, Standing
from payops.keys.trouble import CHECK_AGAIN, ROLL, Trouble, concluded, skipped

# Build tools put variables of these names into what browsers download.
_PUBLIC = re.compile(r"(?:NEXT_PUBLIC|VITE|REACT_APP|NUXT_PUBLIC|EXPO_PUBLIC|GATSBY|PUBLIC)_")
_DASHBOARD = "Stripe's Dashboard, Developers, API keys"
_CURES = {
    Fault.EMPTY: "Give it a value, or take it out",
    Fault.QUOTED: "Take the inner quotes away: the key is sent to Stripe with them",
    Fault.BLANKS: "Take the blanks away; `echo KEY | base64` adds a line break, `printf %s` does "
    "not",
    Fault.BROKEN: f"Copy it again, whole and unmasked ({_DASHBOARD})",
    Fault.PLACEHOLDER: "Put the real key there",
    Fault.SHORT: f"Copy it again, whole ({_DASHBOARD})",
    Fault.NO_KEY: "Put the key there, without what stands before or after it",
}
_REFUSALS = {
    Standing.EXPIRED: "has expired or was rolled: Stripe refuses it",
    Standing.UNKNOWN: "is unknown to Stripe: mistyped, deleted, or of a test environment that is "
    "gone",
    Standing.REVOKED: "has lost its access to the account",
}


def judge_role(
    role: Role, found: Sequence[Found], answers: Mapping[str, Answered], now: datetime, missing: str
) -> CheckResult:
    """All keys of one role: form, kind, and what Stripe said of them (`answers` by digest).

    `missing` is what is said where there is none.
    """
    ours = [one for one in found if one.role is role]
    if not ours:
        return skipped(missing, now)
    troubles = [trouble for one in ours for trouble in _of(one, answers)]
    said = any(one.form.digest in answers for one in ours)
    states = dict.fromkeys(_state(one, answers) for one in ours)
    more = f"; and {len(states) - 2} more" if len(states) > 2 else ""
    fine = "; ".join(list(states)[:2]) + more
    notes = [
        f"{one.form.described}: {answers[one.form.digest].standing.value}"
        + (f" ({answers[one.form.digest].said})" if answers[one.form.digest].said else "")
        for one in ours
        if one.form.digest in answers
        and answers[one.form.digest].standing in (Standing.NOT_HERE, Standing.NOT_TOLD)
    ]
    source = "configuration+stripe" if said else "configuration"
    return concluded(troubles, fine, now, source=source, notes=dict.fromkeys(notes))


def _state(one: Found, answers: Mapping[str, Answered]) -> str:
    """`sk_test_…4242 (sha256 1a2b3c4d): well-formed, valid`."""
    answer = answers.get(one.form.digest)
    asked = answer is not None and answer.standing is not Standing.NOT_TOLD
    return f"{one.form.described}: well-formed" + (", valid" if asked else "")


def form_troubles(one: Found) -> Iterator[Trouble]:
    """What the text alone tells: faults of form, the wrong kind for its role."""
    for fault in one.form.faults:
        yield Trouble(
            Status.CRIT, f"{one.where} {fault.value}", Action(f"{one.where}: {_CURES[fault]}")
        )
    if one.form.kind is not Kind.NONE and not one.fits:
        expected = " or ".join(kind.value for kind in one.role.kinds)
        yield Trouble(
            Status.CRIT,
            f"{one.where} holds a {_called(one.form.kind)}, where a {expected} "
            f"{'' if one.role is Role.WEBHOOK else 'key '}belongs",
            Action(f"{one.where}: put the {one.role.title} there; have two been swapped?"),
        )


def word_of(one: Found, answers: Mapping[str, Answered]) -> str:
    """A key's state in a word or two, for the table."""
    if not one.fits and one.form.kind is not Kind.NONE:
        return f"a {_called(one.form.kind)}"
    if one.form.faults:
        return _WORDS[one.form.faults[0]]
    answer = answers.get(one.form.digest)
    return answer.standing.value if answer is not None else "well-formed"


def judge_mode(
    found: Sequence[Found], references: Sequence[tuple[str, Known]], now: datetime
) -> CheckResult:
    """S2-37: a test key in production takes no money, a live key elsewhere takes real money."""
    moded = [one for one in found if one.form.mode]
    if not moded:
        return skipped("no key tells its mode", now)
    troubles = [trouble for one in moded for trouble in _mode(one)]
    troubles = troubles or list(_pairs(moded))
    own = next((one for one in moded if one.place.of is Of.CONFIGURATION), None)
    if own is not None and not troubles:
        for reference, known in references:
            if known is Known.OTHER_MODE:
                other = "test" if own.form.mode == "live" else "live"
                troubles.append(
                    Trouble(
                        Status.CRIT,
                        f"{own.where} is a {own.form.mode} key, and the ledger's payments are "
                        f"{other} ones ({reference})",
                        Action(f"{own.where}: give it the {other} key of the same account"),
                        "stripe",
                    )
                )
                break
    modes = sorted({f"{one.form.mode} in {one.place.environment}" for one in moded})
    return concluded(troubles, ", ".join(modes), now)


def _of(one: Found, answers: Mapping[str, Answered]) -> Iterator[Trouble]:
    yield from form_troubles(one)
    if one.role is not Role.PUBLISHABLE and _PUBLIC.match(one.name):
        yield Trouble(
            Status.CRIT,
            f"{one.where} is a secret under a name that builds put into the browser's code",
            Action(f"{one.where}: rename it, build again, and roll the key. {ROLL}"),
        )
    answer = answers.get(one.form.digest)
    if answer is not None and answer.standing in REFUSED and one.usable:
        yield Trouble(
            Status.CRIT,
            f"{one.where} {one.form.described} {_REFUSALS[answer.standing]}",
            Action(f"Compare it with {_DASHBOARD}; put the current key there", CHECK_AGAIN),
            "stripe",
            answer.request_id,
        )


def _mode(one: Found) -> Iterator[Trouble]:
    live = is_live_environment(one.place.environment)
    named = f"{one.where} {one.form.described}"
    if live and one.form.mode == "test":
        yield Trouble(
            Status.CRIT,
            f"{named} is a test key, and the environment is {one.place.environment}: no payment "
            "made with it is real",
            Action(
                f"{one.where}: give it the live {one.role.title}; or, if these are tests, give the "
                "environment another name",
                "payops config show",
            ),
        )
    elif not live and one.form.mode == "live":
        yield Trouble(
            Status.CRIT,
            f"{named} is a live key, and the environment is {one.place.environment}: whoever tries "
            "something there takes real money",
            Action(
                f"{one.where}: give it a test key; if this is where customers pay, call the "
                "environment production",
                "payops config show",
            ),
        )


def _pairs(moded: Sequence[Found]) -> Iterator[Trouble]:
    """A publishable key of another mode than the secret key beside it."""
    for secret in moded:
        for public in moded:
            if (
                secret.role is Role.SECRET
                and public.role is Role.PUBLISHABLE
                and secret.place == public.place
                and secret.form.mode != public.form.mode
            ):
                yield Trouble(
                    Status.CRIT,
                    f"{secret.where} is a {secret.form.mode} key and {public.where} a "
                    f"{public.form.mode} one: what one makes, the other does not find",
                    Action(f"{public.where}: give both keys of one mode"),
                )


def _called(kind: Kind) -> str:
    return kind.value if kind is Kind.WEBHOOK else f"{kind.value} key"


_WORDS = {
    Fault.EMPTY: "empty",
    Fault.QUOTED: "quoted",
    Fault.BLANKS: "blanks",
    Fault.BROKEN: "broken",
    Fault.PLACEHOLDER: "placeholder",
    Fault.SHORT: "too short",
    Fault.NO_KEY: "no key",
}
