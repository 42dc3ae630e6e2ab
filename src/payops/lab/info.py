"""What is known of a running lab; kept in `D/lab.json`, and printed by `payops lab up -o json`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

FILE_NAME = "lab.json"


@dataclass(frozen=True)
class LabInfo:
    """Addresses, made-up keys and process ids of one lab.

    All paths are absolute. `config` is the ready payops.yaml. `postgres_dsn` is the owner's,
    `status_url` the page's own, `webhook_endpoint` the URL that Stripe delivers to. `pids` maps a
    server's name (`postgres`, `redis`, `stripe`, `merchant`) to its process id at the time of
    writing; 0 is stopped. `created_at` is ISO 8601 UTC, `since_s` the length of the generated
    history in seconds.
    `second_webhook_endpoint` takes deliveries as well, with a secret of its own; Stripe knows of it
    only in the scenarios that need a second endpoint.
    `scenarios` are those injected and not healed, oldest first.
    """

    dir: str
    config: str
    preset: str
    environment: str
    seed: int
    payments: int
    since_s: int
    created_at: str
    postgres_dsn: str
    redis_url: str
    stripe_url: str
    stripe_control_url: str
    status_url: str
    app_url: str
    app_control_url: str
    account: str
    secret_key: str
    publishable_key: str
    webhook_secret: str
    webhook_endpoint: str
    second_webhook_endpoint: str = ""
    second_webhook_secret: str = ""
    pids: dict[str, int] = field(default_factory=dict)
    scenarios: tuple[str, ...] = ()

    def save(self) -> None:
        """Write `D/lab.json` atomically, readable by its owner only."""
        path = Path(self.dir) / FILE_NAME
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")
        os.chmod(temporary, 0o600)
        temporary.replace(path)

    @classmethod
    def load(cls, directory: Path) -> LabInfo | None:
        """The lab of `directory`; None when there is none. Raises ValueError on a damaged file."""
        path = directory / FILE_NAME
        if not path.exists():
            return None
        raw = json.loads(path.read_text(encoding="utf-8"))
        try:
            return cls(**{**raw, "scenarios": tuple(raw.get("scenarios", ()))})
        except TypeError as error:
            raise ValueError(f"{path} is not a lab's file: {error}") from error
