"""The four servers that make up a lab."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from payops.lab.servers.application import Merchant, StripeSimulator
from payops.lab.servers.postgres import PostgresServer
from payops.lab.servers.redis import RedisServer
from payops.lab.servers.server import Server


@dataclass(frozen=True)
class Servers:
    """The servers of one folder, in the order in which they are started."""

    postgres: PostgresServer
    redis: RedisServer
    stripe: StripeSimulator
    merchant: Merchant

    @classmethod
    def of(cls, directory: Path) -> Servers:
        """Those of the lab in `directory`, running or not."""
        return cls(
            PostgresServer(directory),
            RedisServer(directory),
            StripeSimulator(directory),
            Merchant(directory),
        )

    def __iter__(self) -> Iterator[Server]:
        yield from (self.postgres, self.redis, self.stripe, self.merchant)

    def named(self, name: str) -> Server:
        """The server of that name. Raises KeyError."""
        return {server.name: server for server in self}[name]
