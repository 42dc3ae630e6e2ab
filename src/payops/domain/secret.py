"""Secrets that do not show themselves, and the one redactor that every sink passes through."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote, urlsplit

from payops.domain.text import harmless, shortened

MASK = "[redacted]"

# Every secret ever made, in each form it may turn up in, so that a redactor knows it anywhere.
_known: set[str] = set()
_compiled: re.Pattern[str] | None = None
_lock = threading.Lock()  # checks run in threads, and each may make or redact secrets
# Common words as passwords (`postgres`): masked next to `password=` or in a URL only, since masking
# the bare word would blot out half of every report and tell the password by its absence.
_COMMON = frozenset(
    {"postgres", "redis", "stripe", "payops", "password", "secret", "admin", "root", "test", "user"}
)
_SHORTEST = 4
# Of a URL: up to the last @, since a password pasted without percent-encoding may hold /, @ and
# spaces itself; but `host:443/path?by=a@b` is a port.
_CREDENTIALS = re.compile(r"(?<=://)([^/@\s:]*):(?![0-9]+/)(.*)@")
_SHORTEST_PART = 8  # of an address: a token or an id, not `ping` or `hooks`
_SHORTEST_LINE = 16  # of a secret of several lines, each line this long is a secret of its own


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

    def __format__(self, specification: str) -> str:
        return format(str(self), specification)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def fingerprint(key: str) -> str:
    """A key by its public prefix, last 4 and a short hash: `sk_live_…4242 (sha256 1a2b3c4d)`.

    Of a text shorter than 16 characters nothing is shown: the hash of a short one can be guessed.
    """
    if len(key) < 16:
        return MASK
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    prefix = re.match(r"(?:[a-z]{2,5}_)(?:live_|test_)?", key)
    if prefix is None:
        return f"(sha256 {digest})"
    return f"{prefix.group()}…{key[-4:]} (sha256 {digest})"


def masked_url(url: str) -> str:
    """A URL or DSN without its password: `postgresql://app:[redacted]@db/shop`.

    A password with an unescaped `/` or `@` in it is not a valid URL and is masked all the same.
    """
    masked = _CREDENTIALS.sub(rf"\1:{MASK}@", url)
    masked = _IN_QUERY.sub(_query_masked, masked)
    return _IN_DSN.sub(_dsn_masked, masked)


def remember(text: str) -> None:
    """Add a secret, and the password inside it if it is a URL or a DSN, to what is redacted.

    An empty text is no secret. One below 4 characters, or a common word such as `postgres`, is
    masked only where its place shows what it is: beside `password=`, or in a URL.
    """
    global _compiled  # noqa: PLW0603  one process, one set of secrets
    found = {form for secret in _secrets_in(text) for form in _forms(secret)}
    with _lock:
        if not found <= _known:
            _known.update(found)
            _compiled = None


def remember_url(url: str) -> None:
    """Add what is secret inside an address that is none itself: its password, `?token=…`."""
    values = [match.group(2) for match in _IN_QUERY.finditer(url)]
    values += [match.group(2) for match in _CREDENTIALS.finditer(url)]
    for value in values:
        remember(value)
        remember(unquote(value))


def remember_address(url: str) -> None:
    """Add an address that is a secret itself, since whoever has it can post there (a chat's
    webhook, a heartbeat): all of it behind the scheme, and each long part but the host's name."""
    scheme, sign, rest = url.partition("://")
    rest = rest if sign else scheme
    host, *others = re.split(r"[/?&=@:#,]", rest)
    if others:
        remember(rest)
    for part in (host, *others):
        if len(part) >= _SHORTEST_PART and "." not in part:
            remember(part)


