"""From discrepancies to a file on a real Postgres, and back into its rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from changes import Shop, why, words
from payops.config.settings import Settings
from payops.domain.discrepancy import Discrepancy, MatchClass
from payops.domain.money import Money
from payops.domain.plan_facts import StripeFacts
from payops.domain.status import Status
from payops.engine.planning import Planned, load_plan, plan_from, save_plan
from payops.engine.target import check_signed
from payops.errors import NotConfiguredError, RefusedError, SourceError, UsageError

MOMENT = datetime(2026, 2, 11, 9, 0, 0, 500000, tzinfo=UTC)
DDL = """
CREATE TYPE state AS ENUM ('PENDING', 'COMPLETED', 'FAILED');
CREATE TABLE "Payment" (
  "paymentId" bigint PRIMARY KEY, "stripeRef" varchar(64), state state NOT NULL,
  total numeric(10,2) NOT NULL, "createdAt" timestamp NOT NULL, "paidAt" timestamp(0),
  meta jsonb);
CREATE TABLE refund (
  id uuid PRIMARY KEY, payment bigint REFERENCES "Payment", ref text NOT NULL,
  amount numeric(10,2) NOT NULL, state text NOT NULL, at timestamptz DEFAULT '2026-01-01+00');
INSERT INTO "Payment" VALUES
  (1, 'pi_1', 'PENDING', 19.99, '2026-02-11 08:59', NULL, '{"b": 1, "a": 2}'),
  (2, 'pi_2', 'PENDING', 5, '2026-02-11 08:59', NULL, NULL),
  (3, NULL, 'PENDING', 7.5, '2026-02-11 08:59', NULL, NULL);
