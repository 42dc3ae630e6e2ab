"""On each lab: a healthy payment has no divergence, an affected one the right one first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from payops.config.load import load
from payops.config.settings import Settings
from payops.domain.deadline import Deadline
from payops.engine.trace import Trace, Tracer
from payops.lab import laboratory
from payops.lab.control import Control
from payops.lab.info import LabInfo
from payops.lab.scenario import EVERY_PRESET, load_scenario, scenario_ids
from payops.lab.systems import system
from thinning import ALL, one_of_each

# Scenarios in which an event was lost, or what it told.
LOSING = tuple(one for one in scenario_ids() if load_scenario(one).causes)
HEALTHY = 40 if ALL else 15
# Causes of events that were handled in the end: the rows agree.
AGREE = frozenset({"processed-late", "processed-twice"})


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=() if name == "reference" else (pytest.mark.slow,))
        for name in EVERY_PRESET
    ],
)
def lab(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabInfo]:
    directory = tmp_path_factory.mktemp("trace") / "lab"
    # What a run spends of Stripe's limit is payops' own business: these are many at once.
    options = laboratory.LabOptions(
        dir=directory, preset=request.param, payments=150, rate_limits=False
    )
    yield laboratory.up(options)
    laboratory.down(directory)


def traced(lab: LabInfo, *ids: str) -> list[Trace]:
    """The traces of these ids, as the command makes them but for the pace."""
    settings = unhurried(load(lab.config, environment=None).settings)
    tracer = Tracer(settings, Deadline.after(10.0 * len(ids)))
    try:
        return [each for one in tracer.traced(ids) for each in one.traces]
    finally:
        tracer.close()


def unhurried(settings: Settings) -> Settings:
    """As fast as the simulator answers."""
    from msgspec.structs import replace

    assert settings.stripe is not None
    return replace(settings, stripe=replace(settings.stripe, max_requests_per_second=100))


def newest(lab: LabInfo, count: int) -> list[str]:
    """Keys of the newest rows."""
    ledger = load(lab.config, environment=None).settings.payments
    assert ledger is not None
    names = (ledger.columns.id, ledger.table, ledger.columns.created_at)
    query = sql.SQL("SELECT {}::text FROM {} ORDER BY {} DESC LIMIT %s")
    with psycopg.connect(lab.postgres_dsn) as connection:
        rows = connection.execute(query.format(*map(sql.Identifier, names)), (count,))
        return [f"local:{row[0]}" for row in rows.fetchall()]


def affected(lab: LabInfo, scenario: str) -> list[str]:
    """Paid payments that the scenario changed, oldest and one of the middle."""
    kept = json.loads((Path(lab.dir) / "scenarios" / f"{scenario}.json").read_text())
    every = list(dict.fromkeys(one for one in kept["held"] if one and one.startswith("pi_")))
    # Those that were paid: of one that was never tried again the ledger may agree without an event.
    stripe = Control("stripe", lab.stripe_control_url)
    held = [one for one in every if stripe.get(f"/objects/{one}")["status"] == "succeeded"] or every
    return list(dict.fromkeys((held[0], held[len(held) // 3])))


def of_each_cause(preset: str) -> list[str]:
    """A scenario of each cause that this system can tell."""
    fit = [one for one in LOSING if preset in load_scenario(one).presets]
    return one_of_each(fit, lambda one: load_scenario(one).causes_in(system(preset)), preset)


def test_a_healthy_payment_has_no_divergence(lab: LabInfo) -> None:
    found = traced(lab, *newest(lab, HEALTHY))
    assert len(found) == HEALTHY
    for each in found:
        assert each.found == (), each.found
        assert each.story.unseen == ()
        assert each.calls <= 12
        assert not [one for one in each.entries if one.happened.value == "missing"]


@pytest.mark.parametrize("wanted", LOSING)
def test_an_affected_payment_names_the_cause(lab: LabInfo, wanted: str) -> None:
    scenario = load_scenario(wanted)
    if lab.preset not in scenario.presets:
        pytest.skip("the scenario is not made for this system")
    if lab.preset != "reference" and wanted not in of_each_cause(lab.preset):
        pytest.skip("another scenario of this cause is traced here: PAYOPS_ALL=1 takes all")
    expected = scenario.causes_in(system(lab.preset))
    laboratory.inject(Path(lab.dir), wanted)
    try:
        found = traced(lab, *affected(lab, wanted))
    finally:
        laboratory.heal(Path(lab.dir), wanted)
    assert found
    for each in found:
        first = each.first
        assert first is not None
        assert {first.cause} <= expected
        assert first.sentence
        assert first.likely
        assert each.calls <= 12
        # DebtFlow completes a row without the event, so that it agrees all the same.
        if system(lab.preset).moves_on_success and not expected & AGREE:
            assert first.match_class == "status_mismatch", first
        commands = [action.command for action in first.actions]
        assert any("https://dashboard.stripe.com/" in action.text for action in first.actions)
        assert any(commands)


# ── discrepancies made by hand ───────────────────────────────────────────────────────────────────

# what is done to the row of a healthy payment: the class that its trace names first
FAULTS = {
    "amount": ("SET {amount} = {amount} + 5", "amount_mismatch"),
    "row gone": ("", "missing_in_ledger"),
    "failed here": ("SET {status} = %(failed)s", "status_mismatch"),
    "another reference": ("SET {reference} = %(made_up)s", "missing_in_stripe"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_row_that_was_changed_by_hand_names_its_class(lab: LabInfo, fault: str) -> None:
    ledger = load(lab.config, environment=None).settings.payments
    assert ledger is not None
    columns = ledger.columns
    reference = columns.session_ref or columns.processor_ref
    names = {
        "table": ledger.table,
        "id": columns.id,
        "amount": columns.amount,
        "status": columns.status,
        "reference": reference,
    }
    quoted = {name: sql.Identifier(value) for name, value in names.items()}
    change, match_class = FAULTS[fault]
    statement = f"UPDATE {{table}} {change}" if change else "DELETE FROM {table}"
    made_up = "cs_test_madeUp000000000000000" if columns.session_ref else "pi_mock_1700000000"
    with psycopg.connect(lab.postgres_dsn, autocommit=True) as connection:
        found = connection.execute(
            sql.SQL(
                "SELECT {id}::text, {intent}, to_jsonb(t)::text FROM {table} t "
                "WHERE {status}::text = ANY(%s) AND {intent} IS NOT NULL "
                "ORDER BY {created} DESC OFFSET 30 LIMIT 1"
            ).format(
                **quoted,
                intent=sql.Identifier(columns.processor_ref),
                created=sql.Identifier(columns.created_at),
            ),
            (list(ledger.statuses["succeeded"]),),
        ).fetchone()
        assert found is not None
        key, intent, kept = found
        text = sql.SQL(f"{statement} WHERE {{id}}::text = %(key)s").format(**quoted)
        values = {"key": key, "failed": ledger.statuses["failed"][0], "made_up": made_up}
        connection.execute(text, values)
        if fault == "another reference" and columns.session_ref:
            connection.execute(
                sql.SQL("UPDATE {table} SET {intent} = NULL WHERE {id}::text = %s").format(
                    **quoted, intent=sql.Identifier(columns.processor_ref)
                ),
                (key,),
            )
        try:
            asked = f"local:{key}" if fault == "another reference" else intent
            (trace,) = traced(lab, asked)
        finally:
            restore = sql.SQL(
                "DELETE FROM {table} WHERE {id}::text = %(key)s; "
                "INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, %(kept)s)"
            ).format(**quoted)
            for each in restore.as_string(connection).split("; "):
                connection.execute(each, {"key": key, "kept": kept})  # type: ignore[arg-type]
    assert trace.first is not None
    assert trace.first.match_class == match_class
