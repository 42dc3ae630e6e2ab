"""How a lab is made: four servers and their past, at once as far as one does not need another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from payops.domain.duration import utc_text
from payops.lab.configuration import write_configuration
from payops.lab.info import LabInfo
from payops.lab.options import Keys, LabOptions
from payops.lab.servers.system import Servers
from payops.lab.systems import System, system

if TYPE_CHECKING:
    from payops.lab.history import History


def make(options: LabOptions, say: Callable[[str], None]) -> LabInfo:
    """Start everything and fill it; the lab's record on disk is the last thing done.

    `say` is told what happens. Raises LabError when a server does not start; what was started then
    runs still, and is for the caller to end.
    """
    from payops.lab.history import HistoryPlan, tell
    from payops.lab.history.load import write_strings, write_tables

    servers, keys, made = Servers.of(options.dir), Keys.of(options), system(options.preset)
    for server in servers:
        server.reserve()
    opened = datetime.now(UTC)
    # Leaving the block waits for every job, failed or not: nothing starts behind our back.
    with ThreadPoolExecutor(max_workers=4, thread_name_prefix="lab") as pool:
        say("starting PostgreSQL, Redis, the Stripe simulator and the merchant application")
        redis = pool.submit(servers.redis.start)
        postgres = pool.submit(_start_postgres, servers, made)
        merchant = pool.submit(_start_merchant, keys, servers, made, (postgres, redis))
        story: History | None = None
        if options.payments:
            story = tell(
                made.plan(
                    HistoryPlan(
                        payments=options.payments,
                        since=options.since,
                        until=opened,
                        seed=options.seed,
                        livemode=options.livemode,
                        account=keys.account,
                        webhook_endpoint=keys.webhook_endpoint,
                    )
                )
            )
        stripe = pool.submit(_start_stripe, options, keys, servers, made, story)
        redis.result()
        postgres.result()
        if story is not None:
            write_strings(made.strings(story), servers.redis.url)
            write_tables(made.tables(story), servers.postgres.dsn)
        merchant.result()
        stripe.result()
    return _save(options, keys, servers, made, opened)


def _start_postgres(servers: Servers, made: System) -> None:
    from payops.lab.history.load import run_schema

    servers.postgres.start()
    run_schema(servers.postgres.dsn, made.statements())


def _start_merchant(
    keys: Keys, servers: Servers, made: System, needed: Iterable[Future[None]]
) -> None:
    for future in needed:
        future.result()
    merchant = servers.merchant
    merchant.configure(
        {
            "port": merchant.port,
            "control_port": merchant.control_port,
            "webhook_port": merchant.webhook_port,
            "postgres_dsn": servers.postgres.dsn,
            "redis_url": servers.redis.url,
            "stripe_url": servers.stripe.url,
            "stripe_key": keys.secret_key,
            "webhook_secrets": [keys.webhook_secret],
            "more_webhooks": {made.front.second_webhook: [keys.second_webhook_secret]},
            "dir": str(merchant.directory),
            "system": made.name,
        }
    )
    merchant.start()


def _start_stripe(
    options: LabOptions, keys: Keys, servers: Servers, made: System, story: History | None
) -> None:
    from payops.lab.history.load import write_ndjson

    stripe = servers.stripe
    stripe.configure(
        {
            "account": {"id": keys.account},
            "keys": [{"key": key} for key in (keys.secret_key, keys.publishable_key)],
            "webhook_endpoints": [
                {
                    "id": keys.webhook_endpoint,
                    "url": servers.merchant.webhook_url + made.front.webhook,
                    "api_version": made.api_version,
                    "secret": keys.webhook_secret,
                    "enabled_events": list(made.front.events),
                }
            ],
            "livemode": options.livemode,
            "rate_limits": options.rate_limits,
            "seed": str(options.seed),
        }
    )
    objects = [options.load] if options.load else []
    if story is not None:
        told = stripe.directory / "history.ndjson"
        write_ndjson(story, told)
        objects.insert(0, told)
    stripe.start_with(objects)
    if story is not None:
        told.unlink()


def _save(
    options: LabOptions, keys: Keys, servers: Servers, made: System, opened: datetime
) -> LabInfo:
    info = LabInfo(
        dir=str(options.dir),
        config=str(options.dir / "payops.yaml"),
        preset=options.preset,
        environment=options.environment,
        seed=options.seed,
        payments=options.payments,
        since_s=int(options.since.total_seconds()),
        created_at=utc_text(opened),
        postgres_dsn=servers.postgres.dsn,
        redis_url=servers.redis.url,
        stripe_url=servers.stripe.url,
        stripe_control_url=servers.stripe.control_url,
        status_url=f"{servers.stripe.status_url}/current",
        app_url=servers.merchant.url,
        app_control_url=servers.merchant.control_url,
        account=keys.account,
        secret_key=keys.secret_key,
        publishable_key=keys.publishable_key,
        webhook_secret=keys.webhook_secret,
        webhook_endpoint=servers.merchant.webhook_url + made.front.webhook,
        second_webhook_endpoint=servers.merchant.webhook_url + made.front.second_webhook,
        second_webhook_secret=keys.second_webhook_secret,
        pids={server.name: server.pid for server in servers},
    )
    write_configuration(info, servers.postgres.read_only_dsn)
    info.save()  # last: a lab without it is half made
    return info
