"""Idempotency keys: the first answer is kept and given again.

Stripe: first status and body are kept once execution began, 500s included; another request
with the same key must have the same parameters; keys may be pruned after 24 h.
"""

import hashlib
import time
from dataclasses import dataclass

from payops.lab.stripe.errors import StripeError
from payops.lab.stripe.store import Store

KEPT_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class Kept:
    """The first answer to a key."""

    status: int
    body: bytes
    request_id: str


def digest(body: bytes) -> str:
    """What tells one request's parameters from another's."""
    return hashlib.sha256(body).hexdigest()


class Idempotency:
    """The keys in use and the answers kept, per scope."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._running: set[tuple[str, str]] = set()
        store.db.execute("DELETE FROM idempotency WHERE created < ?", (time.time() - KEPT_S,))

    def begin(self, scope: str, key: str, operation: str, parameters: str) -> Kept | None:
        """Take a key; the answer that is kept for it, if any.

        Raises StripeError 400 for other parameters or another path, 409 while the first
        request with this key is being carried out. Unless it raises or returns an answer,
        `end` must follow.
        """
        found = self.store.db.execute(
            "SELECT operation, parameters, status, body, request_id FROM idempotency "
            "WHERE scope = ? AND key = ? AND created > ?",
            (scope, key, time.time() - KEPT_S),
        ).fetchone()
        if found is not None:
            _require_same(key, found[:2], (operation, parameters))
            return Kept(*found[2:])
        if (scope, key) in self._running:
            raise StripeError(
                409,
                "There is currently another in-progress request using this Idempotent Key (that "
                "probably means you submitted twice, and the other request is still going "
                f"through): {key}. Please try again later.",
                type="idempotency_error",
                code="idempotency_key_in_use",
                headers=(("Stripe-Should-Retry", "true"),),
            )
        self._running.add((scope, key))
        return None

    def keep(self, scope: str, key: str, operation: str, parameters: str, answer: Kept) -> None:
        """Keep the answer to a key that `begin` took."""
        self.store.db.execute(
            "INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                scope,
                key,
                operation,
                parameters,
                answer.status,
                answer.body,
                answer.request_id,
                time.time(),
            ),
        )

    def end(self, scope: str, key: str) -> None:
        """Let go of a key: the request is over."""
        self._running.discard((scope, key))


def _require_same(key: str, first: tuple[str, str], now: tuple[str, str]) -> None:
    if first == now:
        return
    reason = "can only be used with the same parameters they were first used with."
    if first[0] != now[0]:
        paths = [operation.partition(" ")[2] for operation in (first[0], now[0])]
        reason = (
            "can only be used for the same endpoint they were first used for "
            f"('{paths[1]}' vs '{paths[0]}')."
        )
    raise StripeError(
        400,
        f"Keys for idempotent requests {reason} Try using a key other than '{key}' if you meant "
        "to execute a different request.",
        type="idempotency_error",
    )
