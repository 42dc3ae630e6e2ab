"""The questions of the configuration's `checks:`, each a check like payops' own.

Their ids are `own.NAME`. What they find is judged in `own_judge`; here they are asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec import UNSET

from payops.checks.contract import Check, Context
from payops.checks.limit import ordered, read_number
from payops.checks.own_judge import Answer, Rows, Value, judge
from payops.domain.evidence import Action
from payops.domain.result import CheckResult
from payops.domain.threshold import Limits, Threshold
from payops.errors import Failure, NotConfiguredError, SourceError

if TYPE_CHECKING:
    from payops.config.checks import OwnCheck
    from payops.config.settings import Settings

FAMILY = "own"
# Rows that are looked at, and summed; a check that finds more has found enough.
MOST_ROWS = 1000
_MOST_BODY = 1024 * 1024
_CITED = re.compile(r"S[0-9]-[0-9]{2}")


def own_ids(settings: Settings) -> tuple[str, ...]:
    """The ids of the configuration's own checks, in its order."""
    return tuple(f"{FAMILY}.{name}" for name in settings.checks)


def own_check(id_: str, settings: Settings) -> Check[Answer]:
    """The check `own.NAME`. Raises ConfigError for limits that are no numbers."""
    name = id_.partition(".")[2]
    asked = settings.checks[name]
    kind = "http" if asked.http else "redis" if asked.redis else "postgres"
    return Check(
        title=asked.title,
        source=kind,
        gather=partial(_GATHER[kind], asked),
        judge=partial(_judged, asked),
        limits=_limits(name, asked),
        rows=tuple(dict.fromkeys(_CITED.findall(asked.source))),
        advisory=asked.advisory,
    )


def measured_name(asked: OwnCheck) -> str:
    """What the judged number is called: in thresholds, perfdata and JSON."""
    if asked.http:
        return "value" if asked.http.pointer else "latency"
    return "count" if asked.sql and asked.measure == "rows" else "value"


def _limits(name: str, asked: OwnCheck) -> Limits:
    measured = measured_name(asked)
    unit = "ms" if measured == "latency" else "count" if measured == "count" else asked.unit
    path = f"checks.{name}"
    given = {"warn": asked.warn, "crit": asked.crit}
    if measured == "count" and asked.warn is UNSET and asked.crit is UNSET:
        given["warn"] = 0
    warn, crit = (
        None if value is UNSET else read_number(value, unit, f"{path}.{word}")
        for word, value in given.items()
    )
    source = asked.source or f"configuration, {path}"
    return {measured: ordered(Threshold(warn, crit, unit, source, asked.worse), path)}


def _judged(asked: OwnCheck, answer: Answer, limits: Limits) -> CheckResult:
    return judge(
        answer, limits, money=asked.money, otherwise=asked.otherwise, actions=_action(asked)
    )


def _action(asked: OwnCheck) -> tuple[Action, ...]:
    if not (asked.action or asked.command):
        return ()
    return (Action(asked.action or "Look at it", asked.command),)


def _ask_sql(asked: OwnCheck, ctx: Context) -> Answer:
    from payops.sources.own_sql import missing_parts, own_rows

    postgres = ctx.sources.postgres
    absent = missing_parts(postgres, asked.needs)
    if absent:
        raise NotConfiguredError(f"not used here: the database has no {', '.join(absent)}")
    found = own_rows(
        postgres,
        asked.sql,
        window=ctx.window,
        now=ctx.now,
        most=MOST_ROWS,
        timeout=float(asked.timeout),
    )
    if asked.measure == "rows":
        return Rows(found.now, found.rows, found.more)
    return Value(found.now, _only(found.rows), found.rows[:1], measured="value")


def _only(rows: Sequence[Mapping[str, object]]) -> object:
    """The column `value` of the only row, or its only column; None where there is none such."""
    if len(rows) != 1:
        return None
    row = rows[0]
    return row.get("value") if len(row) > 1 else next(iter(row.values()), None)


def _ask_redis(asked: OwnCheck, ctx: Context) -> Answer:
    command, _, key = asked.redis.strip().partition(" ")
    redis = ctx.sources.redis
    try:
        said = redis.answer(command.upper(), *([key.strip()] if key.strip() else []))
    except SourceError as error:
        if "WRONGTYPE" not in error.message:
            raise
        raise SourceError(
            "redis",
            error.kind,
            error.message,
            hint=f"the key holds another type than {command.upper()} asks for: redis-cli TYPE",
        ) from error
    if said is None:  # GET of no key: a counter that has counted nothing
        said = 0
    value: object = said
    if isinstance(said, bytes):
        text = said[:64].decode("ascii", "replace").strip()
        # What is no number may be anything, a token too: it is not shown.
        value = text if _NUMBER.fullmatch(text) and len(said) <= 64 else None
    return Value(ctx.now, value, (), measured="value", source="redis")


_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def _ask_http(asked: OwnCheck, ctx: Context) -> Answer:
    from payops.domain.json_pointer import pointed

    http = asked.http
    assert http is not None  # noqa: S101  told apart by the table below
    url = http.url
    if url.startswith("/"):
        base = ctx.settings.app.base_url.rstrip("/")
        if not base:
            raise NotConfiguredError(f"where {url} is, app.base_url does not say")
        url = f"{base}{url}"
    answer = ctx.sources.http.request(
        "GET",
        url,
        timeout=ctx.deadline.within(float(asked.timeout)),
        headers={name: secret.reveal() for name, secret in http.headers.items()},
        max_body=_MOST_BODY,
    )
    wrong = ""
    if answer.status not in http.expect:
        expected = " or ".join(str(code) for code in http.expect)
        where = f" to {answer.location}" if answer.location else ""
        wrong = f"it answers {answer.status}{where} instead of {expected}"
    elif http.contains and http.contains.encode() not in answer.body:
        wrong = f"its body has no {http.contains!r}"
    if not http.pointer:
        return Value(answer.as_of, answer.latency_ms, (), "latency", "http", wrong)
    if wrong:
        return Value(answer.as_of, None, (), "value", "http", wrong)
    import json
    from decimal import Decimal

    from payops.sources.own_sql import whole

    try:
        document = json.loads(answer.body, parse_float=Decimal, parse_int=whole, parse_constant=str)
        value = pointed(document, http.pointer)
    except KeyError as error:
        wrong = f"its JSON has nothing at {error.args[0]}"
        return Value(answer.as_of, None, (), "value", "http", wrong)
    except (ValueError, RecursionError) as error:
        raise SourceError(
            "http",
            Failure.BAD_ANSWER,
            f"{url}: the body is not JSON",
            hint="a login page or a proxy's answer? Open the address in a browser",
            http_status=answer.status,
        ) from error
    counted = len(value) if isinstance(value, list) else value
    return Value(answer.as_of, counted, (), "value", "http")


_GATHER = {"postgres": _ask_sql, "redis": _ask_redis, "http": _ask_http}
