"""The shop's configuration: a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from payops.errors import LabError


@dataclass(frozen=True)
class MerchantConfig:
    """What the shop needs to know. Keys and passwords are kept out of its `repr`.

    Port 0 takes a free one. `webhook_port` is a second way in, for Stripe's deliveries (None: there
    is only one). `webhook_secrets` are all accepted, as while one is being rotated; `more_webhooks`
    are further paths that take deliveries, with the secrets of each.
    `dir` is the folder that gets `merchant.json` once the shop is open. `stripe_timeout_s` is the
    longest wait for Stripe's answer, in seconds. `system` is whose application this is.
    """

    postgres_dsn: str = field(repr=False)
    redis_url: str = field(repr=False)
    stripe_url: str
    stripe_key: str = field(repr=False)
    dir: str
    webhook_secrets: tuple[str, ...] = field(default=(), repr=False)
    port: int = 0
    control_port: int = 0
    webhook_port: int | None = None
    more_webhooks: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    stripe_timeout_s: float = 5.0
    system: str = "reference"

    @classmethod
    def read(cls, path: Path) -> MerchantConfig:
        """The configuration in `path`. Raises LabError naming the file and what is wrong in it."""
        try:
            given = json.loads(path.read_text(encoding="utf-8"))
            unknown = set(given) - {known.name for known in fields(cls)}
            if unknown:
                raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
            return cls(**{**given, "webhook_secrets": tuple(given.get("webhook_secrets", ()))})
        except (OSError, ValueError, TypeError) as error:
            raise LabError(f"{path} is not a shop's configuration: {error}") from error
