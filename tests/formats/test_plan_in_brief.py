"""A plan before somebody says yes: no longer than a screen, and nothing of weight left out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from payops.domain.money import Money
from payops.domain.plan import Caps, Change, Plan, Target
from payops.formats.plans.brief import FEW, plan_in_brief
from payops.formats.plans.text import plan_for_people

NOW = datetime(2026, 2, 9, 3, 0, tzinfo=UTC)
WHOLE = "payops apply plan.json --show"


def change(number: int) -> Change:
    return Change(
        id=f"status_mismatch:payments:{number}",
        remedy="ledger.update",
        table="payments",
        key={"id": f"pay_{number}"},
        before={"status": "pending"},
        after={"status": "succeeded"},
        statement="UPDATE payments SET status = 'succeeded'",
        why="Stripe took the money" if number else "the row was \x1b[31mred",
        risk="it writes to the ledger",
        undoable=number % 2 == 0,
        money=Money("usd", 1999),
    )


def plan(count: int) -> Plan:
    return Plan(
        target=Target(
            system="postgres", environment="lab", database="shop", fingerprint="f", account="acct_1"
        ),
        created_at=NOW,
        command="payops reconcile --save-plan plan.json",
        expires_s=3600,
        caps=Caps(changes=200, minor={}),
        changes=tuple(change(number) for number in range(count)),
    )


@pytest.mark.parametrize("count", range(FEW + 1))
def test_a_few_changes_are_shown_whole(count: int) -> None:
    assert plan_in_brief(plan(count), NOW, WHOLE) == plan_for_people(plan(count), NOW)


def test_eighty_changes_are_a_screen() -> None:
    lines = plan_in_brief(plan(80), NOW, WHOLE).splitlines()
    assert len(lines) <= 24
    assert all(len(line) <= 80 for line in lines)
    assert "80 changes, 1,599.20 USD" in lines[0]
    assert "   … 72 more" in lines
    assert "   why: Stripe took the money (79)" in lines
    assert "   risk: it writes to the ledger (80)" in lines
    assert "   undo: payops undo, 40 of 80" in lines
    assert lines[-1] == f"   all of it: {WHOLE}"


def test_what_a_change_does_stands_on_its_line() -> None:
    text = plan_in_brief(plan(3), NOW, WHOLE)
    assert "19.99 USD  payments pay_1: status 'pending' -> 'succeeded'" in text


def test_reasons_are_counted_and_the_rest_named() -> None:
    several = plan(9)
    changes = tuple(replace(one, why=f"reason {n}") for n, one in enumerate(several.changes))
    text = plan_in_brief(replace(several, changes=changes), NOW, WHOLE)
    assert "   why: … 5 more, a change each" in text


def test_nothing_from_outside_commands_the_terminal() -> None:
    assert "\x1b" not in plan_in_brief(plan(5), NOW, WHOLE)
