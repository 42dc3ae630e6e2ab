"""A running lab, as a scenario has it: its servers, and a memory for what is to be undone."""

from __future__ import annotations

import contextlib
import json
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from payops.lab.control import Control
from payops.lab.info import LabInfo
from payops.lab.servers.system import Servers
from payops.lab.systems import system

if TYPE_CHECKING:
    import psycopg
    import redis


class Lab:
    """A running lab in the hands of a scenario. Connections are opened when first used."""

    def __init__(self, directory: Path, info: LabInfo) -> None:
        self.directory = directory
        self.info = info
        self.servers = Servers.of(directory)
        self.system = system(info.preset)
        self.stripe = Control("Stripe simulator", info.stripe_control_url)
        self.merchant = Control("merchant application", info.app_control_url)
        self.scenario = ""
        """The id of the scenario that is at work."""
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    @cached_property
    def postgres(self) -> psycopg.Connection[Any]:
        """The shop's database as its owner; autocommit, so use `transaction()` for two changes."""
        import psycopg

        connection = psycopg.connect(
            self.info.postgres_dsn, autocommit=True, connect_timeout=5, options="-c timezone=UTC"
        )
        return self._open.enter_context(connection)

    @cached_property
    def redis_bytes(self) -> redis.Redis:
        """The shop's Redis, values as they are: some are pickled."""
        import redis

        client = redis.Redis.from_url(self.info.redis_url, socket_timeout=5, protocol=2)
        self._open.callback(client.close)
        return client

    @cached_property
    def redis(self) -> redis.Redis:
        """The shop's Redis, strings decoded."""
        import redis

        client = redis.Redis.from_url(
            self.info.redis_url, decode_responses=True, socket_timeout=5, protocol=2
        )
        self._open.callback(client.close)
        return client

    @property
    def endpoint(self) -> dict[str, Any]:
        """The shop's webhook endpoint, as Stripe has it now."""
        mode = "true" if self.info.environment == "production" else "false"
        found = self.stripe.get(f"/objects?type=webhook_endpoint&livemode={mode}")["objects"]
        return next(one for one in found if one["url"] == self.info.webhook_endpoint)

    def held(self) -> set[str]:
        """Ids of payments and events that other scenarios in force have changed."""
        found: set[str] = set()
        for path in (self.directory / "scenarios").glob("*.json"):
            if path.stem != self.scenario:
                found |= set(json.loads(path.read_text(encoding="utf-8")).get("held", ()))
        return found

    def remember(self, **values: Any) -> None:
        """Keep JSON values for `heal`, on disk when this returns. Call it before the change."""
        kept = {**self.recall(), **values}
        path = memory(self.directory, self.scenario)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(kept, file)
        temporary.replace(path)

    def recall(self) -> dict[str, Any]:
        """What was remembered for this scenario; empty when nothing was."""
        try:
            text = memory(self.directory, self.scenario).read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        kept: dict[str, Any] = json.loads(text)
        return kept


def memory(directory: Path, scenario: str) -> Path:
    """Where a scenario's own memory lies."""
    return directory / "scenarios" / f"{scenario}.json"
