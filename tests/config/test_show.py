"""What is shown of a configuration, and its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from payops.config.files import preset_names
from payops.config.load import read, settings_from
from payops.config.settings import Settings
from payops.config.show import as_yaml, json_schema

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.yaml"

KEY = "sk_live_51HqLyjWDarjtT1zdp7dcXYZ"
SECRETS = {
    "stripe": {
        "secret_key": KEY,
        "publishable_key": "pk_live_public",
        "webhook_secrets": [
            "whsec_c2VjcmV0LW51bWJlci1vbmU",
            "whsec_c2VjcmV0LW51bWJlci10d28",
            "tiny",
        ],
        "api_base": "https://proxy-user:proxy-pass-1@stripe.internal",
    },
    "postgres": {
        "dsn": "postgresql://app:db-pass-one@db.internal/shop?sslpassword=ssl-pass-1",
        "write_dsn": "host=db user=admin password='db pass two' dbname=shop",
    },
    "redis": {"url": "rediss://default:redis-p%40ss@cache:6380/0"},
    "app": {"endpoints": [{"url": "https://probe:http-pass-1@shop.example/health?token=tok-123"}]},
    "webhooks": {"endpoints": [{"url": "https://shop.example/hook?secret=hook-secret-1"}]},
}
HIDDEN = [
    KEY,
    KEY[8:-4],
    "c2VjcmV0LW51bWJlci1vbmU",
    "c2VjcmV0LW51bWJlci10d28",
    "tiny",
    "proxy-pass-1",
    "db-pass-one",
    "ssl-pass-1",
    "db pass two",
    "redis-p%40ss",
    "redis-p@ss",
    "http-pass-1",
    "tok-123",
    "hook-secret-1",
]


@pytest.mark.parametrize("from_environment", [False, True])
def test_no_secret_is_ever_shown(from_environment: bool, tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    file = tmp_path / "payops.yaml"

    def moved(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: moved(item) for key, item in value.items()}
        if isinstance(value, list):
            return [moved(item) for item in value]
        environ[f"V{len(environ)}"] = value
        return f"${{V{len(environ) - 1}}}"

    file.write_text(yaml.safe_dump(moved(SECRETS) if from_environment else SECRETS))
    found = read(file, environ)
    shown = as_yaml(found)
    assert [secret for secret in HIDDEN if secret in shown] == []
    assert [s for s in (KEY, "db-pass-one", "db pass two", "redis-p") if s in repr(found)] == []


def test_what_may_be_known_of_a_secret_is_shown() -> None:
    shown = yaml.safe_load(as_yaml(settings_from(SECRETS)))
    assert shown["stripe"]["secret_key"].startswith("sk_live_…cXYZ (sha256 ")
    assert shown["stripe"]["publishable_key"] == "pk_live_public"
    assert shown["postgres"]["dsn"].startswith("postgresql://app:[redacted]@db.internal/shop")
    assert shown["redis"]["url"] == "rediss://default:[redacted]@cache:6380/0"


def test_defaults_and_the_preset_are_shown() -> None:
    shown = yaml.safe_load(as_yaml(settings_from({"preset": "reference", **SECRETS})))
    assert shown["stripe"]["timeout"] == "5s"
    assert shown["postgres"]["lock_timeout"] == "0.2s"
    assert shown["ledgers"]["payments"]["table"] == "payments"
    assert shown["circuit"]["breakers"][0]["recovery"] == "30s"
    assert shown["unreachable"] == "CRIT"


# ── the schema ───────────────────────────────────────────────────────────────────────────────────


def properties() -> Iterator[tuple[str, dict[str, Any]]]:
    schema = json_schema()
    for name, definition in schema["$defs"].items():
        for key, prop in definition.get("properties", {}).items():
            yield f"{name}.{key}", prop


def _described(prop: dict[str, Any]) -> bool:
    if "description" in prop:
        return True
    parts = [*prop.get("anyOf", ()), *prop.get("allOf", ())]
    reference = prop.get("$ref")
    if reference:
        definition = json_schema()["$defs"][reference.rpartition("/")[2]]
        return bool(definition.get("description"))
    return any(_described(part) for part in parts)


def test_every_key_is_described() -> None:
    assert [name for name, prop in properties() if not _described(prop)] == []


def test_the_schema_is_json_and_refuses_what_the_program_refuses() -> None:
    schema = json.loads(json.dumps(json_schema()))
    assert schema["$schema"].endswith("2020-12/schema")
    for definition in schema["$defs"].values():
        assert definition["additionalProperties"] is False
    root = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    assert set(root["properties"]) == set(Settings.__struct_fields__)


_schema = cache(json_schema)


def _violations(value: Any, schema: dict[str, Any], where: str) -> Iterator[str]:
    """The part of JSON Schema that msgspec writes, without a library for it."""
    if "$ref" in schema:
        schema = _schema()["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        if not any(not [*_violations(value, part, where)] for part in schema["anyOf"]):
            yield f"{where}: nothing fits {value!r}"
        return
    kinds = {"string": str, "object": dict, "array": list, "null": type(None), "boolean": bool}
    kind = schema.get("type")
    if kind in ("integer", "number"):
        fits = isinstance(value, int if kind == "integer" else (int, float))
        if not fits or isinstance(value, bool):
            yield f"{where}: {value!r} is no {kind}"
    elif kind and not isinstance(value, kinds[kind]):
        yield f"{where}: {value!r} is no {kind}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    elif isinstance(value, dict):
        known = schema.get("properties", {})
        extra = schema.get("additionalProperties", True)
        names = schema.get("propertyNames", {})
        for key, item in value.items():
            if names:
                yield from _violations(key, names, f"{where}.{key}")
            if key in known:
                yield from _violations(item, known[key], f"{where}.{key}")
            elif extra is False:
                yield f"{where}.{key} is unknown"
            elif isinstance(extra, dict):
                yield from _violations(item, extra, f"{where}.{key}")
        yield from (
            f"{where}.{key} is missing" for key in schema.get("required", ()) if key not in value
        )
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            yield from _violations(item, schema["items"], f"{where}[{index}]")


def test_the_little_validator_finds_violations() -> None:
    wrong = {"strip": 1, "unreachable": "crit", "stripe": {"timeout": []}, "app": {"endpoints": 1}}
    assert len([*_violations(wrong, json_schema(), "")]) >= 4


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_fits_the_schema_and_loads(name: str) -> None:
    from payops.config.files import parse_yaml, preset_text

    assert [*_violations(parse_yaml(preset_text(name), name), json_schema(), name)] == []
    assert settings_from({"preset": name}).ledgers


# ── the example ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text("utf-8"))
    return found


def test_the_example_loads_without_a_variable_and_fits_the_schema(
    example: dict[str, Any],
) -> None:
    assert read(EXAMPLE, {}).payments is not None
    assert [*_violations(example, json_schema(), "example")] == []


def test_the_example_shows_every_key() -> None:
    text = EXAMPLE.read_text("utf-8")
    written = {line.strip(" #-").partition(":")[0] for line in text.splitlines()}
    words = set(text.replace("{", " ").replace(",", " ").split())
    missing = [
        name
        for name, _ in properties()
        if (key := name.partition(".")[2]) not in written and f"{key}:" not in words
    ]
    assert missing == []


def test_the_thresholds_of_the_example_fit_the_checks() -> None:
    from payops.checks import check_ids, named

    assert named(check_ids(), read(EXAMPLE, {}))
