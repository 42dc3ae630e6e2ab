"""The configuration as it is in force, for people and editors; secrets by fingerprint only."""

from __future__ import annotations

from typing import Any

import msgspec
import yaml

from payops.config.section import Duration
from payops.config.settings import Settings
from payops.domain.secret import Secret, masked_url, redact


def as_yaml(settings: Settings) -> str:
    """Every key in force, defaults included, with secrets described and never shown."""
    plain = msgspec.to_builtins(settings, enc_hook=_encode)
    return redact(yaml.safe_dump(_masked(plain), sort_keys=False, allow_unicode=True, width=100))


def _encode(value: object) -> object:
    if isinstance(value, Secret):
        return value.describe()
    if isinstance(value, Duration):
        return f"{value:g}s"
    raise NotImplementedError(type(value))


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_masked(item) for item in value]
    return masked_url(value) if isinstance(value, str) and "://" in value else value


def json_schema() -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) of the file, for editors."""
    schema = msgspec.json.schema(Settings, schema_hook=_schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "payops.yaml",
        **schema,
    }


def _schema(kind: type[Any]) -> dict[str, Any]:
    if kind is Secret:
        return {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "properties": {
                        "secret_command": {
                            "anyOf": [
                                {"type": "string"},
                                {"type": "array", "items": {"type": "string"}},
                            ],
                            "description": "Command whose first printed line is the secret",
                        }
                    },
                    "required": ["secret_command"],
                    "additionalProperties": False,
                },
            ]
        }
    if kind is Duration:
        return {
            "anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}],
            "description": "Seconds, or 30s, 10m, 24h, 7d",
        }
    raise NotImplementedError(kind)
