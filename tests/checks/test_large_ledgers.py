"""What payops asks of a large ledger of every system: soon answered, by index, in nobody's way."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from large import LARGE, Large, large, nodes
from payops.checks.contract import Context
from payops.checks.postgres.indexes import CHECK, LIMITS
from payops.domain.deadline import Deadline
from payops.domain.report import Report
from payops.domain.result import CheckResult
from payops.domain.status import Status
from payops.domain.window import Window
from payops.lab.systems import system_names
from payops.sources import Sources

pytestmark = pytest.mark.slow

TIMEOUT_MS = 2_000  # postgres.statement_timeout, by default

# Tables that are read from end to end, since a system's real schema has no index for what is asked
# of them; and whether the index that postgres.indexes asks for puts an end to it.
READ_WHOLE = {
    "bookedbarber": {
        "payments": True,  # the models build no index but the keys'
        "external_transactions": False,  # own.commission-backlog: all that are older than 14 days
        "platform_collections": False,  # `payops connections` adds all of them up
        "users": False,  # none on payment_mode, which only external.configuration looks for
    },
    "bookedbarber-migrated": {
        "external_transactions": False,
        "platform_collections": False,
        "users": False,
    },
    # own.balances holds every account against all of its payments
    "debtflow": {"accounts_account": False, "payments_payment": False},
    # own.sale-without-payment: none on transaction_dt
    "ireti-pos": {"transaction_transaction": False},
}


@pytest.fixture(scope="module", params=system_names())
def lab(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Large]:
    with large(tmp_path_factory.mktemp("large") / "lab", request.param) as found:
        yield found


def test_it_is_as_well_as_with_few(lab: Large) -> None:
    assert _wrong(lab.report).items() <= _wrong(lab.before).items()
    assert len(lab.asked) >= 20


def test_each_query_ends_within_its_statement_timeout(lab: Large) -> None:
    assert {one.text: one.ms for one in lab.asked if one.ms >= TIMEOUT_MS} == {}


def test_a_table_with_an_index_is_not_read_from_end_to_end(lab: Large) -> None:
    known, touched = READ_WHOLE.get(lab.name, {}), 0
    for one in lab.asked:
        touched += any(lab.is_large(node.get("Relation Name", "")) for node in nodes(lab.plan(one)))
        whole = lab.read_whole(one)
        assert set(whole) <= known.keys(), one.text
        # own.one-intent-twice of bookedbarber looks for the day's among all
        assert len(whole) <= 2, one.text
    assert touched >= 10
    assert _read_whole(lab) == known.keys()


def test_nobody_who_writes_waits_for_payops(lab: Large) -> None:
    assert lab.written >= 20
    assert lab.in_the_way == frozenset()


def test_the_index_that_is_missing_is_named_and_helps(lab: Large) -> None:
    """Last of all: it makes them."""
    for _ in range(5):
        result = _indexes(lab)
        told = [re.search(r"CREATE INDEX CONCURRENTLY ON .*", one.text) for one in result.actions]
        for statement in filter(None, told):
            lab.db.execute(statement[0].encode())
        if not any(told):
            break
    assert result.status is Status.OK
    known = READ_WHOLE.get(lab.name, {})
    assert _read_whole(lab) == {table for table, helped in known.items() if not helped}


def _wrong(report: Report) -> dict[str, str]:
    well = (Status.OK, Status.SKIP)
    return {one.id: one.summary for one in report.checks if one.status not in well}


def _read_whole(lab: Large) -> set[str]:
    return {table for one in lab.asked for table in lab.read_whole(one)}


def _indexes(lab: Large) -> CheckResult:
    """What the check says, of tables that are large enough for it."""
    now = datetime.now(UTC)
    rows = replace(LIMITS["rows"], warn=LARGE)
    sources = Sources(lab.settings, Deadline.after(10))
    try:
        window = Window(now - timedelta(hours=1), now)
        ctx = Context(lab.settings, sources, window, now, Deadline.after(10))
        return CHECK.judge(CHECK.gather(ctx), {**LIMITS, "rows": rows})
    finally:
        sources.close()
