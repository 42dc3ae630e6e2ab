"""The form of the configured keys: what `config check` refuses though the file can be loaded.

Loading does not refuse it, so that `payops keys check` can say more.
"""

from __future__ import annotations

from collections.abc import Iterator

from payops.config.settings import Settings
from payops.domain.stripe_key import Fault, Role, read_form
from payops.errors import ConfigError

# Right in kind, so that an example or a test may hold it; `keys check` tells these too.
_TOLERATED = frozenset({Fault.PLACEHOLDER, Fault.SHORT})


def refuse_wrong_keys(settings: Settings) -> None:
    """Raises ConfigError for the first key that cannot be one: in quotes, of the wrong kind, no key
    at all."""
    for path, wrong in _wrong(settings):
        raise ConfigError(wrong, path=path, hint="`payops keys check` tells more")


def _wrong(settings: Settings) -> Iterator[tuple[str, str]]:
    for path, role, text in _keys(settings):
        form = read_form(text)
        for fault in form.faults:
            if fault not in _TOLERATED:
                yield path, fault.value
        if form.kind not in role.kinds and not form.faults:
            expected = " or ".join(kind.value for kind in role.kinds)
            yield path, f"is a {form.kind.value} key where a {expected} one belongs"


def _keys(settings: Settings) -> Iterator[tuple[str, Role, str]]:
    stripe = settings.stripe
    if stripe is not None:
        yield Role.SECRET.value, Role.SECRET, stripe.secret_key.reveal()
        if stripe.publishable_key:
            yield Role.PUBLISHABLE.value, Role.PUBLISHABLE, stripe.publishable_key
        for index, secret in enumerate(stripe.webhook_secrets):
            yield f"{Role.WEBHOOK.value}[{index}]", Role.WEBHOOK, secret.reveal()
    for index, endpoint in enumerate(settings.webhooks.endpoints):
        if endpoint.secret is not None:
            path = f"webhooks.endpoints[{index}].secret"
            yield path, Role.WEBHOOK, endpoint.secret.reveal()