def _secrets_in(text: str) -> Iterator[str]:
    """`text`, the passwords in it, and the long lines of it."""
    yield text
    if len(text.splitlines()) > 1:
        lines = (line.strip() for line in text.splitlines())
        yield from (x for x in lines if len(x) >= _SHORTEST_LINE and not x.startswith("-----"))
    if "://" in text:
        for match in _CREDENTIALS.finditer(text):
            yield from {match.group(2), unquote(match.group(2))}
        try:
            password = urlsplit(text).password or ""
        except ValueError:
            password = ""
        yield from {password, unquote(password)}
        for match in re.finditer(r"(?i)[?&](?:ssl)?password=([^&\s]+)", text):
            yield from {match.group(1), unquote(match.group(1))}
        return
    for match in re.finditer(r"(?i)\b(?:ssl)?password\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))", text):
        value = match.group(1) if match.group(1) is not None else match.group(2)
        yield from {value, re.sub(r"\\(.)", r"\1", value)}


def _forms(secret: str) -> Iterator[str]:
    """How one secret may be written: as it is, percent-encoded, in JSON, in a repr, visible."""
    if len(secret) < _SHORTEST or secret.lower() in _COMMON or not secret.strip():
        return
    yield secret
    for safe in ("", "/"):
        encoded = quote(secret, safe=safe, errors="replace")
        yield from (encoded, re.sub(r"%[0-9A-F]{2}", lambda m: m.group().lower(), encoded))
    yield quote_plus(secret, errors="replace")
    in_json = [json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)]
    yield from in_json
    yield from (json.dumps(form, ensure_ascii=False)[1:-1] for form in in_json)  # JSON inside JSON
    yield repr(secret)[1:-1]
    yield harmless(secret)


# Shapes that are secrets wherever they come from (Stripe's keys, webhook and client secrets;
# bearer and basic credentials; a private key in PEM).
_SHAPES = (
    r"\b(?:sk|rk)_(?:test|live|prod)_[A-Za-z0-9_]{6,}",
    # also glued to what precedes it (`%3Dsk_live_…`), but not `task_test_runner`
    r"(?:sk|rk)_(?:test|live|prod)_[A-Za-z0-9]{16,}",
    r"whsec_[A-Za-z0-9+/=]{8,}",
    r"\b(?:[a-z]{2,6}_(?:test_|live_)?)[A-Za-z0-9]{8,}_secret_[A-Za-z0-9]+",
    r"(?:pi|seti|cs_(?:test|live))_[A-Za-z0-9]+_secret_[A-Za-z0-9]+",
    r"(?i:\bbearer\s+)[A-Za-z0-9._~+/=-]{12,}",
    r"(?i:\bbasic\s+)[A-Za-z0-9+/]{12,}=*",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:(?!-----)[\s\S])*(?:-----END [A-Z ]*-----)?",
)
# What redact itself writes: never taken for a secret again, so redacting twice changes nothing.
_STANDS_IN = re.compile(
    rf"{re.escape(MASK)}|(?:(?:sk|rk|pk)_(?:test|live|prod)_|whsec_)…[A-Za-z0-9+/=_]{{4}}(?!\w)"
)
_PASSES = 5  # a mask may lay open where a word begins, so what was changed is looked at again
# `PASSWORD@HOST` is how a hint writes it.
_IN_URL = re.compile(r"(?<=://)([^/@\s:\"']*):(?!PASSWORD@HOST\b)([^/\s\"']+)@")
# Parts of a URL's query that let in whoever has them.
_IN_QUERY = re.compile(
    r"(?i)([?&](?:\w*token|\w*secret|\w*password|passwd|pwd|auth|jwt|sig|signature"
    r"|(?:\w*api|access|secret)?[_-]?key)=)([^&#\s\"'<>|\\]+)"
)
_NAME = r"(?:\w*password|passwd|pwd|passphrase)"
_SECRET_NAME = r"(?:\w*secret|\w*api_?key|secret_key|(?:access|refresh|auth)_token)"  # noqa: S105
_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|\\+\"(?:[^\"\\]|\\+[^\"\\])*\\+\""
_BARE = r"(?:[^\s&\"',;\\]|[&,;](?!\s|$|\w+[=:])|\\(?!\"))+"
_IN_DSN = re.compile(
    # password=…, password: …, "password": "…", also as JSON inside a JSON string
    rf"(?i)\b({_NAME})(\\*[\"']?[ \t]*[=:][ \t]*)({_QUOTED}|{_BARE})"
    # client_secret="…", but not `stripe.secret_key: is not set`
    rf"|\b({_SECRET_NAME})(\\*[\"']?[ \t]*=[ \t]*|\\*[\"'][ \t]*:[ \t]*)({_QUOTED}|{_BARE})"
)


