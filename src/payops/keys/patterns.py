"""Shapes of what must not stand in a log: Stripe's keys, webhook secrets and client secrets.

A shape is anchored at a literal in it that the fast search looks for (`scan_window.py`); the
regular expression then decides, and looks no further than `REACH` bytes to either side, so that a
piece of a file decides as the whole file would. Prefixes: https://docs.stripe.com/keys.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from payops.domain.status import Status

REACH = 1024
"""Bytes around an anchor that a decision may look at; no shape is longer."""


class Kind(Enum):
    """What was found. The value is the word in JSON and in the ignore file."""

    LIVE_KEY = "live-key"
    TEST_KEY = "test-key"
    PUBLISHABLE_KEY = "publishable-key"
    """Public by design: told, never a fault."""
    WEBHOOK_SECRET = "webhook-secret"  # noqa: S105
    CLIENT_SECRET = "client-secret"  # noqa: S105
    CARD = "card"
    TEST_CARD = "test-card"
    CONFIGURED = "configured-secret"
    """The exact text of a secret in payops' own configuration: a key, a password of a DSN."""


SEVERITY = {
    Kind.LIVE_KEY: Status.CRIT,
    Kind.TEST_KEY: Status.WARN,
    Kind.PUBLISHABLE_KEY: Status.OK,
    # Test or live cannot be told from it, and whoever has it can forge events.
    Kind.WEBHOOK_SECRET: Status.CRIT,
    Kind.CLIENT_SECRET: Status.WARN,
    Kind.CARD: Status.CRIT,
    Kind.TEST_CARD: Status.WARN,
    Kind.CONFIGURED: Status.CRIT,
}


@dataclass(frozen=True)
class Shape:
    """One shape: `anchor` is what `search` finds, `pattern` matches around it.

    `before` are the distances before the anchor at which a match may begin.
    """

    anchor: bytes
    pattern: re.Pattern[bytes]
    before: tuple[int, ...]


# What may stand before a key: no letter, digit or underscore (`task_test_…`), but the end of an
# escape: %3D, \n, \x22, \u0022, a colour.
_EDGE = (
    rb"(?:(?<![0-9A-Za-z_])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrtbf])|(?<=\\x[0-9A-Fa-f]{2})"
    rb"|(?<=\\u[0-9A-Fa-f]{4})|(?<=\[[0-9]m)|(?<=\[[0-9]{2}m)|(?<=\[[0-9];[0-9]{2}m))"
)
_KEY = re.compile(
    _EDGE + rb"(?P<who>sk|rk|pk|ek|sk_org)_(?P<mode>live|test|prod)_(?P<body>[A-Za-z0-9_]{16,255})"
)
# Organisation keys are also seen without a mode in the prefix: docs.stripe.com/keys/organization.
_ORGANISATION = re.compile(_EDGE + rb"sk_org_(?!(?:live|test|prod)_)(?P<body>[A-Za-z0-9_]{16,255})")
_WEBHOOK = re.compile(rb"whsec_(?P<body>[A-Za-z0-9+/]{20,255}={0,2})")
_CLIENT = re.compile(
    _EDGE + rb"(?P<object>(?:(?P<owner>[a-z]{2,8})_(?:test_|live_)?(?P<id>[A-Za-z0-9]{8,255})_"
    rb"|(?:src|fcsess)_client_|(?:accs|cuss)_))secret_(?P<body>_?[A-Za-z0-9%]{12,512})"
)
_OWNERS = frozenset({b"pi", b"seti", b"cs", b"src", b"pm"})

KEY = Shape(b"_aaaa_", _KEY, (2, 6))  # in the translated text: any word of four small letters
ORGANISATION = Shape(b"sk_org_", _ORGANISATION, (0,))
WEBHOOK = Shape(b"whsec_", _WEBHOOK, (0,))
CLIENT = b"_secret_"
_BEFORE_SECRET = re.compile(rb"[A-Za-z0-9_]{2,300}")
_MOST_ESCAPE = 4  # characters of an escape that may be taken for the beginning of the id: u0022


def client_shape(text: bytes, anchor: int) -> Shape:
    """The shape of a client secret around one `_secret_`: it begins where its id does."""
    match = _BEFORE_SECRET.match(text[max(0, anchor - 300) : anchor][::-1])
    length = len(match.group()) if match else 0
    if text[anchor - length - 1 : anchor - length] == b"\\":  # \npi_…: the n is the escape's
        length -= 1
    before = tuple(range(length, max(0, length - _MOST_ESCAPE - 1), -1))
    return Shape(CLIENT, _CLIENT, before)


@dataclass(frozen=True)
class KnownSecret:
    """A secret of the configuration: `name` is its key there (`stripe.secret_key`), `text` a form
    in which it may be written, `shown` what a report may show of it."""

    name: str
    text: bytes = field(repr=False)
    shown: str


def kind_of_key(match: re.Match[bytes]) -> Kind | None:
    """What a key is by its prefix; None of a placeholder (`sk_live_xxxxxxxxxxxxxxxx`)."""
    if not random_looking(match["body"]):
        return None
    who, test = match["who"], match["mode"] == b"test"
    if who == b"pk":
        return Kind.PUBLISHABLE_KEY
    if who == b"ek":  # an ephemeral key: one customer's, for an hour
        return Kind.CLIENT_SECRET
    return Kind.TEST_KEY if test else Kind.LIVE_KEY


def is_client_secret(match: re.Match[bytes]) -> bool:
    """Whether it is Stripe's: `app_database_secret_…` is a name that only looks so."""
    if not random_looking(match["body"]):
        return False
    return not match["id"] or match["owner"] in _OWNERS or random_looking(match["id"])


def random_looking(body: bytes) -> bool:
    """Whether a body is a secret and no stand-in for one.

    A random one of 16 letters and digits has fewer than 7 different ones, or all of one class, less
    than once in a million times; `xxxxxxxxxxxxxxxx` and `your_secret_key_here` do.

    >>> random_looking(b"4eC39HqLyjWDarjtT1zdp7dc"), random_looking(b"your_secret_key_here")
    (True, False)
    """
    classes = (
        any(97 <= byte <= 122 for byte in body),
        any(65 <= byte <= 90 for byte in body),
        any(48 <= byte <= 57 for byte in body),
    )
    return len(set(body)) >= 7 and sum(classes) >= 2
