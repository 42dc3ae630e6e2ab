"""From plain mappings, as YAML gives them, to typed settings."""

from __future__ import annotations

from typing import Any

import msgspec

from payops.config.section import Duration
from payops.config.settings import Settings
from payops.domain.duration import parse_duration
from payops.domain.secret import Secret


def decoded(whole: dict[str, Any]) -> Settings:
    """A complete mapping as Settings. Raises msgspec.ValidationError."""
    return msgspec.convert(whole, Settings, strict=False, dec_hook=_decode, str_keys=True)


def _decode(wanted: type[Any], given: object) -> object:
    if wanted is Secret:
        if not isinstance(given, str):
            kind = "null" if given is None else type(given).__name__
            raise ValueError(f"expected text or {{secret_command: …}}, got {kind}")
        if not given:
            raise ValueError("is empty")
        return Secret(given)
    if wanted is Duration:
        if isinstance(given, bool) or not isinstance(given, (str, int, float)):
            raise ValueError("expected a duration such as 30s, 10m or 24h")
        return Duration(parse_duration(str(given)).total_seconds())
    raise NotImplementedError(wanted)
