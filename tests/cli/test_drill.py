"""`payops drill` as a person takes it: begun, worked at with payops' own commands, ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from at_terminal import AtTerminal
from command import Finished, assert_calm, payops
from payops.lab import laboratory


@pytest.fixture
def where(tmp_path: Path) -> Iterator[Path]:
    """The folder of a drill's lab; whatever is left there is ended."""
    directory = tmp_path / "drill"
    yield directory
    laboratory.down(directory)


def drill(where: Path, *arguments: str) -> Finished:
    """Run `payops drill` on that folder."""
    return payops("drill", *arguments, "--dir", where)


@pytest.mark.slow
def test_one_that_is_repaired_with_payops_own_commands(where: Path, tmp_path: Path) -> None:
    begun = drill(where, "--blind", "circuit-stuck-open", "--seed", "4")
    assert begun.code == 0, begun.err
    assert "Support: customers write that they cannot pay." in begun.out
    assert "circuit-stuck-open" not in begun.out + begun.err
    assert max(map(len, begun.out.splitlines())) <= 80 + len(str(where))
    config = str(where / "payops.yaml")
    assert f"export PAYOPS_CONFIG={config}" in begun.out
    assert drill(where, "--status").out.splitlines()[:5] == begun.out.splitlines()[:5]
    status = payops("lab", "status", "--dir", where)
    assert "broken by: hidden-" in status.out

    not_yet = drill(where, "--check", "-o", "json")
    assert not_yet.code == 2
    told = json.loads(not_yet.out)
    assert told["drill"]["scenarios"] is None
    assert {check["id"]: check["status"] for check in told["checks"]} == {
        "drill.repaired": "CRIT",
        "drill.time": "OK",
    }
    nobody = drill(where, "--diagnosis", "circuit-stuck-open")
    assert nobody.out.startswith("circuit-stuck-open: yes.")
    assert drill(where, "--outside").code == 1
    closed = payops(
        *("--config", config, "circuit", "reset", "stripe", "--yes", "--observe", "0s"), timeout=60
    )
    assert closed.code == 0, closed.err

    done = drill(where, "--end", "-o", "json")
    assert done.code == 0, done.out + done.err
    came = json.loads(done.out)
    assert came["drill"]["scenarios"] == ["circuit-stuck-open"]
    assert came["drill"]["diagnosed_s"] <= came["drill"]["repaired_s"] <= came["drill"]["elapsed_s"]
    assert [row["what"] for row in came["used"]] == [
        "said: circuit-stuck-open",
        "payops circuit reset stripe (1 change)",
    ]
    assert not where.exists()
    again = drill(where, "--end")
    assert again.code == 3
    assert "no drill is under way" in again.err
    assert_calm(again)


@pytest.mark.slow
def test_at_a_terminal_it_waits_with_a_clock_and_leaves_nothing(where: Path) -> None:
    person = AtTerminal("drill", "--blind", "--dir", where, env={"XDG_STATE_HOME": str(where)})
    person.until("The clock:")
    person.type()
    person.until("Not yet:")
    person.type("no-such-thing")
    person.until("there is no scenario")
    person.type("q")
    person.until("drill.repaired")
    assert person.ended() == 2
    assert not where.exists()

    person = AtTerminal("drill", "--blind", "--dir", where, env={"XDG_STATE_HOME": str(where)})
    person.until("The clock:")
    person.press("\x03")
    assert person.ended() == 130
    assert "Traceback" not in person.seen
    assert not where.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--end", "--status"], "go alone"),
        (["redis-down", "--check"], "go alone"),
        (["redis-dwon"], "did you mean 'redis-down'"),
        (["--severity", "terrible"], "is no severity"),
        (["--timeout", "never"], "is not a duration"),
        (["--check"], "no drill is under way"),
        (["--preset", "magento"], "the lab has no preset"),
        (["connect-account-disabled", "--preset", "reference"], "is not made for the preset"),
    ],
)
def test_what_cannot_be_drilled(where: Path, arguments: list[str], said: str) -> None:
    done = drill(where, *arguments)
    assert done.code == 3
    assert said in done.err
    assert_calm(done)
    assert not where.exists()
