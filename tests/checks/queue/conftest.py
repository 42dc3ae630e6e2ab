"""The same real Redis as the checks of it have."""

from __future__ import annotations

from checks.redis.conftest import client, server

__all__ = ["client", "server"]
