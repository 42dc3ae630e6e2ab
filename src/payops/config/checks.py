"""`checks:`: your own questions, asked and judged beside payops'."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from payops.config.section import Duration, Section, named, span
from payops.domain.secret import Secret

OwnLimit = float | int | str | None
Unit = Literal["count", "s", "ms", "%", "bytes"]

# What reads one number, and changes nothing; each with the number of its arguments.
REDIS_COMMANDS = {
    "GET": 1,
    "LLEN": 1,
    "SCARD": 1,
    "ZCARD": 1,
    "HLEN": 1,
    "TTL": 1,
    "STRLEN": 1,
    "EXISTS": 1,
    "DBSIZE": 0,
}
PARAMETERS = ("since", "until", "now")
_PLACEHOLDER = re.compile(r"%\(([^)]*)\)s")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class OwnHttp(Section, frozen=True):
    """An address, and what of its answer is judged: the latency, or a number in its JSON."""

    url: Annotated[
        str, Meta(description="Asked with GET, no redirects; /path is below app.base_url")
    ]
    expect: Annotated[tuple[int, ...], Meta(description="Good HTTP status codes")] = (200,)
    pointer: Annotated[
        str, Meta(description="/queue/depth: this number of the JSON is judged, not the latency")
    ] = ""
    contains: Annotated[str, Meta(description="Text that a good answer has in its body")] = ""
    headers: Annotated[
        dict[str, Secret], Meta(description="Sent along: Authorization, … Never shown")
    ] = {}

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.url.startswith(("http://", "https://", "/")):
            raise ValueError(".url: begins with http://, https://, or / below app.base_url")
        if self.pointer and not self.pointer.startswith("/"):
            raise ValueError(".pointer: begins with /, as in /queue/depth (RFC 6901)")


class OwnMoney(Section, frozen=True):
    """Which column of a row is money at risk."""

    column: Annotated[str, Meta(description="Column of the query's rows with the amount")]
    unit: Annotated[
        Literal["minor", "major"], Meta(description="minor: 1999 is $19.99; major: 19.99 is")
    ] = "minor"
    currency: Annotated[str, Meta(description="Of all rows, unless they have one")] = "usd"
    currency_column: Annotated[str, Meta(description="Column of the rows with the currency")] = ""


class OwnCheck(Section, frozen=True):
    """One question of yours: exactly one of sql, http and redis.

    It is `own.NAME` in `payops health`. SQL is one SELECT in a read-only transaction; %(since)s,
    %(until)s and %(now)s are the window and the time by the database's clock.
    """

    title: Annotated[str, Meta(description="What is asked, one line: 'No sale without a payment'")]
    sql: Annotated[str, Meta(description="One SELECT; see measure for what of it is judged")] = ""
    http: Annotated[OwnHttp | None, Meta(description="An address to be asked")] = None
    redis: Annotated[
        str, Meta(description="LLEN celery; GET, LLEN, SCARD, ZCARD, HLEN, TTL, STRLEN, EXISTS, …")
    ] = ""
    measure: Annotated[
        Literal["rows", "value"],
        Meta(
            description="Of SQL: rows counts them, each is evidence; value judges the column value "
            "of the only row, or its only column"
        ),
    ] = "rows"
    warn: Annotated[
        OwnLimit | UnsetType,
        Meta(description="WARN beyond it: 10, 30m, 95%; null is never; of rows 0 without both"),
    ] = UNSET
    crit: Annotated[OwnLimit | UnsetType, Meta(description="CRIT beyond it, likewise")] = UNSET
    worse: Annotated[
        Literal["higher", "lower"], Meta(description="Which way is worse: beyond is above or below")
    ] = "higher"
    unit: Annotated[Unit, Meta(description="What is counted; of an HTTP latency ms")] = "count"
    otherwise: Annotated[
        Literal["WARN", "CRIT"],
        Meta(description="Status of an HTTP answer with another code, or without `contains`"),
    ] = "CRIT"
    action: Annotated[str, Meta(description="What to do when it is not OK, one line")] = ""
    command: Annotated[str, Meta(description="The command line for it")] = ""
    money: Annotated[OwnMoney | None, Meta(description="Money at risk, of SQL's rows")] = None
    needs: Annotated[
        tuple[str, ...],
        Meta(description="Tables, or table.column: where one is not there, the check is SKIP"),
    ] = ()
    source: Annotated[str, Meta(description="Where it and its numbers come from")] = ""
    timeout: Annotated[Duration, Meta(description="Longest wait for its answer")] = span(2)
    advisory: Annotated[bool, Meta(description="Shown, and never counted")] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        named(self.title, "title")
        given = [name for name in ("sql", "http", "redis") if getattr(self, name)]
        if len(given) != 1:
            said = " and ".join(given) or "none"
            raise ValueError(f".title: one of sql, http and redis asks the question, not {said}")
        if self.sql:
            self._sql()
        if self.redis:
            self._redis()
        if self.money and (not self.sql or self.measure != "rows"):
            raise ValueError(".money: is summed over rows: it needs sql and measure: rows")
        if self.needs and not self.sql:
            raise ValueError(".needs: names tables, and this asks none")
        judged = self.measure == "value" if self.sql else not self.http or bool(self.http.pointer)
        if judged and self.warn is UNSET and self.crit is UNSET:
            raise ValueError(".warn: nothing is judged without warn or crit (null only shows it)")

    def _sql(self) -> None:
        for name in _PLACEHOLDER.findall(self.sql):
            if name not in PARAMETERS:
                known = ", ".join(f"%({each})s" for each in PARAMETERS)
                raise ValueError(f".sql: there is no %({name})s, only {known}")
        body = re.sub(r"^(\s|--[^\n]*\n|/\*.*?\*/)*", "", self.sql, flags=re.DOTALL)
        if not re.match(r"(select|with|values|table|\()\b|\(", body, re.IGNORECASE):
            raise ValueError(".sql: is one SELECT; nothing else is asked")

    def _redis(self) -> None:
        words = self.redis.split()
        command = words[0].upper() if words else ""
        if command not in REDIS_COMMANDS:
            raise ValueError(f".redis: begins with one of {', '.join(REDIS_COMMANDS)}")
        wanted = REDIS_COMMANDS[command]
        if (len(words) > 1) is not bool(wanted):
            raise ValueError(f".redis: {command} takes {'one key' if wanted else 'no key'}")


def refuse_odd_names(checks: dict[str, OwnCheck]) -> None:
    """Raises ValueError for a name that no id can be made of."""
    for name in checks:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f".checks: {name[:80]!r} is no name: small letters, digits and dashes make own.NAME"
            )