def redact(text: str) -> str:
    """`text` with every known secret and everything shaped like one replaced.

    Stripe's keys keep prefix and last 4, so that a person can tell which one it was; passwords
    vanish whole. Redacting what is redacted changes nothing.

    >>> redact("GET /v1/charges with sk_test_Gh7nDkL2pQ9xYz4bVc6mT8wR")
    'GET /v1/charges with sk_test_…T8wR'
    >>> redact("postgresql://app:hunter2@db/shop and password='a b'")
    'postgresql://app:[redacted]@db/shop and password=[redacted]'
    """
    for _ in range(_PASSES):
        redacted = _redacted_once(text)
        if redacted == text:
            break
        text = redacted
    return text


def excerpt(text: str, width: int) -> str:
    """`text` cut to `width` characters, redacted before: a secret that the cut went through would
    be known by nobody any more, and its first half be shown."""
    return shortened(redact(text), width)


def _redacted_once(text: str) -> str:
    pieces: list[str] = []
    end = 0
    for start, stop, stand_in in _found(text):
        pieces += (text[end:start], stand_in)
        end = stop
    text = "".join([*pieces, text[end:]])
    text = _IN_URL.sub(rf"\1:{MASK}@", text)
    text = _IN_QUERY.sub(_query_masked, text)
    return _IN_DSN.sub(_dsn_masked, text)


def _found(text: str) -> list[tuple[int, int, str]]:
    """Where secrets lie in `text`, with what stands in for each; overlapping ones as one."""
    pattern = _pattern()
    kept = [match.span() for match in _STANDS_IN.finditer(text)]
    merged: list[tuple[int, int, str]] = []
    at = 0
    for match in pattern.finditer(text):
        start, stop = match.span(1)
        while at < len(kept) and kept[at][1] <= start:  # both are in order
            at += 1
        if at < len(kept) and kept[at][0] <= start and stop <= kept[at][1]:
            continue
        if merged and start < merged[-1][1]:
            if stop > merged[-1][1]:
                merged[-1] = (merged[-1][0], stop, MASK)
            continue
        merged.append((start, stop, _stand_in(match.group(1))))
    return merged


def _pattern() -> re.Pattern[str]:
    """Every known secret and every shape. The lookahead finds those that overlap as well."""
    global _compiled  # noqa: PLW0603
    with _lock:
        if _compiled is None:
            values = sorted(_known, key=len, reverse=True)
            _compiled = re.compile(f"(?=({'|'.join([*map(re.escape, values), *_SHAPES])}))")
        return _compiled


def _stand_in(found: str) -> str:
    if "://" in found:
        return masked_url(found)
    if "_secret_" in found or found[:6].lower() in {"bearer", "basic "}:
        return MASK
    prefix = re.match(r"(?:(?:sk|rk|pk)_(?:test|live|prod)_|whsec_)", found)
    if prefix and len(found) - len(prefix.group()) >= 12 and re.fullmatch(r"\w{4}", found[-4:]):
        return f"{prefix.group()}…{found[-4:]}"
    return MASK


def _query_masked(match: re.Match[str]) -> str:
    kept = _STANDS_IN.fullmatch(match.group(2))
    return match.group() if kept else f"{match.group(1)}{MASK}"


def _dsn_masked(match: re.Match[str]) -> str:
    name, sign = match.group(1) or match.group(4), match.group(2) or match.group(5)
    value = match.group(3) or match.group(6)
    if _STANDS_IN.fullmatch(value.strip("\"'")):
        return match.group()
    # Quotes that JSON needs stay; those of a DSN vanish with the password.
    quotes = re.match(r"\\*\"", value) if value.endswith('"') else None
    edge = quotes.group() if quotes else ""
    return f"{name}{sign}{edge}{MASK}{edge}"
