"""Faults to inject: which requests they hit, decided by counting and never by chance."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import floor
from typing import Any

KINDS = (
    "latency",
    "hang",
    "reset",
    "status",
    "429",
    "wrong_json",
    "cut_body",
    "slow_body",
    "refuse",
)
"""What a fault does.

latency: answers `ms` later; hang: never answers; reset: cuts the connection (RST); status:
answers `status`; 429: rate limited; wrong_json: a body that is no JSON; cut_body: half of the
body, then the end; slow_body: the body spread over `ms`; refuse: the listening socket is closed.
"""


@dataclass(slots=True)
class Fault:
    """One fault.

    `match` has `path` (a prefix) or `operation` (`GET /v1/payment_intents/{id}`), neither for
    all requests. Of the matching requests the first `after` pass, then a share `rate` of 0 to
    1 is hit, evenly spread, `times` in all (None: until healed). With `executes`, the request
    is carried out before its answer is lost: what makes a double charge possible.
    """

    kind: str
    match: Mapping[str, str] = field(default_factory=dict)
    ms: int = 0
    status: int = 500
    rate: float = 1.0
    times: int | None = None
    after: int = 0
    executes: bool = False
    seen: int = 0
    hits: int = 0

    def matches(self, operation: str, path: str) -> bool:
        """Whether a request is of the kind that this fault is about."""
        wanted = self.match.get("operation")
        if wanted is not None and wanted != operation:
            return False
        return path.startswith(self.match.get("path", ""))

    def strikes(self) -> bool:
        """Count one matching request; whether it is hit."""
        self.seen += 1
        nth = self.seen - self.after
        if nth <= 0 or (self.times is not None and self.hits >= self.times):
            return False
        # The n-th request is hit when n x rate passes a whole number: every second one at 0.5.
        struck = floor(nth * self.rate) > floor((nth - 1) * self.rate)
        self.hits += struck
        return struck


def parse(given: Mapping[str, Any]) -> Fault:
    """A fault from JSON. Raises ValueError naming what is wrong."""
    unknown = set(given) - {f for f in Fault.__dataclass_fields__ if f not in ("seen", "hits")}
    if unknown:
        raise ValueError(f"unknown fault fields: {', '.join(sorted(unknown))}")
    if given.get("kind") not in KINDS:
        raise ValueError(f"fault kind {given.get('kind')!r}: one of {', '.join(KINDS)}")
    match = given.get("match") or {}
    if isinstance(match, str):
        match = {"operation": match} if " " in match else {"path": match}
    if set(match) - {"path", "operation"}:
        raise ValueError("a fault's match has path or operation")
    made = Fault(**{**given, "match": match})
    for name in ("ms", "status", "rate", "after", "times"):
        value = getattr(made, name)
        if not isinstance(value, int | float) and not (name == "times" and value is None):
            raise ValueError(f"a fault's {name} is a number, not {value!r}")
    if not 300 <= made.status <= 599 or not 0 <= made.rate <= 1 or made.ms < 0:
        raise ValueError("a fault has status 300 to 599, rate 0 to 1 and ms of 0 or more")
    return made


class Faults:
    """The faults in force, in the order that they were set."""

    def __init__(self, given: list[dict[str, Any]] | None = None) -> None:
        self.active = [parse(fault) for fault in given or []]

    def strike(self, operation: str, path: str) -> list[Fault]:
        """The faults that hit this request; every matching fault counts it."""
        return [
            fault
            for fault in self.active
            if fault.kind != "refuse" and fault.matches(operation, path) and fault.strikes()
        ]

    @property
    def refuses(self) -> bool:
        """Whether the listening socket is to be closed."""
        return any(fault.kind == "refuse" for fault in self.active)

    def dump(self, *, counts: bool = True) -> list[dict[str, Any]]:
        """The faults as JSON, with how often each was seen and hit."""
        dumped = [asdict(fault) for fault in self.active]
        if not counts:
            for fault in dumped:
                del fault["seen"], fault["hits"]
        return dumped
