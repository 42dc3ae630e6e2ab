"""Webhook endpoints and the queue of events that they are owed."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from payops.lab.stripe import objects
from payops.lab.stripe.clock import Clock
from payops.lab.stripe.config import Delivery
from payops.lab.stripe.objects import StripeObject
from payops.lab.stripe.rows import scope as scope_of
from payops.lab.stripe.store import Store, encode


@dataclass(frozen=True, slots=True)
class Due:
    """One delivery whose turn has come."""

    event: str
    endpoint: str
    attempts: int


class Webhooks:
    """Endpoints, their secrets and deliveries; all of it is in the store.

    `wake` is called when a delivery has been queued. Events of the types in `muted` are not made:
    as Stripe may never generate one.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        delivery: Delivery,
        *,
        wake: Callable[[], None] = lambda: None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.delivery = delivery
        self.wake = wake
        self.muted: frozenset[str] = frozenset()

    # Endpoints

    def configure(self, endpoints: Iterable[Mapping[str, Any]], default_livemode: bool) -> None:
        """Make or update the endpoints of the configuration.

        One that is there already keeps its status: a disabled endpoint stays so over a restart.
        """
        for given in endpoints:
            self.change_endpoint(
                str(given["id"]),
                {"livemode": default_livemode, **given, **self._kept_status(str(given["id"]))},
            )

    def _kept_status(self, id_: str) -> dict[str, str]:
        body = self.store.body(id_, kind="webhook_endpoint")
        return {} if body is None else {"status": self.store.get(id_)["status"]}

    def change_endpoint(self, id_: str, change: Mapping[str, Any]) -> StripeObject:
        """Change an endpoint, or make it when `url` is given; the endpoint as it is now.

        `change` has any of url, secret, enabled_events, status, livemode, description. Raises
        KeyError when there is no such endpoint and no url to make it of.
        """
        fields = {name: value for name, value in change.items() if name not in ("id", "secret")}
        try:
            made = {**self.store.get(id_, kind="webhook_endpoint"), **fields}
        except KeyError:
            if "url" not in fields:
                raise
            made = objects.webhook_endpoint(
                id=id_, **{"livemode": False, "created": int(self.clock.now()), **fields}
            )
        self.store.put(made)
        if "secret" in change:
            secrets = self.secrets()
            secrets[id_] = str(change["secret"])
            self.store.save_setting("endpoint_secrets", secrets)
        return made

    def remove_endpoint(self, id_: str) -> None:
        """Delete an endpoint, its secret and what it is owed; nothing happens when it is gone."""
        with self.store.transaction():
            self.store.delete(id_)
            self.store.db.execute("DELETE FROM deliveries WHERE endpoint = ?", (id_,))
            secrets = {name: secret for name, secret in self.secrets().items() if name != id_}
            self.store.save_setting("endpoint_secrets", secrets)

    def secrets(self) -> dict[str, str]:
        """Signing secrets by endpoint."""
        found: dict[str, str] = self.store.setting("endpoint_secrets", {})
        return found

    def endpoints(self, scope: str) -> list[StripeObject]:
        """The endpoints of a scope."""
        found = self.store.db.execute(
            "SELECT id FROM objects WHERE kind = 'webhook_endpoint' AND scope = ?", (scope,)
        )
        return [self.store.get(id_) for (id_,) in found.fetchall()]

    # Deliveries

    def publish(self, event: StripeObject, account: str | None = None) -> None:
        """Store an event and queue it for every enabled endpoint that listens to its type.

        Stripe: an event made while an endpoint was disabled is never sent to it.
        """
        listening = [
            endpoint["id"]
            for endpoint in self.endpoints(scope_of(bool(event["livemode"])))
            if endpoint["status"] == "enabled"
            and {"*", event["type"]} & set(endpoint["enabled_events"])
        ]
        event["pending_webhooks"] = len(listening)
        with self.store.transaction():
            self.store.put_encoded([encode(event)], account=account)
            for endpoint in listening:
                self.queue(event["id"], endpoint)

    def queue(self, event: str, endpoint: str) -> None:
        """Send an event to an endpoint now, be it the first time or again."""
        self.store.db.execute(
            """INSERT INTO deliveries (event, endpoint, state, next_at)
               VALUES (?, ?, 'pending', ?)
               ON CONFLICT (event, endpoint) DO UPDATE SET state = 'pending', next_at = ?""",
            (event, endpoint, time.time(), time.time()),
        )
        self.wake()

    def change_deliveries(
        self, made: Iterable[Mapping[str, Any]], removed: Iterable[str] = ()
    ) -> None:
        """Set deliveries as `dump` tells them, and remove all those of the events `removed`.

        Raises KeyError for one without event or endpoint.
        """
        names = ("event", "endpoint", "state", "attempts", "next_at", "last_status", "last_error")
        usual = {"state": "pending", "attempts": 0, "next_at": time.time()}
        with self.store.transaction():
            self.store.db.executemany(
                "DELETE FROM deliveries WHERE event = ?", [(id_,) for id_ in removed]
            )
            self.store.db.executemany(
                f"INSERT OR REPLACE INTO deliveries ({', '.join(names)}, delivered) "  # noqa: S608
                f"VALUES ({', '.join('?' * len(names))}, ?)",
                [
                    (
                        *(one["event"], one["endpoint"]),
                        *({**usual, **one}.get(name) for name in names[2:]),
                        one.get("state") == "succeeded",
                    )
                    for one in made
                ],
            )
        self.wake()

    def due(self, limit: int, busy: Iterable[tuple[str, str]]) -> list[Due]:
        """Deliveries whose time has come, the most overdue first, without the `busy` ones."""
        skipped = set(busy)
        found = self.store.db.execute(
            """SELECT event, endpoint, attempts FROM deliveries
               WHERE state = 'pending' AND next_at <= ? ORDER BY next_at LIMIT ?""",
            (time.time(), limit + len(skipped)),
        )
        return [Due(*row) for row in found if (row[0], row[1]) not in skipped][:limit]

    def next_at(self) -> float | None:
        """When the next delivery is due, in epoch seconds."""
        found = self.store.db.execute(
            "SELECT min(next_at) FROM deliveries WHERE state = 'pending'"
        ).fetchone()
        return None if found is None else found[0]

    def stop(self, due: Due, reason: str) -> None:
        """Take a delivery out of the queue for good: its endpoint is disabled or gone."""
        self.store.db.execute(
            "UPDATE deliveries SET state = 'stopped', last_error = ? "
            "WHERE event = ? AND endpoint = ?",
            (reason, due.event, due.endpoint),
        )

    def record(self, due: Due, status: int | None, error: str | None) -> None:
        """Keep the result of an attempt: `status` is the HTTP status, None when none came.

        Stripe: everything but 2xx is a failure, 3xx included.
        """
        attempts = due.attempts + 1
        delivered = status is not None and 200 <= status < 300
        if delivered:
            state, next_at = "succeeded", None
        elif attempts >= self.delivery.attempts:
            state, next_at = "failed", None
        else:
            delay = min(self.delivery.base_s * 2.0 ** (attempts - 1), self.delivery.cap_s)
            state, next_at = "pending", time.time() + delay
        with self.store.transaction():
            first = self.store.db.execute(
                "SELECT delivered = 0 FROM deliveries WHERE event = ? AND endpoint = ?",
                (due.event, due.endpoint),
            ).fetchone()
            self.store.db.execute(
                """UPDATE deliveries SET state = ?, attempts = ?, next_at = ?, last_status = ?,
                   last_error = ?, delivered = max(delivered, ?)
                   WHERE event = ? AND endpoint = ?""",
                (state, attempts, next_at, status, error, delivered, due.event, due.endpoint),
            )
            if delivered and first is not None and first[0]:
                self._count_down(due.event)

    def _count_down(self, event: str) -> None:
        found = self.store.db.execute("SELECT scope FROM objects WHERE id = ?", (event,)).fetchone()
        if found is None:
            return
        made = self.store.get(event)
        made["pending_webhooks"] = max((made.get("pending_webhooks") or 0) - 1, 0)
        self.store.put(made, account=str(found[0]).partition("/")[2] or None)

    def dump(self, event: str | None = None, limit: int = 1000) -> list[dict[str, Any]]:
        """So many deliveries (or those of one event) as JSON."""
        names = ("event", "endpoint", "state", "attempts", "next_at", "last_status", "last_error")
        found = self.store.db.execute(
            f"SELECT {', '.join(names)} FROM deliveries "  # noqa: S608  names are ours
            "WHERE ? IS NULL OR event = ? LIMIT ?",
            (event, event, limit),
        )
        return [dict(zip(names, row, strict=True)) for row in found]
