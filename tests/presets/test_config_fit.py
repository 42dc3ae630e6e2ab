"""`payops config check` against real databases: every misfit at once, with the nearest name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from payops.config.load import settings_from
from payops.config.settings import Settings
from payops.engine.config_fit import Fit, Misfit, fit
from presets.conftest import Filled


def fitted(filled: Filled, settings: Settings | None = None) -> Fit:
    source = filled.source()
    try:
        return fit(settings or filled.settings, source)
    finally:
        source.close()


def changed(**sections: Any) -> Settings:
    """The reference preset with keys on top."""
    return settings_from({"preset": "reference", **sections})


def told(found: Fit) -> dict[str, str]:
    return {one.path: f"{one.what}; {one.hint}" for one in found.wrong}


def test_every_preset_fits_its_system(filled: Filled) -> None:
    found = fitted(filled)
    assert found.wrong == []
    assert found.untold == []
    assert found.tables >= 1
    assert found.columns > 15


def test_a_status_that_is_too_long_for_its_column_is_noted(fill: Callable[[str], Filled]) -> None:
    (note,) = fitted(fill("ireti-pos")).notes
    assert note.path == "ledgers.payments.columns.status"
    assert "varchar(20), too short for 'requires_payment_method'" in note.what


def test_what_one_shape_lacks_is_noted(fill: Callable[[str], Filled]) -> None:
    for name, path in (
        ("v-edfinance", "not-in-enrollment"),
        ("v-edfinance-drizzle", "not-enrolled"),
    ):
        (note,) = fitted(fill(name)).notes
        assert note.path == f"checks.{path}.sql"
        assert "is SKIP here" in note.what


MISFITS: list[tuple[dict[str, Any], dict[str, str]]] = [
    (
        {"ledgers": {"payments": {"table": "payment"}}},
        {"ledgers.payments.table": "table \"payment\" does not exist; did you mean 'payments'?"},
    ),
    (
        {
            "ledgers": {
                "payments": {"columns": {"status": "state", "processor_ref": "procesor_ref"}}
            }
        },
        {
            "ledgers.payments.columns.status": "has no column \"state\"; did you mean 'status'?",
            "ledgers.payments.columns.processor_ref": "did you mean 'processor_ref'?",
        },
    ),
    (
        {"ledgers": {"payments": {"columns": {"amount": "created_at", "created_at": "status"}}}},
        {
            "ledgers.payments.columns.amount": "is of type timestamptz; amount needs one of",
            "ledgers.payments.columns.created_at": "is of type text; created_at needs one of date",
        },
    ),
    (
        {"ledgers": {"payments": {"columns": {"currency": "amount"}}}},
        {"ledgers.payments.columns.currency": "is of type int8; currency needs one of"},
    ),
    (
        {"ledgers": {"payments": {"statuses": {"succeeded": ["suceeded"]}}}},
        {"ledgers.payments.statuses": "'succeeded', which is under no word; did you mean 's"},
    ),
    (
        {"event_logs": {"stripe": {"columns": {"received_at": "event_id", "type": "typ"}}}},
        {
            "event_logs.stripe.columns.received_at": "is of type text",
            "event_logs.stripe.columns.type": "did you mean 'type'?",
        },
    ),
    (
        {"checks": {"a": {"title": "a", "sql": "SELECT amout FROM payments WHERE id > %(since)s"}}},
        {"checks.a.sql": 'column "amout" does not exist; did you mean payments.amount?'},
    ),
    (
        {
            "remedies": {
                "a": {
                    "title": "a",
                    "why": "a",
                    "table": "paymants",
                    "key": ["id"],
                    "params": {"one": ""},
                    "select": "SELECT id FROM payments WHERE %(one)s = sttus AND 'a' LIKE '%%'",
                }
            }
        },
        {
            "remedies.a.table": "did you mean 'payments'?",
            "remedies.a.select": 'column "sttus" does not exist',
        },
    ),
    (
        {"ledgers": {"payments": {"contact_query": "SELECT id, mail FROM payments"}}},
        {"ledgers.payments.contact_query": 'column "mail" does not exist'},
    ),
    (
        {
            "trace": {
                "audits": {"a": {"table": "refunds", "columns": {"row": "payment", "at": "status"}}}
            }
        },
        {
            "trace.audits.a.columns.row": "did you mean 'payment_id'?",
            "trace.audits.a.columns.at": "is of type text; at needs one of date",
        },
    ),
]


@pytest.mark.parametrize(("sections", "expected"), MISFITS, ids=" ".join)
def test_each_misfit_is_told_with_the_nearest_name(
    sections: dict[str, Any], expected: dict[str, str], fill: Callable[[str], Filled]
) -> None:
    found = told(fitted(fill("reference"), changed(**sections)))
    assert set(found) == set(expected)
    for path, words in expected.items():
        assert words in found[path], found[path]


def test_all_are_told_at_once(fill: Callable[[str], Filled]) -> None:
    """Those of different sections together, as when a schema was renamed."""
    sections: dict[str, Any] = {}
    paths: set[str] = set()
    for one, expected in MISFITS[3:8]:
        for name, section in one.items():
            sections[name] = {**sections.get(name, {}), **section}
        paths |= set(expected)
    sections["ledgers"] = {
        "payments": {**MISFITS[3][0]["ledgers"]["payments"], **MISFITS[4][0]["ledgers"]["payments"]}
    }
    assert set(told(fitted(fill("reference"), changed(**sections)))) == paths


def test_the_labels_of_an_enum_are_held_against_the_words(fill: Callable[[str], Filled]) -> None:
    statuses = {"canceled": ["CANCELED"], "failed": []}
    settings = settings_from(
        {"preset": "v-edfinance", "ledgers": {"payments": {"statuses": statuses}}}
    )
    found = fitted(fill("v-edfinance"), settings)
    wrong = [f"{one.path}: {one.what}; {one.hint}" for one in found.wrong]
    assert len(wrong) == 3
    assert "has no label 'CANCELED'; did you mean 'CANCELLED'?" in wrong[0]
    assert "has a label 'FAILED', which is under no word" in wrong[1]
    assert "has a label 'CANCELLED', which is under no word; did you mean 'CANCELED'?" in wrong[2]


def test_a_column_that_the_role_may_not_read_is_told(fill: Callable[[str], Filled]) -> None:
    filled = fill("reference")
    with filled.connect() as connection:
        connection.execute(
            "CREATE ROLE narrow LOGIN PASSWORD 'narrow';"
            "GRANT SELECT (id, status, created_at) ON payments TO narrow;"
            "GRANT SELECT ON refunds, webhook_events TO narrow"
        )
        try:
            narrow = psycopg.conninfo.make_conninfo(filled.dsn, user="narrow", password="narrow")
            found = fitted(Filled(filled.system, filled.settings, filled.history, narrow))
        finally:
            connection.execute("DROP OWNED BY narrow; DROP ROLE narrow")
    (denied,) = [one for one in found.wrong if one.path == "ledgers.payments"]
    assert "may not read" in denied.what
    assert "amount" in denied.what
    assert "created_at" not in denied.what
    assert "GRANT" in denied.hint


def test_a_database_that_does_not_answer_is_told(fill: Callable[[str], Filled]) -> None:
    filled = fill("reference")
    dead = Filled(filled.system, filled.settings, filled.history, "postgresql://x@127.0.0.1:1/x")
    found = fitted(dead)
    assert found.wrong == []
    (one,) = found.untold
    assert "connection refused" in one.what
    assert isinstance(one, Misfit)
