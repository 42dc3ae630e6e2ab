"""The tables of `payops webhooks`: the funnel, the lags, the endpoints."""

from __future__ import annotations

from collections.abc import Sequence

from payops.domain.table import Column, Table
from payops.webhooks.classify import Ground
from payops.webhooks.funnel import delivery, lags, stages
from payops.webhooks.path import Endpoint


def tables_of(ground: Ground) -> tuple[Table, ...]:
    """The funnel, the lags and the endpoints."""
    path = ground.path
    told = delivery(path)
    note = f"{told.in_flight:,} are on their way (younger than 60 s)." if told.in_flight else ""
    if path.types:
        note += f" Of {len(path.types)} types: webhooks.needs."
    funnel = Table(
        "funnel",
        "Event to row",
        (
            Column("stage", "stage"),
            Column("events", "events", bar=True),
            Column("share", "share", unit="%"),
            Column("seen_in", "seen in", wide=True),
        ),
        tuple(
            (
                stage.name,
                stage.count,
                round(100 * stage.count / stage.of, 1) if stage.of else None,
                stage.seen_in,
            )
            for stage in stages(path)
        ),
        note.strip(),
    )
    found = [funnel]
    times = lags(path)
    if times:
        found.append(
            Table(
                "lag",
                "From its making to",
                (
                    Column("to", "to"),
                    Column("events", "events"),
                    Column("average", "average"),
                    Column("p95", "p95"),
                    Column("longest", "longest"),
                    Column("newest", "newest"),
                ),
                tuple(
                    (lag.name, lag.count, lag.average, lag.p95, lag.longest, lag.newest)
                    for lag in times
                ),
            )
        )
    if path.endpoints is not None:
        found.append(endpoints_table(ground, path.endpoints))
    return tuple(found)


def endpoints_table(ground: Ground, endpoints: Sequence[Endpoint]) -> Table:
    """Stripe's endpoints, each with what it was seen to answer."""
    return Table(
        "endpoints",
        "Stripe's endpoints",
        (
            Column("url", "address", wide=True),
            Column("id", "id"),
            Column("state", "state"),
            Column("types", "types"),
            Column("api_version", "API version"),
            Column("answer", "answer", wide=True),
        ),
        tuple(
            (
                each.url,
                each.id,
                "enabled" if each.enabled else "disabled",
                "all" if "*" in each.types else len(each.types),
                each.api_version or "the account's",
                _answer(ground, each.url),
            )
            for each in endpoints
        ),
        "" if ground.asked else "Not asked what they answer: nothing is owed, or --no-probe.",
    )


def _answer(ground: Ground, url: str) -> str | None:
    asked = ground.asked.get(url)
    if asked is None:
        return None
    return asked.fault.said if asked.fault else "as it should"
