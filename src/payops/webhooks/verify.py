"""Why a signature fails: the header, the secret, the body, the time, or test against live.

The payload is somebody's order: nothing of it is shown but the event's id, type and mode. S0-15.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import Enum

from payops.domain.duration import human_duration, utc_text
from payops.domain.evidence import Action
from payops.domain.secret import Secret, fingerprint
from payops.domain.signature import TOLERANCE_S, SignatureHeader, made_with, read_header
from payops.domain.status import Status
from payops.domain.text import harmless, shortened
from payops.webhooks.alterations import originals
from payops.webhooks.secrets import KnownSecret

# Of a hostile header: Stripe sends two signatures at most, while a secret is rolled.
_MOST_SIGNATURES = 20
# Some 300 guesses at what altered a body take 7 s a MiB with ten secrets; Stripe's events are far
# smaller.
_MOST_ALTERED = 1024 * 1024
# A body of 400 brackets and 150,000 values takes far longer: whoever sent it wanted that.
_LONGEST_S = 20.0
_TRIMMED = "without the blanks or quotes around it"


class Why(Enum):
    """The verdict; the value is the word in JSON."""

    VALID = "valid"
    NO_HEADER = "no-header"
    UNREADABLE = "header-unreadable"
    NO_TIMESTAMP = "no-timestamp"
    NO_V1 = "no-v1"
    NO_SECRET = "no-secret"  # noqa: S105  a word for people
    WRONG_SECRET = "wrong-secret"  # noqa: S105
    ALTERED = "altered-body"
    TOO_OLD = "too-old"
    FUTURE = "from-the-future"
    OTHER_MODE = "test-against-live"
    """As NO_MATCH, and a test event meets a live key or the other way round: that is why."""
    NO_MATCH = "no-match"
    """No secret that is known fits, nor any body that it may have been."""


@dataclass(frozen=True)
class Event:
    """What may be shown of a payload; empty where it cannot be read."""

    id: str = ""
    type: str = ""
    livemode: bool | None = None


@dataclass(frozen=True)
class Verdict:
    """Why a signature holds or fails.

    `fits` is the secret that made it, None when none did; `altered` what was done to the body.
    `age_s` is from its timestamp to `at` (negative: from the future). `also` are other things that
    are wrong besides, each a sentence.
    """

    why: Why
    summary: str
    event: Event
    header: SignatureHeader
    at: datetime
    fits: KnownSecret | None = None
    altered: str = ""
    age_s: float | None = None
    also: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()

    @property
    def status(self) -> Status:
        """CRIT for what is not valid, UNKNOWN where there was no secret to tell by."""
        return {Why.VALID: Status.OK, Why.NO_SECRET: Status.UNKNOWN}.get(self.why, Status.CRIT)


def verify(
    payload: bytes,
    header: str,
    *,
    at: datetime,
    secrets: Sequence[KnownSecret],
    others: Sequence[KnownSecret] = (),
    live_key: bool | None = None,
    tolerance_s: int = TOLERANCE_S,
) -> Verdict:
    """Hold `payload` and the header `Stripe-Signature` against the secrets. Never raises.

    `secrets` are those that should fit, `others` those that are known besides. `at` (aware UTC) is
    when it was received. `live_key` is the mode of the configured key, None when it is not known.
    A signature from the future is refused here, though Stripe's SDKs let it pass: the receiver's
    clock is wrong then, or somebody else wrote the header.
    """
    read = read_header(header)
    seen = Verdict(Why.VALID, "", event_of(payload), read, at, also=_blanks(read))
    seen = replace(seen, also=(*seen.also, *_mode(seen.event, live_key)))
    unusable = _unusable(header, seen)
    if unusable is not None or read.timestamp is None:
        return unusable or seen
    if not any(known.secret.reveal().strip() for known in (*secrets, *others)):
        told = "no secret to hold it against"
        add = Action("Configure stripe.webhook_secrets, or name a variable: --secret-from VARIABLE")
        return replace(seen, why=Why.NO_SECRET, summary=told, actions=(add,))
    seen = replace(seen, age_s=_age(at, read.timestamp))
    given = read.v1[:_MOST_SIGNATURES]
    for known in secrets:
        if _fits(known, payload, read.timestamp, given):
            return _timed(replace(seen, fits=known), tolerance_s)
    for known in (*_trimmed(secrets), *others):
        if _fits(known, payload, read.timestamp, given):
            return _other_secret(replace(seen, fits=known), secrets, tolerance_s)
    return _altered(seen, payload, (*secrets, *others), given, tolerance_s, live_key)


def _trimmed(secrets: Sequence[KnownSecret]) -> tuple[KnownSecret, ...]:
    """The secrets that have blanks or quotes around them, without: copied from a file, they are
    another secret to whoever does not trim them."""
    found = []
    for known in secrets:
        text = known.secret.reveal()
        trimmed = text.strip().strip("\"'").strip()
        if trimmed and trimmed != text:
            place = f"{known.place} {_TRIMMED}"
            found.append(KnownSecret(place, Secret(trimmed)))
    return tuple(found)


def event_of(payload: bytes) -> Event:
    """Id, type and mode of an event, whatever was done to the text. Never raises."""
    try:
        value = json.loads(payload.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return Event()
    if not isinstance(value, dict):
        return Event()
    id_, type_, mode = value.get("id"), value.get("type"), value.get("livemode")
    return Event(
        id_ if isinstance(id_, str) and re.fullmatch(r"evt_\w{1,80}", id_, re.ASCII) else "",
        type_ if isinstance(type_, str) and re.fullmatch(r"[a-z0-9_.]{1,80}", type_) else "",
        mode if isinstance(mode, bool) else None,
    )


def _fits(known: KnownSecret, body: bytes, timestamp: int, given: Sequence[str]) -> bool:
    secret = known.secret.reveal()
    # The SDK refuses an empty secret, and so do we: HMAC would take it, and so would an attacker.
    return bool(secret.strip()) and made_with(secret, body, timestamp, given)


def _age(at: datetime, timestamp: int) -> float:
    """Bounded, since a header may hold any number: a thousand years are told like ten thousand."""
    limit = 1000 * 365 * 86_400
    return max(-limit, min(limit, int(at.timestamp()) - timestamp))


def _unusable(header: str, seen: Verdict) -> Verdict | None:
    read = seen.header
    names = ", ".join(shortened(harmless(name), 20) for name in dict.fromkeys(read.schemes[:6]))
    see = Action("Copy the header Stripe-Signature whole: t=…,v1=…")
    if not header.strip():
        told = "there is no header: the request was not Stripe's, or a proxy took it away"
        return replace(seen, why=Why.NO_HEADER, summary=told, actions=(see,))
    if read.malformed:
        told = "the header is not t=NUMBER,v1=SIGNATURE: a part has no value, or t no whole number"
        return replace(seen, why=Why.UNREADABLE, summary=told, actions=(see,))
    if read.timestamp is None and not read.v1:
        told = f"the header is not t=…,v1=…; it has {names}"
        return replace(seen, why=Why.UNREADABLE, summary=told, actions=(see,))
    if read.timestamp is None:
        told = f"the header has no t, only {names}"
        return replace(seen, why=Why.NO_TIMESTAMP, summary=told, actions=(see,))
    if not read.v1:
        test = " (v0 is Stripe's scheme for tests alone)" if "v0" in read.schemes else ""
        told = f"the header has no v1, only {names}{test}"
        return replace(seen, why=Why.NO_V1, summary=told, actions=(see,))
    return None


def _blanks(read: SignatureHeader) -> tuple[str, ...]:
    stripped = [name for name in read.schemes if name.strip() != name]
    if any(name.strip() in ("t", "v1") for name in stripped):
        return ("the header has blanks after its commas: Stripe sends none, and no SDK trims them",)
    return ()


def _mode(event: Event, live_key: bool | None) -> tuple[str, ...]:
    if event.livemode is None or live_key is None or event.livemode is live_key:
        return ()
    words = {True: "live", False: "test"}
    told = f"the event is of {words[event.livemode]} mode, the configured key of {words[live_key]}"
    return (f"{told} mode: each mode's endpoint has a secret of its own",)


def _timed(seen: Verdict, tolerance_s: int) -> Verdict:
    """The signature is right; is its time?"""
    assert seen.fits is not None and seen.age_s is not None  # noqa: S101, PT018
    stamp = seen.header.timestamp or 0
    which = f"made with {_called(seen.fits)}"
    if abs(seen.age_s) <= tolerance_s:
        return replace(seen, why=Why.VALID, summary=f"valid, {which}")
    span = human_duration(abs(seen.age_s))
    signed_at = Action(f"Say when it was received: --at {_moment(stamp)} is when it was signed")
    if seen.age_s > 0:
        told = (
            f"the signature is right, {which}, but {span} old, beyond the tolerance of "
            f"{tolerance_s} s: a replay, or the receiver's clock is ahead"
        )
        return replace(seen, why=Why.TOO_OLD, summary=told, actions=(signed_at,))
    told = (
        f"the signature is right, {which}, but {span} from the future: the receiver's clock is "
        "behind (Stripe's SDKs let it pass, others do not)"
    )
    clock = Action("Compare the receiver's clock with a time server: `chronyc tracking`")
    return replace(seen, why=Why.FUTURE, summary=told, actions=(clock, signed_at))


def _other_secret(seen: Verdict, expected: Sequence[KnownSecret], tolerance_s: int) -> Verdict:
    assert seen.fits is not None  # noqa: S101  the caller's promise
    also = (*seen.also, *_time_besides(seen, tolerance_s))
    if seen.fits.place.endswith(_TRIMMED):
        mend = Action("Take blanks and quotes from around the secret where it is configured")
        told = f"made with {_called(seen.fits)}: as it is configured, it is another secret"
        return replace(seen, why=Why.WRONG_SECRET, summary=told, also=also, actions=(mend,))
    names = " or ".join(_called(known) for known in expected[:3]) or "the one expected"
    return replace(
        seen,
        why=Why.WRONG_SECRET,
        summary=f"made with {_called(seen.fits)}, not with {names}: the secrets were swapped, or "
        "the event was sent to another endpoint",
        also=also,
        actions=(
            Action(
                f"Give the application the secret at {seen.fits.place}, or point the endpoint "
                "elsewhere"
            ),
        ),
    )


def _altered(
    seen: Verdict,
    payload: bytes,
    secrets: Sequence[KnownSecret],
    given: Sequence[str],
    tolerance_s: int,
    live_key: bool | None,
) -> Verdict:
    stamp = seen.header.timestamp or 0
    also = (*seen.also, *_time_besides(seen, tolerance_s))
    guesses = originals(payload) if len(payload) <= _MOST_ALTERED else iter(())
    until = time.monotonic() + _LONGEST_S
    told = _guessed(payload)
    for guess in guesses:
        if time.monotonic() > until:
            told = f"nor from any body that could be tried in {_LONGEST_S:.0f} s"
            break
        for known in secrets:
            if _fits(known, guess.body, stamp, given):
                return replace(
                    seen,
                    why=Why.ALTERED,
                    fits=known,
                    altered=guess.done,
                    summary=f"the body was altered: {guess.done} (made with {_called(known)})",
                    also=also,
                    actions=(
                        Action(
                            "Verify the raw bytes of the request, before anything parses them; if "
                            "this is a copy from a log, the copy may be what was altered"
                        ),
                    ),
                )
    mode = _mode(seen.event, live_key)
    if mode:
        mend = Action("Take the endpoint's secret of the event's mode, or send it elsewhere")
        also = tuple(each for each in also if each not in mode)
        return replace(seen, why=Why.OTHER_MODE, summary=mode[0], also=also, actions=(mend,))
    count = len(secrets)
    tried = f"{_called(secrets[0])} has" if count == 1 else f"none of {count} known secrets has"
    not_ = "not " if count == 1 else ""
    return replace(
        seen,
        why=Why.NO_MATCH,
        summary=f"{tried} {not_}made it, {told}",
        also=also,
        actions=(
            Action(
                "Compare the secret with the endpoint's page in Stripe's Dashboard; each endpoint, "
                "each mode and each `stripe listen` has its own"
            ),
            Action("Make sure that the payload and the header are of the same request"),
        ),
    )


def _guessed(payload: bytes) -> str:
    if len(payload) > _MOST_ALTERED:
        return "and the body is too long to guess at what may have altered it"
    return "nor from any body that this one may have been"


def _time_besides(seen: Verdict, tolerance_s: int) -> tuple[str, ...]:
    if seen.age_s is None or abs(seen.age_s) <= tolerance_s:
        return ()
    span = human_duration(abs(seen.age_s))
    return (f"its timestamp is {span} {'old' if seen.age_s > 0 else 'from the future'}",)


def _called(known: KnownSecret) -> str:
    return f"{known.place}, {fingerprint(known.secret.reveal())}"


def _moment(stamp: int) -> str:
    try:
        return utc_text(datetime.fromtimestamp(stamp, UTC))
    except (OverflowError, OSError, ValueError):
        return "no time at all"
