"""The user's database, read only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from payops.sources.ledger import LedgerReader
from payops.sources.postgres_facts import PostgresFacts

if TYPE_CHECKING:
    from payops.config.settings import Ledger, PostgresSettings
    from payops.domain.deadline import Deadline

T = TypeVar("T")

# One name, taken whole, or its parts: ("public", "payments").
Name: TypeAlias = str | tuple[str, ...]


class PostgresSource:
    """Asks the database, each question in a read-only transaction with its own time limits."""

    def __init__(self, settings: PostgresSettings, deadline: Deadline) -> None:
        raise NotImplementedError

    def rows(
        self,
        name: str,
        into: type[T],
        /,
        *,
        identifiers: Mapping[str, Name] | None = None,
        **params: Any,
    ) -> list[T]:
        """Rows of `sql/NAME.sql`, each as an `into` (a frozen dataclass with the columns' names).

        `identifiers` fill the `{placeholders}`, quoted by psycopg; `params` the `%(name)s`. Raises
        SourceError.
        """
        raise NotImplementedError

    def server(self) -> PostgresFacts:
        """State of the server: version, role, lag, connections."""
        raise NotImplementedError

    def ledger(self, ledger: Ledger) -> LedgerReader:
        """A reader of one mapped table."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the connections."""
