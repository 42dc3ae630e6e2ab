"""The configuration's own secrets, in the forms in which a log may hold them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote, unquote, urlsplit

from payops.config.settings import Settings
from payops.domain.secret import fingerprint
from payops.keys.patterns import KnownSecret

_SHORTEST = 8
_LONGEST = 256  # of a longer one its beginning is enough to know it
# `postgres` and `password` are in every log. What could be a word is no secret to search for.
_A_WORD = re.compile(r"[a-z]{1,11}|[A-Z][a-z]{1,10}|[A-Z]{1,11}|[0-9]{1,11}")


def known_secrets(settings: Settings) -> tuple[tuple[KnownSecret, ...], tuple[str, ...]]:
    """What is searched for in its exact text, and the names of what cannot be.

    A secret of fewer than 8 characters, or one that is a plain word or number, would be found
    everywhere.
    """
    found: dict[bytes, KnownSecret] = {}
    too_plain: list[str] = []
    for name, text in _configured(settings):
        if len(text) < _SHORTEST or _A_WORD.fullmatch(text):
            too_plain.append(name)
            continue
        for form in _forms(text):
            found.setdefault(form, KnownSecret(name, form, _shown(name, text)))
    return tuple(found.values()), tuple(dict.fromkeys(too_plain))


def _configured(settings: Settings) -> Iterator[tuple[str, str]]:
    if settings.stripe is not None:
        yield "stripe.secret_key", settings.stripe.secret_key.reveal()
        for number, secret in enumerate(settings.stripe.webhook_secrets):
            yield f"stripe.webhook_secrets[{number}]", secret.reveal()
    for number, endpoint in enumerate(settings.webhooks.endpoints):
        if endpoint.secret is not None:
            yield f"webhooks.endpoints[{number}].secret", endpoint.secret.reveal()
    if settings.postgres is not None:
        for each, dsn in (
            ("dsn", settings.postgres.dsn),
            ("write_dsn", settings.postgres.write_dsn),
        ):
            if dsn is not None and (password := _password(dsn.reveal())):
                yield f"postgres.{each} (password)", password
    if settings.redis is not None and (password := _password(settings.redis.url.reveal())):
        yield "redis.url (password)", password


def _password(dsn: str) -> str:
    """The password in a URL, or in libpq's `key=value`; empty when it has none."""
    if "://" in dsn:
        try:
            inside = urlsplit(dsn).password
        except ValueError:
            inside = None
        if inside:
            return unquote(inside)
        query = re.search(r"[?&]password=([^&\s]+)", dsn)
        return unquote(query.group(1)) if query else ""
    match = re.search(r"\bpassword\s*=\s*(?:'((?:[^'\\]|\\.)*)'|(\S+))", dsn)
    if match is None:
        return ""
    return re.sub(r"\\(.)", r"\1", match.group(1) if match.group(1) is not None else match.group(2))


def _forms(text: str) -> set[bytes]:
    """As it is, percent-encoded, in JSON."""
    forms = {text, quote(text, safe=""), json.dumps(text)[1:-1]}
    return {form.encode("utf-8", "surrogatepass")[:_LONGEST] for form in forms}


def _shown(name: str, text: str) -> str:
    """Of a password no character, only a hash, and of a short one, that could be guessed, none."""
    if name.startswith(("stripe.", "webhooks.")):
        return fingerprint(text)
    hashed = fingerprint("\0" + text)  # never a prefix or last 4
    return "password" if len(text) < 16 else f"password {hashed}".replace("…", "")
