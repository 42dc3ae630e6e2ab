"""What the tests of a replay share: events at a Stripe simulator, a ledger, Redis, and a handler.

The handler is small and real: it verifies the signature, marks an event in Redis before it handles
it, as DebtFlow does, and counts in the ledger how often it handled each payment.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import redis
import yaml

from payops.config.load import settings_from
from payops.config.settings import Settings
from payops.domain.deadline import Deadline
from payops.domain.plan import Plan
from payops.domain.plan_outcome import Applied
from payops.engine.applier import Choice, apply_plan
from payops.engine.journal import Journal
from payops.engine.planning import Planned
from payops.engine.replay import Wanted, plan_replay
from payops.engine.replay_after import reread
from payops.engine.replay_lock import ReplayLock
from payops.engine.replayer import Manner, Replayer
from payops.engine.target import check_endpoint
from payops.lab.merchant.signature import genuine
from payops.lab.stripe import objects
from payops.lab.stripe.config import Config, default_key
from payops.lab.stripe.limits import Limits
from payops.lab.stripe.simulator import Simulator
from payops.sources import Sources

SECRET = "whsec_test_of_the_replay_0123456789"
KEY = ":1:stripe_event:{event}"
SEEN = b"\x80\x05\x88."  # True as Django's cache pickles it
TTL_S = 86_400
UNLIMITED = Config(rate_limits=Limits(enabled=False))
"""A simulator that is asked as fast as a test can."""


@dataclass
class Endpoint:
    """The application's webhook. `answers` are given instead of handling, by event or in turn."""

    dsn: str
    redis_url: str
    marks: bool = True
    delay_s: float = 0.0
    swallow: bool = False
    answers: list[int] = field(default_factory=list)
    answer_of: dict[str, int] = field(default_factory=dict)
    location: str = ""
    before: Callable[[str], None] = lambda event: None
    arrived: list[tuple[str, float]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    refused: int = 0

    def __post_init__(self) -> None:
        endpoint = self
        self._lock = threading.Lock()
        self._redis = redis.Redis.from_url(self.redis_url)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = endpoint.receive(body, dict(self.headers))
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", endpoint.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                return

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *args: object) -> None:
                """A payops that was killed hung up."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhook"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def receive(self, body: bytes, headers: dict[str, str]) -> int:
        """The status to answer."""
        if not genuine(headers.get("Stripe-Signature", ""), body, (SECRET,)):
            self.refused += 1
            return 400
        event = json.loads(body)
        with self._lock:
            self.arrived.append((event["id"], time.monotonic()))
            self.bodies.append(body)
            self.headers.append(headers)
            answer = self.answer_of.get(event["id"]) or (self.answers.pop(0) if self.answers else 0)
        if answer:
            return answer
        self.before(event["id"])
        if self.marks:
            name = KEY.format(event=event["id"])
            if not self._redis.set(name, SEEN, nx=True, ex=TTL_S):
                return 200
        time.sleep(self.delay_s)
        if not self.swallow:
            self.handle(event)
        return 200

    def handle(self, event: dict[str, Any]) -> None:
        """Write it into the ledger, and count."""
        status = {
            "payment_intent.succeeded": "completed",
            "payment_intent.payment_failed": "failed",
        }[event["type"]]
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(
                "UPDATE payments SET status = %s, handled = handled + 1 WHERE processor_ref = %s",
                (status, event["data"]["object"]["id"]),
            )

    @property
    def events(self) -> list[str]:
        """What arrived, in order."""
        return [event for event, _ in self.arrived]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._redis.close()


@dataclass
class Till:
    """Everything that a replay needs, on loopback."""

    dsn: str
    sql: psycopg.Connection[Any]
    redis_url: str
    redis: redis.Redis
    simulator: Simulator
    endpoint: Endpoint
    folder: Path
    made: int = 0

    def raw(self, **sections: Any) -> dict[str, Any]:
        """The configuration as the file would hold it."""
        webhooks = {
            "endpoints": [{"name": "till", "url": self.endpoint.url, "secret": SECRET}],
            "needs": ["payment_intent.succeeded", "payment_intent.payment_failed"],
            "dedupe": {"key": KEY, "marked": "before"},
            **sections.pop("webhooks", {}),
        }
        return {
            "environment": "test",
            "postgres": {"dsn": self.dsn, "write_dsn": self.dsn},
            "redis": {"url": self.redis_url},
            "stripe": {
                "secret_key": default_key(),
                "api_base": self.simulator.url,
                "max_requests_per_second": 100,
            },
            "ledgers": {
                "payments": {
                    "table": "payments",
                    "columns": {
                        "id": "id",
                        "status": "status",
                        "amount": "amount",
                        "created_at": "created_at",
                        "processor_ref": "processor_ref",
                    },
                    "amount_unit": "minor",
                    "currency": "usd",
                    "statuses": {
                        "pending": ["pending"],
                        "succeeded": ["completed"],
                        "failed": ["failed"],
                        "refunded": ["refunded"],
                    },
                }
            },
            "webhooks": webhooks,
            "paths": {"state": str(self.folder / "state")},
            **sections,
        }

    def settings(self, **sections: Any) -> Settings:
        return settings_from(self.raw(**sections))

    def config(self, **sections: Any) -> Path:
        path = self.folder / "payops.yaml"
        path.write_text(yaml.safe_dump(self.raw(**sections)))
        path.chmod(0o600)
        return path

    @property
    def journal(self) -> Journal:
        return Journal(self.folder / "state")

    def lost(
        self,
        count: int = 1,
        *,
        type: str = "payment_intent.succeeded",
        status: str = "pending",
        marked: bool = True,
        age_s: int = 600,
        intent: str = "",
        **event: Any,
    ) -> list[str]:
        """Payments that succeeded, of which the ledger knows nothing: the events' ids, oldest
        first. `marked` sets each dedupe key, as a handler that failed left it."""
        ids = []
        for _ in range(count):
            self.made += 1
            n = self.made
            pi = intent or f"pi_till{n:06}"
            created = int(time.time()) - age_s + (n if n < age_s - 100 else 0)
            about = objects.payment_intent(
                id=pi,
                amount=1000 + n,
                currency="usd",
                status="succeeded" if type.endswith("succeeded") else "requires_payment_method",
                created=created,
                livemode=False,
            )
            id_ = f"evt_till{n:06}"
            made = {
                **objects.event(
                    id=id_,
                    type=type,
                    data_object=about,
                    created=created,
                    livemode=False,
                    pending_webhooks=1,
                ),
                **event,
            }
            self.simulator.store.put(made, livemode=bool(made["livemode"]))
            if not intent:
                self.sql.execute(
                    "INSERT INTO payments (id, status, amount, processor_ref) "
                    "VALUES (%s, %s, %s, %s)",
                    (uuid.UUID(int=n), status, 1000 + n, pi),
                )
            if marked:
                self.redis.set(KEY.format(event=id_), SEEN, ex=TTL_S - age_s)
            ids.append(id_)
        return ids

    def handled(self) -> list[int]:
        """How often each payment was handled: the different numbers."""
        row = self.sql.execute("SELECT array_agg(DISTINCT handled ORDER BY handled) FROM payments")
        found = row.fetchone()
        assert found is not None
        return list(found[0])

    def plan(self, *events: str, **more: Any) -> Planned:
        """The plan of a replay, by this process."""
        settings = self.settings(**more.pop("sections", {}))
        sources = Sources(settings, Deadline.after(20))
        given: dict[str, Any] = {
            "endpoint": None,
            "by_stripe": False,
            "force_order": False,
            "command": "payops test",
            "now": datetime.now(UTC),
            **more,
        }
        wanted = given.pop("wanted", None) or Wanted(events=events)
        try:
            return plan_replay(settings, sources, wanted, **given)
        finally:
            sources.close()

    def apply(self, plan: Plan, manner: Manner | None = None, **more: Any) -> Applied:
        """Send a plan's events, by this process, and read the ledger again."""
        settings = self.settings(**more.pop("sections", {}))
        sources = Sources(settings, Deadline.after(60))
        manner = manner or Manner(per_second=1000, settle_s=0.5)
        endpoint = check_endpoint(plan, settings)
        lock = ReplayLock(settings, self.journal.folder, "tester@here", plan.target.fingerprint)
        replayer = Replayer(settings, sources, endpoint, plan, lock, manner)
        try:
            applied = apply_plan(
                plan, replayer, self.journal, Choice(**more), who="tester@here", stop=manner.stop
            )
            if more.get("dry_run"):
                return applied
            return reread(
                settings, sources, self.journal, plan, applied, replayer.events, patience_s=0.5
            )
        finally:
            replayer.close()
            sources.close()


@contextmanager
def till(
    dsn: str, sql: psycopg.Connection[Any], redis_url: str, simulator: Simulator, folder: Path
) -> Iterator[Till]:
    """A till with an empty ledger, an empty Redis and no events."""
    sql.execute("DROP TABLE IF EXISTS payments, webhook_events")
    sql.execute(
        "CREATE TABLE payments (id uuid PRIMARY KEY, status text NOT NULL, amount bigint NOT NULL,"
        " handled integer NOT NULL DEFAULT 0, processor_ref text UNIQUE,"
        " created_at timestamptz NOT NULL DEFAULT now() - interval '1 hour')"
    )
    client = redis.Redis.from_url(redis_url)
    client.flushall()
    for kind in ("event", "webhook_endpoint"):
        simulator.store.db.execute("DELETE FROM objects WHERE kind = ?", (kind,))
    endpoint = Endpoint(dsn, redis_url)
    try:
        yield Till(dsn, sql, redis_url, client, simulator, endpoint, folder)
    finally:
        endpoint.close()
        client.close()


def words(applied: Applied) -> list[str]:
    """What became of each event, in order."""
    return [outcome.result.value for _, outcome in applied.outcomes]
