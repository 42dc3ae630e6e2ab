"""Every runbook that payops ships can be run, and every command in it typed."""

from __future__ import annotations

import re
from pathlib import Path

from payops.cli.command_line import commands, parse
from payops.engine.runbook_known import checks_known, remedies_known, signals_known
from payops.runbook.lines import OURS, lines_in, words_of
from payops.runbook.shelf import every_runbook, shipped
from payops.runbook.sound import misfits_of, misfits_together
from payops.runbook.wording import Known, Wording

RUNBOOKS = every_runbook(shipped())
KNOWN = Known(checks_known(None), signals_known(None), commands(), parse, remedies_known(None))
IDS = {each.id for each in RUNBOOKS}
MOST_STEPS, MOST_LINES, LONGEST_TITLE = 20, 60, 60
CONTACT = re.compile(r"\bext\. ?\d+|\b\d-\d{3}-[\dX]{3}|[\w.]+@[\w.-]+\.\w+|#[a-z]+-oncall")


def test_all_can_be_run() -> None:
    misfits = [*misfits_together(RUNBOOKS, IDS)]
    for each in RUNBOOKS:
        misfits += misfits_of(each, IDS, KNOWN)
    assert [str(each) for each in misfits] == []


def test_every_line_of_ours_is_read_by_the_real_command_line() -> None:
    """Held apart from `misfits_of`: in steps, next commands, instructions and the prose."""
    read = 0
    for each in RUNBOOKS:
        wording = Wording(each, KNOWN)
        typed = [step.what for step in each.every_step if step.kind in {"run", "plan", "wait"}]
        steps = [line for line in typed if line.startswith(f"{OURS} ")]
        actions = [*each.next, *(action for one in each.suspects for action in one.actions)]
        steps += [one.command for one in actions if one.command.startswith(f"{OURS} ")]
        told = [each.prose, *(step.what for step in each.every_step if step.kind == "tell")]
        prose = [line for text in told for line, in_block in lines_in(text) if in_block]
        for line in (*steps, *prose):
            if "…" not in line and "..." not in line:
                parse(words_of(line, wording.examples)[1:])
                read += 1
    assert read >= len(RUNBOOKS)


def test_pages_are_short_enough_to_be_followed_at_night() -> None:
    for each in RUNBOOKS:
        assert len(each.every_step) <= MOST_STEPS, each.id
        assert len(each.prose.splitlines()) <= MOST_LINES, each.id
        for step in each.every_step:
            assert 0 < len(step.title) <= LONGEST_TITLE, (each.id, step.id)


def test_nobody_to_call_is_built_in() -> None:
    """Names, numbers and addresses are the configuration's (`escalation:`)."""
    for each in RUNBOOKS:
        text = Path(each.path).read_text("utf-8")
        assert CONTACT.findall(text) == [], each.id
