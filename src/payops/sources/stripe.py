"""Stripe's API, read through the official SDK."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from payops.sources.stripe_objects import Account, Event

if TYPE_CHECKING:
    from payops.config.settings import StripeSettings
    from payops.domain.deadline import Deadline


class HasId(Protocol):
    """What a list of Stripe's can be of: its cursor is the last object's id."""

    @property
    def id(self) -> str: ...


T = TypeVar("T")
O = TypeVar("O", bound=HasId)  # noqa: E741  an object


@dataclass(frozen=True)
class Answer(Generic[T]):
    """One answer of Stripe's.

    `latency_ms` from sending the request that was answered to its last byte, without retries and
    waiting for the budget; `date` is the server's own clock (`Date`, whole seconds, aware UTC),
    None when it sent none.
    """

    value: T
    request_id: str
    latency_ms: float
    date: datetime | None


@dataclass(frozen=True)
class Listing(Generic[T]):
    """Objects of one list, newest first.

    `complete` is False when `at_most` cut it off. `as_of` is the server's clock at the first page.
    """

    items: tuple[T, ...]
    complete: bool
    request_ids: tuple[str, ...]
    as_of: datetime


class StripeSource:
    """Reads Stripe within a budget of requests per second.

    `calls` counts every request put on the wire, retries too; `request_ids` are those of the
    answers, in order.
    """

    calls: int
    request_ids: list[str]

    def __init__(self, settings: StripeSettings, deadline: Deadline) -> None:
        raise NotImplementedError

    def get(self, path: str, into: type[T], **params: Any) -> Answer[T]:
        """`GET path` (`/v1/payment_intents/pi_…`), decoded into a msgspec type.

        `params` as Stripe names them: `created={"gte": 1}`, `expand=["latest_charge"]`. Raises
        SourceError.
        """
        raise NotImplementedError

    def list(self, path: str, into: type[O], *, at_most: int = 1000, **params: Any) -> Listing[O]:
        """All objects of a list, page by page, up to `at_most`."""
        raise NotImplementedError

    def account(self) -> Answer[Account]:
        """The account that the key belongs to.

        A restricted key without the permission raises SourceError PERMISSION, which proves that
        the key is valid.
        """
        raise NotImplementedError

    def undelivered_events(self, since: datetime, at_most: int) -> Listing[Event]:
        """Events since `since` that at least one endpoint has not had (`delivery_success=false`),
        newest first."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connections."""
