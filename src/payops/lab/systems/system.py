"""What a system is to the lab: its tables, what it leaves in them and in Redis, how it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import resources

from payops.domain.status import Status
from payops.lab.history import History, HistoryPlan
from payops.lab.history.style import Style
from payops.lab.history.table import Table
from payops.lab.merchant.answer import Answer

Strings = Mapping[str, tuple[str | bytes, int | None]]
"""Redis keys: value, and seconds left to live (None: for ever)."""


def no_strings(history: History) -> Strings:
    """For a system that keeps nothing of its payments in Redis."""
    del history
    return {}


@dataclass(frozen=True)
class Front:
    """How the application answers HTTP; only that: it changes nothing.

    `webhook` is the path that Stripe delivers to, `health` that of a page which answers 200.
    A delivery is answered with `received`, one that came before with `repeated`, one with a wrong
    signature with `refused`, one without with `unsigned`. With `checks_signature` False any
    signature will do. `events` are those that the endpoint is registered for.
    `others` are further paths and what GET is answered there: pages behind a login, say.
    """

    webhook: str
    health: str
    received: Answer
    refused: Answer
    repeated: Answer | None = None
    unsigned: Answer | None = None
    checks_signature: bool = True
    events: tuple[str, ...] = ("*",)
    others: Mapping[str, Answer] = field(default_factory=dict)
    healthy: Answer = field(default_factory=lambda: Answer(200, {"status": "ok"}))

    @property
    def second_webhook(self) -> str:
        """The path of another endpoint, which Stripe knows of only where a scenario says so."""
        return f"{self.webhook.rstrip('/')}-refunds" + "/" * self.webhook.endswith("/")


@dataclass(frozen=True)
class System:
    """One shape of one system.

    `preset` is the mapping that fits it. `package` holds `schema`, SQL files run in this order.
    `style` is what the history must be like, `tables` and `strings` make the rows and the Redis
    keys of a history.

    The rest is for scenarios. `success` is the event by which it learns that a payment succeeded,
    `unheard` the columns, with values, of a payment that has not heard of an event, by its type and
    the latest type first (the `reference` shop needs more than that: `lab/forgetting.py`). `dedupe`
    is the Redis key of an event that was had, with `{event}`. `stuck` are the columns of a payment
    whose end nobody noticed. `settled` is one statement that makes other tables agree with the
    payments as they are now, run by whatever changes payments. In a log whose column `payload`
    holds the event (empty: there is no log), `unhandled` are those of an event that arrived and was
    not handled, `waiting` of one that nobody has begun to handle, `broken` of one whose handling
    failed. `failed` are those of a payment that failed with us; None where no row is left of one.
    `unmoved` are checks that a scenario cannot move here: the system has nothing that they look at.
    `asked_of_stripe` are those that its ledger cannot answer, so that Stripe is asked instead.
    `besides` are own checks of its preset that move with another check, by that one's id.
    """

    name: str
    preset: str
    package: str
    schema: tuple[str, ...]
    style: Style
    tables: Callable[[History], Iterator[Table]]
    front: Front
    strings: Callable[[History], Strings] = no_strings
    api_version: str = "2024-06-20"
    uses_redis: bool = True
    success: str = "payment_intent.succeeded"
    unheard: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    dedupe: str = ""
    waiting: Mapping[str, object] = field(default_factory=dict)
    broken: Mapping[str, object] = field(default_factory=dict)
    stuck: Mapping[str, object] = field(default_factory=dict)
    settled: str = ""
    payload: str = ""
    unhandled: Mapping[str, object] = field(default_factory=dict)
    failed: Mapping[str, object] | None = None
    unmoved: frozenset[str] = frozenset()
    asked_of_stripe: frozenset[str] = frozenset()
    besides: Mapping[str, Mapping[str, Status]] = field(default_factory=dict)

    @property
    def moves_on_success(self) -> bool:
        """Whether a payment's row waits for the event that tells of its success."""
        return self.name == "reference" or self.success in self.unheard

    def plan(self, plan: HistoryPlan) -> HistoryPlan:
        """A plan in this system's style."""
        return replace(plan, style=self.style, api_version=self.api_version)

    def statements(self) -> Iterator[str]:
        """The SQL that creates its tables, a file at a time."""
        folder = resources.files(self.package)
        for name in self.schema:
            yield folder.joinpath(name).read_text("utf-8")