"""
LEDGERS: dict[str, Any] = {
    "payments": {
        "table": "Payment",
        "columns": {
            "id": "paymentId",
            "processor_ref": "stripeRef",
            "status": "state",
            "amount": "total",
            "created_at": "createdAt",
        },
        "amount_unit": "major",
        "timezone": "America/New_York",
        "statuses": {"pending": ["PENDING"], "succeeded": ["COMPLETED"], "failed": ["FAILED"]},
        "fixes": [
            {
                "when": {
                    "match_class": "status_mismatch",
                    "local": ["pending"],
                    "stripe": ["succeeded"],
                },
                "set": {
                    "state": "COMPLETED",
                    "paidAt": "@succeeded_at",
                    "stripeRef": "@payment_intent",
                },
                "why": "Stripe took the money",
            },
            {
                "when": {"match_class": "refund_missing"},
                "insert_into": "refunds",
                "set": {
                    "id": "@uuid",
                    "payment": "@local_id",
                    "ref": "@refund",
                    "amount": "@amount",
                    "state": "done",
                },
                "why": "never recorded",
            },
        ],
    },
    "refunds": {
        "kind": "refunds",
        "table": "refund",
        "columns": {
            "id": "id",
            "processor_ref": "ref",
            "status": "state",
            "amount": "amount",
            "created_at": "at",
        },
        "amount_unit": "major",
        "statuses": {"succeeded": ["done"]},
    },
}


def found(number: int, **more: Any) -> Discrepancy:
    given: dict[str, Any] = {
        "match_class": MatchClass.STATUS_MISMATCH,
        "ledger": "payments",
        "local_id": str(number),
        "stripe_id": f"pi_{number}",
        "local_status": "PENDING",
        "stripe_status": "succeeded",
        "money": Money("usd", 1999),
        "severity": Status.CRIT,
        "created": MOMENT,
        "age_s": 1800.0,
        "matched_by": "metadata",
        **more,
    }
    return Discrepancy(**given)


def facts(number: int, minor: int) -> StripeFacts:
    return StripeFacts(
        payment_intent=f"pi_{number}",
        created=MOMENT,
        succeeded_at=MOMENT,
        amount=Money("usd", minor),
        other_live=(),
    )


FACTS = {"pi_1": facts(1, 1999), "pi_2": facts(2, 500), "pi_3": facts(3, 750)}


def plan(settings: Settings, discrepancies: Iterable[Discrepancy], **more: Any) -> Planned:
    given: dict[str, Any] = {
        "account": "",
        "command": "payops reconcile",
        "now": datetime.now(UTC),
        **more,
    }
    return plan_from(discrepancies, settings, {**FACTS, **given.pop("facts", {})}, **given)


def test_from_discrepancies_to_rows_and_planned_again(shop: Shop) -> None:
    shop.sql.execute(DDL)  # type: ignore[arg-type]
    settings = shop.settings(ledgers=LEDGERS)
    made = plan(settings, [found(1), found(2), found(3)])
    assert made.refused == ()
    first = made.plan.changes[0]
    assert first.after == {"state": "COMPLETED", "paidAt": "2026-02-11 04:00:01"}
    assert first.before["total"] == "19.99"
    assert '"Payment"' in first.statement
    assert made.plan.changes[2].after["stripeRef"] == "pi_3"
    path = shop.folder / "plan.json"
    save_plan(made.plan, path)
    assert load_plan(path) == made.plan
    assert words(shop.apply(load_plan(path))) == ["done"] * 3
    assert shop.value("""SELECT "paidAt"::text FROM "Payment" WHERE "paymentId" = 1""") == (
        "2026-02-11 04:00:01"
    )
    again = plan(settings, [found(1)])
    assert again.plan.changes == ()
    assert "changed since it was matched" in again.refused[0].why


def test_a_missing_refund_is_recorded_once_whoever_plans_it_again(shop: Shop) -> None:
    shop.sql.execute(DDL)  # type: ignore[arg-type]
    settings = shop.settings(ledgers=LEDGERS)
    missing = found(1, match_class=MatchClass.REFUND_MISSING, stripe_id="re_1")
    known = {"re_1": replace(facts(1, 250), refund="re_1", local_id="1", other_live=None)}
    one = plan(settings, [missing], facts=known)
    two = plan(settings, [missing], facts=known, command="again")
    assert one.plan.changes == two.plan.changes
    assert one.plan.changes[0].after["amount"] == "2.50"
    assert words(shop.apply(one.plan)) == ["done"]
    assert words(shop.apply(two.plan)) == ["already done"]
    assert shop.value("SELECT count(*) FROM refund") == 1


def test_what_the_database_would_not_take_is_refused_when_planning(shop: Shop) -> None:
    shop.sql.execute(DDL)  # type: ignore[arg-type]
    for word, said in (("Completed", "invalid input value for enum"), ("COMPLETED", "")):
        mapped = {**LEDGERS, "payments": {**LEDGERS["payments"]}}
        fix = {**LEDGERS["payments"]["fixes"][0], "set": {"state": word}}
        mapped["payments"]["fixes"] = [fix]
        made = plan(shop.settings(ledgers=mapped), [found(1)])
        assert said in "".join(each.why for each in made.refused)
    long = {**LEDGERS["payments"]["fixes"][0], "set": {"stripeRef": "x" * 65}}
    mapped["payments"] = {**mapped["payments"], "fixes": [long]}
    made = plan(shop.settings(ledgers=mapped), [found(3)])
    assert "does not hold it whole" in made.refused[0].why


def test_a_row_stands_in_a_plan_once(shop: Shop) -> None:
    shop.sql.execute(DDL)  # type: ignore[arg-type]
    unknown = found(1, ledger="")
    odd_key = found(2, local_id="not a number")
    made = plan(shop.settings(ledgers=LEDGERS), [found(1), found(1), found(9), unknown, odd_key])
    assert len(made.plan.changes) == 1
    assert [each.why for each in made.refused] == [
        "it belongs to no mapped ledger",
        "the plan changes that row already",
        "Stripe's side of it is not known",
        "the row is gone, or its key finds several",
    ]


def test_many_rows_are_read_in_batches(shop: Shop) -> None:
    shop.sql.execute(DDL)  # type: ignore[arg-type]
    shop.sql.execute(
        """INSERT INTO "Payment" SELECT n, 'pi_' || n, 'PENDING', 1, now(), NULL, NULL
        FROM generate_series(10, 2600) AS n"""
    )
    numbers = range(10, 2600, 2)
    known = {f"pi_{n}": facts(n, 100) for n in numbers}
    made = plan(shop.settings(ledgers=LEDGERS), [found(n) for n in numbers], facts=known)
    assert len(made.plan.changes) == len(numbers)
    assert made.refused == ()


def test_without_a_database_or_with_a_wrong_mapping(shop: Shop) -> None:
    shop.sql.execute(DDL)  # type: ignore[arg-type]
    with pytest.raises(NotConfiguredError):
        plan(shop.settings(postgres=None, ledgers=LEDGERS), [found(1)])
    mapped = {**LEDGERS, "payments": {**LEDGERS["payments"], "table": "Payments"}}
    with pytest.raises(SourceError, match="does not exist"):
        plan(shop.settings(ledgers=mapped), [found(1)])
    secret = {**LEDGERS["payments"]["fixes"][0], "set": {"client_secret": "x"}}
    mapped["payments"] = {**LEDGERS["payments"], "fixes": [secret]}
    shop.sql.execute('ALTER TABLE "Payment" ADD client_secret text')
    with pytest.raises(SourceError, match="holds secrets"):
        plan(shop.settings(ledgers=mapped), [found(1)])


def test_a_plan_file_is_private_whole_and_replaced_at_once(shop: Shop) -> None:
    made = shop.plan(*shop.succeed(shop.payments(1)))
    path = shop.folder / "plan.json"
    path.write_text("older")
    path.chmod(0o644)
    save_plan(made, path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in shop.folder.iterdir() if "plan" in each.name] == ["plan.json"]
    with pytest.raises(UsageError, match="cannot be written"):
        save_plan(made, shop.folder / "none" / "plan.json")
    with pytest.raises(UsageError, match="Is a directory"):
        load_plan(shop.folder)
    (shop.folder / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError):
        load_plan(shop.folder / "binary")
    with pytest.raises(RefusedError, match="no digest"):
        check_signed(replace(made, digest=""))


def test_a_replica_and_a_restart_keep_the_fingerprint(shop: Shop, tmp_path: Path) -> None:
    from payops.engine.planning import reading

    with reading(shop.settings()) as rows:
        database, fingerprint = rows.target()
    number = shop.value("SELECT system_identifier::text FROM pg_control_system()")
    oid = shop.value("SELECT oid FROM pg_database WHERE datname = current_database()")
    assert (fingerprint, database) == (f"postgres:{number}/{oid}", shop.dsn.rpartition("/")[2])


def test_where_the_identifier_may_not_be_read_oids_stand_in(shop: Shop) -> None:
    from payops.engine.planning import reading

    made = shop.plan(*shop.succeed(shop.payments(1)))
    shop.sql.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    shop.sql.execute("CREATE ROLE plain LOGIN PASSWORD 'x12345'")
    shop.sql.execute("GRANT SELECT, UPDATE ON payments TO plain")
    try:
        user = shop.dsn.split("//")[1].split("@")[0]
        plain = replace(shop, dsn=shop.dsn.replace(user, "plain:x12345"))
        with reading(plain.settings()) as rows:
            _, fingerprint = rows.target()
        assert fingerprint.startswith("postgres-oids:")
        from payops.engine.target import check_database
        from payops.sources.writer import PostgresWriter

        settings = shop.settings().postgres
        assert settings is not None
        writer = PostgresWriter(settings, "a@b")
        weaker = replace(made, target=replace(made.target, fingerprint=fingerprint))
        check_database(weaker, writer.database())  # made by a role that may less than the writer
        writer.close()
        assert words(shop.apply(weaker)) == ["done"]
        assert why(shop.apply(weaker)).startswith("done by entry")
    finally:
        shop.sql.execute("DROP OWNED BY plain; DROP ROLE plain")
