"""No secret of the configuration comes out of any command, in any format, crashes included."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from command import payops
from payops.formats import FORMATS
from payops.lab import laboratory
from payops.lab.info import LabInfo


def secrets_of(config: Path) -> set[str]:
    """Every secret in a configuration, and the passwords inside its URLs."""
    raw = yaml.safe_load(config.read_text())
    stripe = raw.get("stripe", {})
    found = {stripe.get("secret_key", ""), *stripe.get("webhook_secrets", [])}
    for url in (
        raw.get("postgres", {}).get("dsn", ""),
        raw.get("postgres", {}).get("write_dsn", ""),
        raw.get("redis", {}).get("url", ""),
    ):
        found |= set(re.findall(r"://[^:/@]*:([^@]+)@", url))
    return {secret for secret in found if secret}


def assert_none_in(secrets: set[str], text: str) -> None:
    assert secrets
    for secret in secrets:
        assert secret not in text


COMMANDS = [
    *(["health", "-o", output] for output in FORMATS),
    *(["--verbose", "health", "-o", output] for output in FORMATS),
    ["health", "--check"],
    ["health", "--list"],
    ["config", "show"],
    ["config", "check"],
    ["config", "schema"],
    ["lab", "list"],
    ["lab", "list", "-o", "json"],
    ["--verbose", "--environment", "wrong", "health"],
    ["--verbose", "health", "--only", "nothing"],
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_on_the_lab(lab: LabInfo, arguments: list[str]) -> None:
    done = payops("--config", lab.config, *arguments)
    assert_none_in(secrets_of(Path(lab.config)), done.out + done.err)


def test_lab_status(lab: LabInfo) -> None:
    done = payops("lab", "status", "--dir", lab.dir)
    assert done.code == 0
    assert_none_in(secrets_of(Path(lab.config)), done.out + done.err)


@pytest.mark.parametrize("scenario", ["stripe-key-invalid", "database-down", "redis-down"])
def test_under_failure(lab: LabInfo, scenario: str) -> None:
    laboratory.inject(Path(lab.dir), scenario)
    try:
        for output in FORMATS:
            done = payops("--config", lab.config, "--verbose", "health", "-o", output)
            assert_none_in(secrets_of(Path(lab.config)), done.out + done.err)
    finally:
        laboratory.heal(Path(lab.dir), scenario)


@pytest.mark.parametrize(
    "text",
    [
        # credentials that no server accepts, in every place where one can stand
        'postgres: {dsn: "postgresql://u:Canary7secret@127.0.0.1:1/x"}',
        "postgres: {dsn: \"host=127.0.0.1 port=1 user=u password='Canary7secret' dbname=x\"}",
        'postgres: {dsn: "not a dsn at all Canary7secret"}',
        'postgres: {dsn: "postgresql://u:Canary7secret@[::1/x"}',
        'redis: {url: "redis://:Canary7secret@127.0.0.1:1/0"}',
        'redis: {url: "Canary7secret"}',
        'redis: {url: "redis://:Canary7secret@127.0.0.1:notaport/0"}',
        'stripe: {secret_key: "Canary7secret", api_base: "http://127.0.0.1:1"}',
        'stripe: {secret_key: "Canary7secret\\nX-Evil: 1", api_base: "http://127.0.0.1:1"}',
        'stripe: {secret_key: "Canary7secret", api_base: "not a url"}',
        'stripe: {secret_key: "x", webhook_secrets: ["Canary7secret"], timeout: soon}',
        'stripe: {secret_key: {secret_command: "echo Canary7secret"}, timeout: soon}',
        "stripe: {secret_key: {secret_command: \"sh -c 'echo Canary7secret >&2; exit 3'\"}}",
        'stripe: {secret_key: "${CANARY}", publishable_key: 5}',
        'stripe: {secret_key: ["Canary7secret"]}',
    ],
)
@pytest.mark.parametrize("command", [["health"], ["health", "-o", "json"], ["config", "show"]])
def test_broken_configurations(tmp_path: Path, text: str, command: list[str]) -> None:
    path = tmp_path / "payops.yaml"
    path.write_text(text + "\n")
    path.chmod(0o600)
    done = payops(
        "--config", path, "--verbose", *command, env={"CANARY": "Canary7secret"}, timeout=30
    )
    assert "Canary7secret" not in done.out + done.err
    assert done.code in (0, 2, 3)
