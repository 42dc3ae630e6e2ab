"""What keeps a runbook from being run is told before its first step, all of it at once."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payops.cli.command_line import commands, parse
from payops.domain.runbook import Runbook, Step
from payops.engine.runbook_known import checks_known, remedies_known, signals_known
from payops.runbook.paths import endless, unreachable
from payops.runbook.read import parsed
from payops.runbook.sound import misfits_of, misfits_together
from payops.runbook.wording import Known

KNOWN = Known(checks_known(None), signals_known(None), commands(), parse, remedies_known(None))
PAGE = """\
---
id: page
title: A page
severity: P1
mttr: 20m
rows: [S4-06]
presets: [debtflow]
symptoms:
  confirm:
    - {check: circuit.state, is: CRIT, decisive: true}
    - reconcile.missing_in_ledger
  refute: [own.not-by-card OK]
next:
  - text: Close it
    command: payops circuit reset {breaker}
parameters:
  since: {default: 24h, meaning: how far back}
steps:
  - id: look
    check: stripe.api,payments.*
    then: {not_ok: "runbook:other", unknown: escalate}
  - id: compare
    run: payops reconcile --since {since}
    then: {ok: which}
  - id: repair
    plan: payops reconcile --since {since} --save-plan {plan}
    why: they paid
    risk: none that is known
  - id: which
    ask: Was anything deployed?
    answers: [not at all, lately]
    then: {lately: repair}
  - id: wait
    wait: payments.success-rate
verify:
  - id: well
    check: payments.success-rate
    since: change
---
# A page

See it: `payops circuit status`.

