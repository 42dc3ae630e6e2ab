"""Secrets that do not show themselves, and the one redactor that every sink passes through."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import quote, quote_plus, unquote, urlsplit

MASK = "[redacted]"

# Every secret ever made, so that a redactor knows them wherever they turn up.
_known: set[str] = set()
_whole_word: set[str] = set()
_compiled: re.Pattern[str] | None = None
# Common words as passwords (`postgres`): masked next to `password=` or in a URL only, since masking
# the bare word would blot out half of every report and tell the password by its absence.
_COMMON = frozenset(
    {"postgres", "redis", "stripe", "payops", "password", "secret", "admin", "root", "test", "user"}
)
_SHORTEST = 4


class Secret:
    """A text that must not be shown: `repr` and `str` are masked, `reveal()` gives the text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text
        remember(text)

    def reveal(self) -> str:
        """The secret itself, for the client library that needs it and nothing else."""
        return self._text

    def describe(self) -> str:
        """What may be shown of it: of a URL all but its password, of a key its fingerprint."""
        return masked_url(self._text) if "://" in self._text else fingerprint(self._text)

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def fingerprint(key: str) -> str:
    """A key by its public prefix, last 4 and a short hash: `sk_live_…4242 (sha256 1a2b3c4d)`."""
    digest = hashlib.sha256(key.encode()).hexdigest()[:8]
    prefix = re.match(r"(?:[a-z]{2,5}_)(?:live_|test_)?", key)
    if prefix is None or len(key) < 16:
        return f"(sha256 {digest})"
    return f"{prefix.group()}…{key[-4:]} (sha256 {digest})"


def masked_url(url: str) -> str:
    """A URL or DSN without its password: `postgresql://app:[redacted]@db/shop`."""
    masked = re.sub(r"(?<=://)([^/@\s:]*):([^/\s]*)@", rf"\1:{MASK}@", url)
    return re.sub(r"(?i)\b(password|sslpassword|secret|token)=[^&\s]+", rf"\1={MASK}", masked)


def remember(text: str) -> None:
    """Add a secret, and the password inside it if it is a URL or a DSN, to what is redacted."""
    global _compiled  # noqa: PLW0603  one process, one set of secrets
    _compiled = None
    _known.add(text)
    if "://" in text:
        try:
            parts = urlsplit(text)
            password = parts.password
        except ValueError:
            password = None
        if password:
            _remember_password(password)
            _remember_password(unquote(password))
    for match in re.finditer(r"(?i)\bpassword\s*=\s*('(?:[^'\\]|\\.)*'|[^\s&]+)", text):
        _remember_password(re.sub(r"\\(.)", r"\1", match.group(1).strip("'")))


def _remember_password(password: str) -> None:
    if len(password) < _SHORTEST or password.lower() in _COMMON:
        _whole_word.add(password)
    else:
        _known.update({password, quote(password, safe=""), quote_plus(password)})


# Shapes that are secrets wherever they come from (STRIPE.md, 'Keys'; Stripe's client secrets).
_SHAPES = (
    r"\b(?:sk|rk)_(?:test|live|prod)_[A-Za-z0-9_]{6,}",
    r"\bwhsec_[A-Za-z0-9+/=]{8,}",
    r"\b(?:pi|seti|cs_(?:test|live))_[A-Za-z0-9]+_secret_[A-Za-z0-9]+",
    r"(?i:\bbearer\s+)[A-Za-z0-9._~+/=-]{12,}",
)
_IN_URL = re.compile(r"(?<=://)([^/@\s:\"']*):([^/\s\"']+)@")
_IN_DSN = re.compile(r"(?i)\b(password|sslpassword)(\s*[=:]\s*)('(?:[^'\\]|\\.)*'|[^\s&\"',;)]+)")


def redact(text: str) -> str:
    """`text` with every known secret and everything shaped like one replaced.

    Stripe's keys keep prefix and last 4, so that a person can tell which one it was; passwords
    vanish whole.
    """
    global _compiled  # noqa: PLW0603
    if _compiled is None:
        values = sorted((v for v in _known if len(v) >= _SHORTEST), key=len, reverse=True)
        _compiled = re.compile("|".join([*map(re.escape, values), *_SHAPES]))
    text = _compiled.sub(lambda match: _stand_in(match.group()), text)
    text = _IN_URL.sub(rf"\1:{MASK}@", text)
    return _IN_DSN.sub(rf"\1\2{MASK}", text)


def _stand_in(found: str) -> str:
    if "://" in found:
        return masked_url(found)
    if "_secret_" in found or found[:6].lower() == "bearer":
        return MASK
    prefix = re.match(r"(?:sk|rk|pk|whsec)_(?:(?:test|live|prod)_)?", found)
    if prefix and len(found) - len(prefix.group()) >= 12:
        return f"{prefix.group()}…{found[-4:]}"
    return MASK
