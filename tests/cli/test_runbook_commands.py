"""payops' own commands as a runbook's steps run them, in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from payops.cli.invocation import Invocation
from payops.cli.runbook_commands import OwnCommands
from payops.config.load import load
from payops.domain.status import Status
from payops.errors import ConfigError


@pytest.fixture
def commands(tmp_path: Path) -> OwnCommands:
    """Of a system without remedies and caches; none of its servers is there."""
    path = tmp_path / "payops.yaml"
    path.write_text("preset: v-edfinance\nenvironment: staging\n")
    return OwnCommands(Invocation(str(path), None, True, False), load(path), "1h", 2.0)


@pytest.mark.parametrize(
    ("remedy", "told"),
    [
        ("fallback-on", "this system has no remedy fallback-on"),
        ("clear-cache", "no cache is configured (circuit.caches)"),
    ],
)
def test_a_remedy_of_another_system_has_nothing_to_change(
    remedy: str,
    told: str,
    commands: OwnCommands,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plan = tmp_path / "plan.json"
    ran = commands.run(["remedy", "plan", remedy, "--save-plan", str(plan)], shown=True)
    assert (ran.code, ran.text) == (0, told)
    assert not plan.exists()
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["reset", "trip"])
@pytest.mark.parametrize(
    ("redis", "told"),
    [
        ("", "redis is not configured, so no breaker is in it"),
        ("redis: {url: redis://127.0.0.1:1/0}\n", "no breaker is configured (circuit.breakers)"),
    ],
)
def test_where_there_is_no_breaker_none_is_changed(
    verb: str, redis: str, told: str, tmp_path: Path
) -> None:
    path, plan = tmp_path / "payops.yaml", tmp_path / "plan.json"
    path.write_text(f"preset: v-edfinance\nenvironment: staging\n{redis}")
    commands = OwnCommands(Invocation(str(path), None, True, False), load(path), "1h", 2.0)
    ran = commands.run(["circuit", verb, "stripe", "--save-plan", str(plan)], shown=False)
    assert (ran.code, ran.text) == (0, told)
    assert not plan.exists()


def test_what_is_not_a_plan_of_a_remedy_is_run(commands: OwnCommands) -> None:
    ran = commands.run(["remedy", "list"], shown=False)
    assert ran.code == 0
    assert "clear-cache" in ran.text
    shown = commands.run(["remedy", "show", "fallback-on"], shown=False)
    assert (shown.code, "there is no remedy" in shown.text) == (3, True)


def test_a_check_is_asked_by_the_configuration_as_it_is_now(
    commands: OwnCommands, tmp_path: Path
) -> None:
    """A key that is put right while the run waits for it is seen by the checks behind it."""
    page = tmp_path / "payops.yaml"
    wrong = "stripe: {secret_key: 'pk_test_0000000000000000'}\n"
    page.write_text(page.read_text() + wrong)
    (found,) = commands.check("keys.configured", since=None, shown=False).checks
    assert found.status is Status.CRIT
    page.write_text(page.read_text().replace(wrong, ""))
    (found,) = commands.check("keys.configured", since=None, shown=False).checks
    assert found.status is not Status.CRIT


def test_a_configuration_that_became_unreadable_is_told(
    commands: OwnCommands, tmp_path: Path
) -> None:
    (tmp_path / "payops.yaml").write_text("preset: [")
    with pytest.raises(ConfigError):
        commands.check("keys.configured", since=None, shown=False)