```sh
payops health --only payments   # all of them
```
"""


def page(text: str = PAGE, path: str = "page.md") -> Runbook:
    return parsed(text, path)


def told(text: str) -> list[str]:
    found = misfits_of(page(text), {"page", "other"}, KNOWN)
    assert all(each.file == "page.md" for each in found)
    return [f"{each.place}: {each.what}" for each in found]


def test_a_sound_page() -> None:
    assert told(PAGE) == []


WRONG = [
    ("id: page", "id: Page", "id: 'Page' is not lower-case"),
    ("title: A page", 'title: ""', "title: is empty"),
    ("severity: P1", 'severity: ""', "severity: an incident has one"),
    ("mttr: 20m\n", "", "mttr: an incident has one"),
    ("[S4-06]", "[S4-6]", "rows: 'S4-6' is no row"),
    ("[debtflow]", "[debt-flow]", "presets: there is no preset 'debt-flow'; did you mean 'debtf"),
    (
        "check: circuit.state,",
        "check: circuit.stat,",
        "symptoms.confirm: no check matches 'circuit",
    ),
    (
        "reconcile.missing_in_ledger",
        "reconcile.missing",
        "confirm: no check matches 'reconcile.missing'; did",
    ),
    ("own.not-by-card", "own.by-card", "symptoms.refute: no check matches 'own.by-card'"),
    ("stripe.api,", "stripe.apy,", "steps.look.check: no check matches 'stripe.apy'; did you mean"),
    ("stripe.api,", "keys.mode,", "'keys.mode' is no check of `payops health`: run the command"),
    ("{not_ok: ", "{notok: ", "steps.look.then: 'notok' is not an outcome of a check: ok, not_ok"),
    ('"runbook:other"', '"runbook:othr"', "there is no runbook 'othr'; did you mean 'other'?"),
    (
        "unknown: escalate",
        "unknown: escalat",
        "there is no step 'escalat'; did you mean 'escalate'",
    ),
    (
        "{ok: which}",
        "{ok: whihc}",
        "steps.compare.then: there is no step 'whihc'; did you mean 'wh",
    ),
    ("{lately: repair}", "{earlier: repair}", "'earlier' is not an answer: not at all, lately"),
    ("[not at all, lately]", "[not at all, skip]", "'skip' is what a person says at any step"),
    ("[not at all, lately]", "[lately]", "a question has at least two"),
    ("id: which\n", "id: verify\n", "'verify' is a word of `then`"),
    ("id: wait\n", "id: look\n", "steps.look: another step has this id"),
    ("run: payops reconcile", "run: payops reconcil", "steps.compare.run: `payops reconcil"),
    ("run: payops reconcile", "run: psql", "`psql --since {since}` is no payops command"),
    ("run: payops reconcile", "run: payops apply x --dry-run", "No such option: --since"),
    ("run: payops reconcile --since {since}", "run: payops apply x", "read-only with --show alone"),
    ("--since {since}\n    then", "--since '\n    then", "a quote is not closed"),
    ("--since {since}\n    then", "--since {from}\n    then", "{from} is not declared under param"),
    ("{default: 24h", "{default: --yes", "parameters.since: begins with a hyphen"),
    (
        "parameters:\n",
        "parameters:\n  b: {default: x, meaning: y}\n",
        "parameters.b: is used nowhere",
    ),
    ("parameters:\n", "parameters:\n  plan: {default: x, meaning: y}\n", "has a meaning already"),
    (" --save-plan {plan}", "", "steps.repair.plan: has no {plan}"),
    (
        " --save-plan {plan}",
        " --save-plan x.json --only {plan}",
        "--save-plan is followed by {plan}",
    ),
    (
        "{plan}\n",
        "{plan} --force\n",
        "`payops reconcile --since {since} --save-plan {plan} --force`",
    ),
    (
        "plan: payops reconcile --since {since}",
        "plan: payops health",
        "No such option: --save-plan",
    ),
    ("why: they paid\n    risk", "risk", "steps.repair.why: is told before a change"),
    ("wait: payments.success-rate", "wait: payments.rate", "steps.wait.wait: no check matches"),
    ("wait: payments.success-rate", "wait: payops circuit reset", "is not read-only"),
    (
        "rate\nverify",
        "rate\n    every: 10m\nverify",
        "steps.wait.every: is longer than the timeout",
    ),
    ("    since: change", "    expect: []", "verify.well.expect: is empty"),
    (
        "{since}\n    then",
        "{since}\n    since: 5m\n    then",
        "belongs to checks; a command has --s",
    ),
    (
        "ask: Was anything deployed?",
        'ask: "\\e[2JWas it?"',
        "holds a character that a terminal obeys",
    ),
    (
        "circuit status`",
        "circuit state`",
        "the prose: `payops circuit state`: No such command 'state'",
    ),
    (
        "only payments ",
        "only paymnts ",
        "the prose: `payops health --only paymnts`: no check matches",
    ),
    (
        "plan: payops reconcile --since {since}",
        "plan: payops remedy plan fall-back",
        "steps.repair.plan: `payops remedy plan fall-back --save-plan {plan}`: there is no remedy",
    ),
    ("plan: payops reconcile --since {since}", "plan: payops remedy plan fallback-on", ""),
    ("{lately: repair}", "{}", ""),
]


@pytest.mark.parametrize(("old", "new", "expected"), WRONG, ids=[w[1][:30] or "-" for w in WRONG])
def test_what_is_wrong(old: str, new: str, expected: str) -> None:
    assert old in PAGE
    found = told(PAGE.replace(old, new, 1))
    if expected:
        assert any(expected in each for each in found), found
    else:
        assert found == []


def test_where_no_configuration_says_which_remedies_there_are_any_is_believed() -> None:
    text = PAGE.replace("plan: payops reconcile --since {since}", "plan: payops remedy plan my-own")
    known = replace(KNOWN, remedies=None)
    assert misfits_of(page(text), {"page", "other"}, known) == ()


def test_all_is_told_at_once() -> None:
    text = PAGE
    for old, new, expected in WRONG[1:9]:
        text = text.replace(old, new, 1)
        assert expected
    assert len(told(text)) >= 8


def test_a_line_of_the_front_matter_names_the_next_command() -> None:
    text = PAGE.replace("command: payops circuit reset", "command: payops circuit rest")
    assert any(each.startswith("next: `payops circuit rest") for each in told(text))


def test_a_page_nobody_goes_through_is_told_at_once() -> None:
    steps = "".join(f"  - {{id: s{n}, check: stripe.api}}\n" for n in range(5000))
    many = parsed(f"---\nid: page\ntitle: T\nkind: routine\nsteps:\n{steps}---\n", "page.md")
    (misfit,) = misfits_of(many, {"page"}, KNOWN)
    assert "5000 are more than anybody goes through" in str(misfit)


def test_a_command_of_nothing_but_blanks_is_none() -> None:
    blank = PAGE.replace("command: payops circuit reset {breaker}", "command: '  '")
    assert blank != PAGE
    told = misfits_of(parsed(blank, "page.md"), {"page", "other"}, KNOWN)
    assert [each for each in told if each.place == "next"] == []


def test_steps_that_nothing_leads_to() -> None:
    text = PAGE
    text = text.replace("{ok: which}", "{ok: wait, not_ok: wait, unknown: end}")
    found = told(text)
    assert "steps.repair: no way leads to it" in found
    assert "steps.which: no way leads to it" in found


def test_a_ring_in_which_nobody_is_asked() -> None:
    text = PAGE.replace("{ok: which}", "{ok: look}")
    assert "steps.look: goes round with nobody asked: look -> compare -> look" in told(text)
    assert told(text.replace("{ok: look}", "{ok: which}").replace("repair}", "look}")) == []


def test_one_scenario_belongs_to_one_page() -> None:
    sound = PAGE
    one = page(sound)
    narrow = (
        "scenarios:\n  page:\n    title: Narrower\n    symptoms:\n      confirm:\n"
        "        - {check: circuit.state, decisive: true}\nnext:"
    )
    other = page(sound.replace("id: page", "id: other").replace("next:", narrow, 1), "other.md")
    found = misfits_together([one, other], {"page", "other"})
    assert [(each.file, each.what) for each in found] == [("other.md", "is one of page too")]


@st.composite
def pages(draw: st.DrawFn) -> Runbook:
    """Pages of up to six steps that lead anywhere."""
    ids = [f"s{n}" for n in range(draw(st.integers(1, 6)))]
    targets = st.sampled_from([*ids, "next", "end", "verify", "escalate"])
    steps = tuple(
        Step(
            id=id_,
            kind=draw(st.sampled_from(["check", "run", "tell", "wait"])),
            what="stripe.api",
            then=draw(st.dictionaries(st.sampled_from(["ok", "not_ok", "unknown"]), targets)),
        )
        for id_ in ids
    )
    return Runbook(id="page", title="Any", steps=steps)


@settings(max_examples=60, deadline=None)
@given(runbook=pages())
def test_a_run_that_asks_nobody_ends_unless_a_ring_was_told(runbook: Runbook) -> None:
    """Walk all ways of outcomes: without a told ring, no way of busy steps is longer than they."""
    from payops.runbook.paths import outcomes_of, place_after, target_of

    rings = endless(runbook)
    for ring in rings:
        assert {step.kind for step in ring} <= {"check", "run"}
    lost = {step.id for step in unreachable(runbook)}
    assert runbook.steps[0].id not in lost

    def longest(step: Step | None, length: int) -> int:
        if step is None or step.kind not in {"check", "run"} or length > len(runbook.steps):
            return length
        after = [place_after(runbook, step, target_of(step, one)) for one in outcomes_of(step)]
        return max(longest(each, length + 1) for each in after)

    goes_round = any(longest(step, 0) > len(runbook.steps) for step in runbook.steps)
    assert goes_round == bool(rings)


ROOT = Path(__file__).parent.parent.parent


def test_every_row_that_a_page_cites_is_one() -> None:
    rows = set(re.findall(r"S\d-\d\d", (ROOT / "docgen" / "coverage_rows.txt").read_text()))
    for path in sorted((ROOT / "runbooks").glob("*.md")):
        if path.stem == "README":
            continue
        found = parsed(path.read_text(encoding="utf-8"), path.name)
        cited = {*found.rows, *(row for step in found.every_step for row in step.rows)}
        assert cited <= rows, f"{path.name}: {sorted(cited - rows)}"
