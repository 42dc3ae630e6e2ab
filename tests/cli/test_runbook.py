"""`payops runbook` as people use it: at a terminal that may go away, in cron, on their own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_py
import yaml

from at_terminal import AtTerminal
from command import assert_calm, payops
from payops.lab.info import LabInfo
from payops.lab.merchant.breaker import FAILURES, LAST_FAILURE, OPENED_AT, STATE

KEYS = (STATE, FAILURES, LAST_FAILURE, OPENED_AT)
OWN = """\
---
id: close-it
title: "Close it [bold]now[/bold]"
kind: routine
steps:
  - id: again
    title: Closed again?
    wait: circuit.state
    every: 60s
  - id: close
    plan: payops circuit reset {breaker} --save-plan {plan}
    why: it is stuck
    risk: none that is known
verify:
  - id: closed
    check: circuit.state
---
Text with \x1b[2J in it.
"""


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """A user's own folders: a journal, and a runbook of theirs."""
    folder = tmp_path / "config" / "payops" / "runbooks"
    folder.mkdir(parents=True, mode=0o700)
    folder.chmod(0o700)
    page = folder / "close-it.md"
    page.write_text(OWN)
    page.chmod(0o600)
    return {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture
def stuck(lab: LabInfo) -> Iterator[redis_py.Redis]:
    """The lab's Redis with a breaker that stays open; as it was afterwards."""
    client = redis_py.Redis.from_url(lab.redis_url, decode_responses=True)
    kept = {key: client.get(key) for key in KEYS}
    at = f"{time.time() - 720:.3f}"
    client.mset({STATE: "open", FAILURES: 7, OPENED_AT: at, LAST_FAILURE: at})
    yield client
    client.delete(*KEYS)
    for key, value in kept.items():
        if value is not None:
            client.set(key, value)
    client.close()


def run(lab: LabInfo, home: dict[str, str], *words: str, report: Path | None = None) -> AtTerminal:
    return AtTerminal("--config", lab.config, "runbook", "run", *words, env=home, report=report)


def said_to(prompt: str) -> str:
    """What somebody says who follows the page."""
    if "Apply it?" in prompt:
        return "y"
    if "no / yes" in prompt:  # nobody opened it on purpose
        return "no"
    return "yes" if "yes / no" in prompt else ""


def journal(lab: LabInfo, home: dict[str, str]) -> list[dict[str, Any]]:
    """Its entries; it is whole."""
    assert payops("--config", lab.config, "journal", "verify", env=home).code == 0
    done = payops("--config", lab.config, "journal", "-o", "json", env=home)
    entries: list[dict[str, Any]] = json.loads(done.out)["entries"]
    return entries


def test_a_run_that_is_killed_goes_on_where_it_was(
    lab: LabInfo, home: dict[str, str], stuck: redis_py.Redis, tmp_path: Path
) -> None:
    first = run(lab, home, "circuit-stuck-open")
    while "Apply it?" not in (prompt := first.prompt()):
        assert prompt, first.seen
        if "note" not in first.seen:
            first.type("n a note about rk_live_abcdefghijklmnopqrstuv")
            first.prompt()
        first.type(said_to(prompt))
    first.kill()
    assert stuck.get(STATE) == "open"
    before = journal(lab, home)

    report = tmp_path / "report.json"
    second = run(lab, home, "circuit-stuck-open", "-o", "json", report=report)
    assert "yes / no" in second.prompt()
    assert "left a run of this" in second.seen
    second.type("yes")
    while prompt := second.prompt():
        second.type(said_to(prompt))
    assert second.ended() == 0, second.seen
    assert stuck.get(STATE) is None

    told = json.loads(report.read_text())
    assert told["status"] == "OK"
    assert told["command"] == "runbook run circuit-stuck-open"
    (close,) = [step for step in told["steps"] if step["step"] == "close"]
    assert (close["outcome"], len(close["changes"])) == ("done", 1)
    assert [step["number"] for step in told["steps"]] == sorted(
        step["number"] for step in told["steps"]
    )
    assert "abcdefghij" not in report.read_text() + str(before)
    entries = journal(lab, home)
    assert entries[close["changes"][0] - 1]["kind"] == "outcome"
    assert [each["event"] for each in entries if each["kind"] == "runbook"].count("begin") == 1
    done = payops("--config", lab.config, "runbook", "run", "--resume", env=home)
    assert done.code == 3  # nobody to ask
    assert_calm(done)


def test_a_wait_can_be_left_and_a_change_is_asked_for(
    lab: LabInfo, home: dict[str, str], stuck: redis_py.Redis
) -> None:
    at = run(lab, home, "close-it")
    assert "Enter waits" in at.prompt()
    at.type()
    at.until("again in")
    at.press("\x03")
    assert "Enter goes on waiting" in at.prompt()
    at.type("s")
    assert "Enter makes the plan" in at.prompt()
    assert "[bold]now[/bold]" not in at.seen  # titles of steps alone are shown
    at.type()
    assert "Apply it? [y/N]" in at.prompt()
    at.type("nonsense")
    at.until("is not understood")
    at.prompt()
    at.type()
    assert "Enter asks" in at.prompt()
    at.type("q")
    assert at.ended() == 3
    assert stuck.get(STATE) == "open"
    assert "runbook run close-it --resume" in at.seen
    outcomes = [each.get("outcome") for each in journal(lab, home) if each["kind"] == "runbook"]
    assert [each for each in outcomes if each] == ["skipped", "declined"]


def test_in_production_the_name_is_typed(
    lab: LabInfo, home: dict[str, str], stuck: redis_py.Redis, tmp_path: Path
) -> None:
    written = yaml.safe_load(Path(lab.config).read_text())
    config = tmp_path / "payops.yaml"
    config.write_text(yaml.safe_dump(written | {"environment": "prod-drill"}))
    config.chmod(0o600)
    # Its key is a test key, so payops sees no production payments: a reset would be refused.
    stuck.delete(*KEYS)
    page = Path(home["XDG_CONFIG_HOME"]) / "payops" / "runbooks" / "close-it.md"
    page.write_text(OWN.replace("circuit reset", "circuit trip"))
    at = AtTerminal("--config", config, "runbook", "run", "close-it", "--from", "close", env=home)
    for name, state in (("prod", None), ("prod-drill", "open")):
        assert "Enter makes the plan" in at.prompt()
        at.type()
        assert "Apply it? [y/N]" in at.prompt()
        at.type("y")
        at.until("Type 'prod-drill' to apply 1 change")
        at.type(name)
        at.prompt()
        assert stuck.get(STATE) == state
        if name == "prod":
            at.type("b")
    at.type()
    assert at.ended() == 2  # it is open now
    assert "not the environment's name" in at.seen


def test_in_cron_nobody_is_asked(lab: LabInfo, home: dict[str, str], stuck: redis_py.Redis) -> None:
    refused = payops("--config", lab.config, "runbook", "run", "close-it", "--check", env=home)
    assert refused.code == 3
    assert refused.out.startswith("PAYOPS UNKNOWN - --check is for cron")
    done = payops(
        "--config", lab.config, "runbook", "run", "close-it", "--auto", "-o", "json", env=home
    )
    assert done.code == 2, done.err
    told = json.loads(done.out)
    assert [step["outcome"] for step in told["steps"]] == ["timeout", "not asked", "not_ok"]
    assert stuck.get(STATE) == "open"
    checked = payops(
        "--config", lab.config, "runbook", "run", "close-it", "--auto", "--check", env=home
    )
    assert checked.out.startswith("PAYOPS RUNBOOK RUN CLOSE-IT CRITICAL - ")


def test_a_page_in_the_place_of_ours_is_told(
    lab: LabInfo, home: dict[str, str], stuck: redis_py.Redis
) -> None:
    page = Path(home["XDG_CONFIG_HOME"]) / "payops" / "runbooks" / "circuit-stuck-open.md"
    page.write_text(OWN.replace("close-it", "circuit-stuck-open"))
    page.chmod(0o600)
    done = payops(
        "--config", lab.config, "runbook", "run", "circuit-stuck-open", "--auto", env=home
    )
    assert f"this is your own page, in the place of payops': {page}" in done.err


ODD = [
    (["run"], "which runbook?"),
    (["run", "clsoe-it", "--auto"], "did you mean 'close-it'?"),
    (["run", "close-it", "--auto", "--from", "x"], "has no step 'x'; its steps: again, close"),
    (["run", "close-it", "--auto", "--set", "x=1"], "has no 'x'"),
    (["run", "close-it", "--auto", "--set", "breaker=--yes"], "as an option does"),
    (["run", "close-it", "--auto", "--resume"], "drop --auto and --from"),
    (["run", "--resume", "--auto", "--set", "a=b"], "drop --auto and --from"),
    (["run", "close-it"], "the input is no terminal; --auto does"),
    (["run", "close-it", "--auto", "--began", "tomorrow"], "--began:"),
    (["show", "nothing-like-it"], "there is no runbook"),
    (["new", "close-it"], "is there already, and was not touched"),
    (["new", "../x"], "is not lower-case words"),
]


@pytest.mark.parametrize(("words", "expected"), ODD, ids=[" ".join(words) for words, _ in ODD])
def test_what_cannot_be(
    lab: LabInfo, home: dict[str, str], words: list[str], expected: str
) -> None:
    done = payops("--config", lab.config, "runbook", *words, env=home)
    assert (done.code, done.out) == (3, "")
    assert expected in done.err
    assert_calm(done)


def test_a_page_that_no_run_would_take_is_shown_and_not_obeyed(home: dict[str, str]) -> None:
    page = Path(home["XDG_CONFIG_HOME"]) / "payops" / "runbooks" / "odd.md"
    step = '{id: "a\\e[2J", check: stripe.api, then: {"ok\\e[2J": "runbook:x\\e[2J"}}'
    page.write_text(f"---\nid: odd\ntitle: Odd\nkind: routine\nsteps:\n  - {step}\n---\nText.\n")
    page.chmod(0o600)
    for output in ("plain", "table"):
        shown = payops("runbook", "show", "odd", "-o", output, env=home)
        assert shown.code == 0
        assert "x\\x1b[2J" in shown.out
        assert "\x1b[2J" not in shown.out


def test_pages_are_listed_shown_written_and_checked(tmp_path: Path, home: dict[str, str]) -> None:
    listed = payops("runbook", "list", "-o", "json", env=home)
    pages = {each["id"]: each for each in json.loads(listed.out)["runbooks"]}
    assert pages["close-it"]["kind"] == "routine"
    assert pages["circuit-stuck-open"]["mttr_s"] == 1200
    shown = payops("runbook", "show", "close-it", env=home)
    assert "Text with \\x1b[2J in it." in shown.out
    laid_out = payops("runbook", "show", "close-it", "-o", "table", env=home)
    assert "Close it [bold]now[/bold]" in laid_out.out
    assert "\x1b[2J" not in laid_out.out
    steps = json.loads(payops("runbook", "show", "close-it", "-o", "json", env=home).out)["steps"]
    assert [step["kind"] for step in steps] == ["wait", "plan"]

    assert payops("runbook", "new", "mine", env=home).code == 0
    assert payops("runbook", "new", "copy", "--from", "close-it", env=home).code == 3
    assert payops("runbook", "new", "copy", "--from", "circuit-stuck-open", env=home).code == 0
    folder = Path(home["XDG_CONFIG_HOME"]) / "payops" / "runbooks"
    mine = payops("runbook", "check", folder / "mine.md", folder / "copy.md", env=home)
    assert (mine.code, mine.out) == (0, "2 runbooks: all can be run\n")
    assert (folder / "mine.md").stat().st_mode & 0o777 == 0o600

    (folder / "mine.md").write_text(
        (folder / "mine.md").read_text().replace("stripe.api", "stripe")
    )
    (folder / "copy.md").chmod(0o666)
    listed = payops("runbook", "list", env=home)
    assert listed.code == 0
    assert "its file can be written by others" in listed.err
    wrong = payops("runbook", "check", tmp_path / "none.md", env=home)
    assert (wrong.code, "cannot be read" in wrong.out) == (3, True)
