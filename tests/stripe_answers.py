"""A fake of Stripe for the checks: objects by path, decoded as the source decodes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from payops.errors import Failure, SourceError
from payops.sources.stripe import Answer
from payops.sources.stripe_objects import Account
from tools import NOW

ACCOUNT = {"id": "acct_1", "charges_enabled": True, "payouts_enabled": True}


def listed(*objects: Mapping[str, Any], more: bool = False) -> dict[str, Any]:
    """A page of a list."""
    return {"object": "list", "data": list(objects), "has_more": more}


class FakeStripe:
    """Answers `paths` (a failure is raised), and keeps what it was asked. Its clock is `ahead_s` of
    ours; `ms` is how long each path takes."""

    def __init__(
        self,
        paths: Mapping[str, Any] | None = None,
        *,
        ahead_s: float = 0,
        ms: Mapping[str, float] | None = None,
        dated: bool = True,
        limited: int = 0,
    ) -> None:
        self.paths = {"/v1/account": ACCOUNT, "/v1/balance": {}, "/v1/payouts": listed()}
        self.paths |= dict(paths or {})
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.date: datetime | None = NOW + timedelta(seconds=ahead_s) if dated else None
        self.ms = ms or {}
        self.limited = limited

    @property
    def calls(self) -> int:
        return len(self.asked)

    def account(self) -> Answer[Account]:
        return self.get("/v1/account", Account)

    def get(self, path: str, into: type[Any], **params: Any) -> Answer[Any]:
        self.asked.append((path, params))
        found = self.paths[path]
        if isinstance(found, Failure):
            raise SourceError("stripe", found, f"GET {path}: no", http_status=403)
        value = msgspec.json.decode(msgspec.json.encode(found), type=into)
        return Answer(value, f"req_{self.calls}", self.ms.get(path, 20), self.date, NOW)
