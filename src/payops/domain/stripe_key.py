"""What a text tells of itself as a key of Stripe's: kind, mode, and what is wrong with its form.

`sk_`, `rk_`, `pk_`, each `live` or `test`, and `whsec_` (STRIPE.md, 'Keys'). Nothing is asked, so
that a key can be well-formed and unknown to Stripe all the same.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from enum import Enum

from payops.domain.secret import MASK


class Kind(Enum):
    """What a key is by its prefix."""

    SECRET = "secret"  # noqa: S105  a word
    RESTRICTED = "restricted"
    PUBLISHABLE = "publishable"
    WEBHOOK = "webhook secret"
    NONE = "not a key"


class Role(Enum):
    """What a key is used as; the value is the configuration's key for it."""

    SECRET = "stripe.secret_key"  # noqa: S105
    PUBLISHABLE = "stripe.publishable_key"
    WEBHOOK = "stripe.webhook_secrets"

    @property
    def title(self) -> str:
        """As people call it."""
        return _TITLES[self]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that may stand in it."""
        return _KINDS_OF[self]


class Fault(Enum):
    """What is wrong with a key's text. The value is told, and holds nothing of the text."""

    EMPTY = "is empty"
    QUOTED = "stands in quotes that are taken as part of it"
    BLANKS = "has blanks or a line break around it"
    BROKEN = "has a blank, a line break or a character inside that no key has: copied whole?"
    PLACEHOLDER = "is a placeholder, not a key"
    SHORT = "is shorter than any key of Stripe's: cut off?"
    NO_KEY = "is no key of Stripe's: sk_…, rk_…, pk_… or whsec_… is expected"


@dataclass(frozen=True)
class Form:
    """A key's text, read.

    `mode` is `live` or `test`, empty for a webhook secret, which does not tell. `faults` in the
    order in which they are to be put right. `text` is the key without quotes and blanks.
    """

    kind: Kind
    mode: str
    faults: tuple[Fault, ...]
    text: str = field(repr=False)

    @property
    def shown(self) -> str:
        """All of the key that may be shown: prefix and last 4, `sk_test_…4242`."""
        prefix = _PREFIX.match(self.text)
        if prefix is None or len(self.text) - prefix.end() < _SHOWN_FROM:
            return MASK
        return f"{prefix.group()}…{self.text[-4:]}"

    @property
    def digest(self) -> str:
        """A short hash by which two places are compared: 8 hexadecimal digits of SHA-256, as in
        `domain.secret.fingerprint`; empty for a text so short that its hash could be guessed."""
        if len(self.text) < _HASHED_FROM:
            return ""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()[:8]

    @property
    def described(self) -> str:
        """`sk_test_…4242 (sha256 1a2b3c4d)`."""
        return f"{self.shown} (sha256 {self.digest})" if self.digest else self.shown

    @property
    def account_part(self) -> str:
        """What newer keys of one account have in common: the account's id without `acct_`.

        Stripe does not document it; older keys have none, and this is empty.

        >>> read_form("sk_test_51HabcDEF01234567" + "x" * 80).account_part
        '1HabcDEF01234567'
        """
        prefix = _PREFIX.match(self.text)
        body = self.text[prefix.end() :] if prefix else ""
        if self.kind is Kind.WEBHOOK or len(body) < _NEWER or not body.startswith("51"):
            return ""
        return body[1:17]


_TITLES = {
    Role.SECRET: "secret key",
    Role.PUBLISHABLE: "publishable key",
    Role.WEBHOOK: "webhook secret",
}
_KINDS_OF = {
    Role.SECRET: (Kind.SECRET, Kind.RESTRICTED),
    Role.PUBLISHABLE: (Kind.PUBLISHABLE,),
    Role.WEBHOOK: (Kind.WEBHOOK,),
}
_PREFIX = re.compile(r"(?:(?:sk|rk|pk)_(?:live|test)_|whsec_)")
_KINDS = {
    "sk_": Kind.SECRET,
    "rk_": Kind.RESTRICTED,
    "pk_": Kind.PUBLISHABLE,
    "whs": Kind.WEBHOOK,
}
_QUOTES = "\"'`“”‘’"
# The oldest keys have 24 characters after the prefix, a webhook secret 32.
_SHORTEST = 24
_SHORTEST_SECRET = 20  # shown in examples of older accounts; shorter is none
_NEWER = 60  # keys with the account in them have about 99
_SHOWN_FROM = 12
_HASHED_FROM = 16
_PLACEHOLDER = re.compile(
    r"(?i)change[-_]?me|your[-_]|example|placeholder|dummy|replace|insert[-_]?|todo[-_]|<|\.\.\."
    r"|x{6,}|0{8,}|1234567890|redacted|abcdefghij"
)
# In a short text, which is no key anyway.
_SHORT_PLACEHOLDER = re.compile(r"(?i)x{3,}|test|todo|fake|none|null|key|secret|123|abc|foo")
_NOT_SET = re.compile(r"(?i)<.*>|\.+|x+|change[-_]?me|todo|none|null|undefined|your[-_ ].*|tbd")


def read_form(text: str) -> Form:
    """Kind, mode and faults of a text that stands where a key is expected.

    >>> form = read_form("'sk_test_" + "4eC39HqLyjWDarjtT1zdp7dc'")
    >>> form.kind, form.mode, form.faults
    (<Kind.SECRET: 'secret'>, 'test', (<Fault.QUOTED: 'stands in quotes that are taken as part \
of it'>,))
    """
    bare = text.strip()
    faults = [Fault.BLANKS] if bare != text else []
    inner = bare.strip(_QUOTES)
    if inner != bare:
        faults.append(Fault.QUOTED)
        bare = inner.strip()
    prefix = _PREFIX.match(bare)
    kind = _KINDS[bare[:3]] if prefix else Kind.NONE
    mode = prefix.group()[3:7] if prefix and kind is not Kind.WEBHOOK else ""
    body = bare[prefix.end() :] if prefix else bare
    faults += _faults_of(bare, body, kind)
    return Form(kind, mode, tuple(faults), bare)


def is_live_environment(name: str) -> bool:
    """Whether an environment of this name takes real money: production must have live keys.

    >>> [is_live_environment(name) for name in ("Production", "prod-eu", "live", "produce", "lab")]
    [True, True, True, False, False]
    """
    return re.fullmatch(r"(?i)(?:production|prod|live)(?:[-_./ ].*)?", name) is not None


def _faults_of(bare: str, body: str, kind: Kind) -> list[Fault]:
    if not bare:
        return [Fault.EMPTY]
    if kind is Kind.NONE:
        return [Fault.PLACEHOLDER if _NOT_SET.fullmatch(bare) else Fault.NO_KEY]
    shortest = _SHORTEST_SECRET if kind is Kind.WEBHOOK else _SHORTEST
    short = len(body) < shortest
    if _PLACEHOLDER.search(body) or (short and (not body or _SHORT_PLACEHOLDER.search(body))):
        return [Fault.PLACEHOLDER]
    allowed = r"[A-Za-z0-9+/=_-]+" if kind is Kind.WEBHOOK else r"[A-Za-z0-9_]+"
    if not re.fullmatch(allowed, body):
        return [Fault.BROKEN]
    return [Fault.SHORT] if short else []
