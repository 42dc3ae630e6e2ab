"""API keys: who may ask what."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from payops.lab.stripe.errors import StripeError

# The permission that Stripe's message names, by the resource as the configuration names it.
_PERMISSION_NAMES = {
    "account": "rak_accounts_kyc_basic",
    "accounts": "rak_accounts_kyc_basic",
    "balance": "rak_balance",
    "balance_transactions": "rak_balance_transaction_source",
    "webhook_endpoints": "rak_webhook",
}


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key. `permissions` is None for a key that may do all, else resource -> read|write.

    `account` is another than the simulator's own, which sees nothing of it; empty is its own.
    """

    key: str
    livemode: bool
    permissions: Mapping[str, str] | None = None
    revoked: bool = False
    account: str = ""

    def require(self, resource: str, access: str, account: str) -> None:
        """Raises StripeError 403, naming what is missing, unless the key may do this.

        `access` is read or write; write includes read.
        """
        if self.permissions is None or resource == "":
            return
        granted = self.permissions.get(resource, "none")
        if granted in ("write", access):
            return
        singular = resource.removesuffix("s")
        permission = f"{_PERMISSION_NAMES.get(resource, 'rak_' + singular)}_{access}"
        raise StripeError(
            403,
            f"The provided key '{masked(self.key, 6)}' does not have the required permissions "
            f"for this endpoint on account '{account}'. Having the '{permission}' permission "
            "would allow this request to continue.",
        )


def masked(key: str, shown: int = 4) -> str:
    """A key as Stripe names it in messages: prefix, stars, its last characters."""
    parts = key.split("_")
    prefix = "_".join(parts[:2]) + "_" if len(parts) > 2 else ""
    rest = key[len(prefix) :]
    return prefix + "*" * max(len(rest) - shown, 4) + rest[-shown:]


class Keyring:
    """The keys of the configuration, and what was changed since: that outlives a restart."""

    def __init__(self, keys: Iterable[ApiKey], changes: Mapping[str, Any] | None = None) -> None:
        self._configured = {key.key: key for key in keys}
        self.changes: dict[str, dict[str, Any]] = dict(changes or {})

    def all(self) -> list[ApiKey]:
        """Every key as it is now."""
        return [self._current(key) for key in {**self._configured, **self.changes}]

    def change(self, key: str, change: Mapping[str, Any]) -> ApiKey:
        """Change or add a key: any of livemode, permissions, revoked, account. Returns it as it is
        now; `removed` takes one away that was added."""
        if change.get("removed"):
            removed = self._current(key)
            self.changes.pop(key, None)
            return removed
        self.changes[key] = {**self.changes.get(key, {}), **change}
        return self._current(key)

    def heal(self) -> None:
        """Undo the revocations and permission changes; keys that were added stay."""
        self.changes = {
            key: {"livemode": self._current(key).livemode}
            for key in self.changes
            if key not in self._configured
        }

    def authenticate(self, authorization: str, *, publishable: bool = False) -> ApiKey:
        """The key of an Authorization header, Bearer or Basic. `publishable` tells that what is
        asked is open to a publishable key: a PaymentIntent by its client secret.

        Raises StripeError 401, and 403 for a publishable key where none will do.
        """
        given = _credential(authorization)
        if not given:
            raise _refused(
                "You did not provide an API key. You need to provide your API key in the "
                "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
                "YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, "
                "or we can help at https://support.stripe.com/."
            )
        if given not in self._configured and given not in self.changes:
            raise _refused(f"Invalid API Key provided: {masked(given)}")
        key = self._current(given)
        if key.revoked:
            raise _refused(f"Expired API Key provided: {masked(given)}", code="api_key_expired")
        if given.startswith("pk_") and not publishable:
            # A 403, as the reports of clients' errors have it: the key is known.
            raise StripeError(
                403,
                "This API call cannot be made with a publishable API key. Please use a secret "
                "API key. You can find a list of your API keys at "
                "https://dashboard.stripe.com/account/apikeys.",
                code="secret_key_required",
            )
        return key

    def _current(self, key: str) -> ApiKey:
        base = self._configured.get(key) or ApiKey(key, livemode="_live_" in key)
        return replace(base, **self.changes.get(key, {}))


def _credential(authorization: str) -> str:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def _refused(message: str, code: str | None = None) -> StripeError:
    return StripeError(
        401, message, code=code, headers=(("WWW-Authenticate", 'Basic realm="Stripe"'),)
    )
