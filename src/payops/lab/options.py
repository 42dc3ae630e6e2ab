"""What a lab shall be like."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from payops.errors import LabError
from payops.lab.systems import system


def default_directory() -> Path:
    """`$XDG_STATE_HOME/payops/lab`, `~/.local/state/payops/lab` when that is not set."""
    state = os.environ.get("XDG_STATE_HOME", "")
    home = Path(state) if state.startswith("/") else Path.home() / ".local" / "state"
    return home / "payops" / "lab"


@dataclass(frozen=True)
class LabOptions:
    """What `payops lab up` was asked for.

    `preset` names a system of `payops.lab.systems`. `payments` are told over the last `since`; the
    same `seed` tells them alike, and makes the same keys. `environment` production has made-up
    live-mode keys, any other test-mode ones. `load` is an NDJSON file of Stripe objects that are
    served as they are, beside the history (with `payments=0` nothing else is). `rate_limits`
    False switches Stripe's limits off.
    Raises LabError for what cannot be.
    """

    dir: Path = field(default_factory=default_directory)
    preset: str = "reference"
    payments: int = 500
    since: timedelta = timedelta(hours=48)
    seed: int = 1
    environment: str = "lab"
    load: Path | None = None
    rate_limits: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "dir", Path(self.dir).expanduser().absolute())
        system(self.preset)
        if self.payments < 0:
            raise LabError(f"{self.payments} payments cannot be made")
        if self.since < timedelta(hours=1):
            raise LabError("a history is an hour or longer: --since 1h at least")
        if self.load is not None:
            object.__setattr__(self, "load", Path(self.load).expanduser().absolute())
            if not self.load.is_file():
                raise LabError(f"{self.load} is not a file of Stripe objects")

    @property
    def livemode(self) -> bool:
        """Whether keys and objects are those of live mode."""
        return self.environment == "production"

    def described(self) -> dict[str, Any]:
        """The options as JSON, but for the folder: equal when the labs are."""
        return {
            "preset": self.preset,
            "payments": self.payments,
            "since_s": int(self.since.total_seconds()),
            "seed": self.seed,
            "environment": self.environment,
            "load": str(self.load) if self.load else None,
            "rate_limits": self.rate_limits,
        }


@dataclass(frozen=True)
class Keys:
    """Made-up credentials: they look like Stripe's, and open nothing but this lab."""

    secret_key: str
    publishable_key: str
    webhook_secret: str
    second_webhook_secret: str
    account: str
    webhook_endpoint: str

    @classmethod
    def of(cls, options: LabOptions) -> Keys:
        """The keys of this seed and mode. Made at run time, so that no scanner finds them."""
        mode = "live" if options.livemode else "test"

        def made_up(what: str, length: int) -> str:
            text = f"payops lab {options.seed} {mode} {what}"
            return hashlib.sha256(text.encode()).hexdigest()[:length]

        return cls(
            secret_key=f"sk_{mode}_lab{made_up('secret', 29)}",
            publishable_key=f"pk_{mode}_lab{made_up('publishable', 29)}",
            webhook_secret=f"whsec_lab{made_up('webhook', 29)}",
            second_webhook_secret=f"whsec_lab{made_up('second webhook', 29)}",
            account=f"acct_1Lab{made_up('account', 12)}",
            webhook_endpoint=f"we_1Lab{made_up('endpoint', 20)}",
        )
