"""Exports in every form they come in, read into the spool's columns."""

# ruff: noqa: E501  exports have long lines

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from payops.config.ledger import Ledger, LedgerColumns, References
from payops.config.settings import PathSettings, Settings
from payops.domain.deadline import Deadline
from payops.domain.window import Window
from payops.errors import PayopsError, UsageError
from payops.lab.stripe import objects
from payops.reconcile.fetch import Fetched, FetchOptions, fetch
from payops.sources import Sources

T0 = datetime(2026, 9, 14, 10, tzinfo=UTC)
WINDOW = Window(T0, T0 + timedelta(days=1))
SECOND = int(T0.timestamp())
ReadFiles = Callable[..., Fetched]


def ledger(**columns: str) -> Ledger:
    names = {name: name for name in ("id", "status", "amount", "created_at")} | columns
    return Ledger(
        table="payments",
        columns=LedgerColumns(**names),
        statuses={"succeeded": ("paid",)},
        references=References(local_id="payment_id", order_id="order_id"),
        timezone="Europe/Berlin",
    )


@pytest.fixture
def read(tmp_path: Path) -> ReadFiles:
    def reads(*stripe: Path | str, ledger_files: tuple[str, ...] = (), of: Any = None) -> Fetched:
        settings = Settings(
            ledgers={"payments": of or ledger(currency="currency", processor_ref="ref")},
            paths=PathSettings(state=str(tmp_path / "state")),
        )
        options = FetchOptions(
            WINDOW,
            stripe_files=tuple(map(str, stripe)),
            ledger_files=ledger_files,
            ledgers=None if ledger_files else (),
        )
        return fetch(settings, Sources(settings, Deadline.after(30)), options)

    return reads


def rows(found: Fetched, kind: str = "intents") -> list[dict[str, str]]:
    made: list[dict[str, str]] = []
    for path in found.spool.files(kind):
        assert path.stat().st_mode & 0o777 == 0o600
        with path.open(newline="") as file:
            made += csv.DictReader(file)
    assert len(made) == found.counts[kind]
    return sorted(made, key=lambda row: row.get("id") or row["key"])


def intent(number: int, **changed: Any) -> dict[str, Any]:
    return objects.payment_intent(
        **{
            "id": f"pi_{number}",
            "amount": 1000 + number,
            "currency": "usd",
            "status": "succeeded",
            "created": SECOND + number,
            "livemode": False,
            "metadata": {"order_id": f"o{number}"},
        }
        | changed
    )


def charge(number: int, **changed: Any) -> dict[str, Any]:
    return objects.charge(
        **{
            "id": f"ch_{number}",
            "amount": 1000 + number,
            "currency": "usd",
            "status": "succeeded",
            "created": SECOND + number,
            "livemode": False,
            "payment_intent": f"pi_{number}",
        }
        | changed
    )


def page(*made: dict[str, Any], **more: Any) -> str:
    return json.dumps({"object": "list", "has_more": True, **more, "data": list(made)}, indent=2)


FORMS: dict[str, Callable[[list[dict[str, Any]]], str]] = {
    "array": json.dumps,
    "list": lambda made: page(*made, url="/v1/payment_intents"),
    "list, data first": lambda made: json.dumps(
        {"data": made, "object": "list", "has_more": False}
    ),
    "pages end to end": lambda made: "\n".join(page(one) for one in made),
    "ndjson": lambda made: "".join(json.dumps(one) + "\n" for one in made),
    "ndjson without the last newline": lambda made: "\n".join(map(json.dumps, made)),
    "objects end to end": lambda made: "\n".join(json.dumps(one, indent=2) for one in made),
    "lists, a line each": lambda made: "\n".join(
        json.dumps({"object": "list", "data": [one]}) for one in made
    ),
    "with a byte order mark": lambda made: "\ufeff" + json.dumps(made),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("gzipped", [False, True])
def test_json(read: ReadFiles, tmp_path: Path, form: str, gzipped: bool) -> None:
    made = [intent(n, metadata={"order_id": 'a "quoted", ü\nname'}) for n in range(3)]
    text = FORMS[form](made).encode()
    path = tmp_path / "stripe.txt"
    path.write_bytes(gzip.compress(text) if gzipped else text)
    found = rows(read(path))
    assert [row["id"] for row in found] == ["pi_0", "pi_1", "pi_2"]
    assert found[0]["created_us"] == f"{SECOND}000000"
    assert found[0]["amount"] == "1000"
    assert found[0]["meta_order"] == 'a "quoted", ü\nname'


def test_json_longer_than_a_chunk(read: ReadFiles, tmp_path: Path) -> None:
    made = [intent(n, description="ü" * 999) for n in range(2000)]
    (tmp_path / "a.json").write_text(json.dumps(made, ensure_ascii=False), "utf-8")
    assert len(rows(read(tmp_path / "a.json"))) == 2000


def test_charges_and_intents_of_several_files(read: ReadFiles, tmp_path: Path) -> None:
    """Runbook 002 exports charges; a failed attempt does not hide the one that succeeded."""
    (tmp_path / "a.json").write_text(page(intent(1, latest_charge="ch_1"), intent(1)))
    failed = charge(2, id="ch_2a", status="failed", created=SECOND + 9)
    refunded = charge(1, amount_refunded=7)
    (tmp_path / "b.json").write_text(page(failed, charge(2), refunded))
    refund = objects.refund(
        id="re_1",
        status="succeeded",
        amount=7,
        currency="usd",
        charge="ch_1",
        payment_intent="pi_1",
        created=SECOND,
    )
    (tmp_path / "c.ndjson").write_text(
        json.dumps(refund) + "\n" + json.dumps({"object": "customer"})
    )
    found = read(tmp_path / "*.json", tmp_path / "c.ndjson", tmp_path / "a.json")
    first, second = rows(found)
    assert (first["id"], first["charge_status"], first["amount_refunded"]) == (
        "pi_1",
        "succeeded",
        "7",
    )
    assert (second["id"], second["charge"], second["status"]) == ("pi_2", "ch_2", "succeeded")
    assert [row["id"] for row in rows(found, "refunds")] == ["re_1"]
    assert found.stripe.source == "file"
    assert found.counts["disputes"] == 0


def test_only_the_window(read: ReadFiles, tmp_path: Path) -> None:
    edges = [-3601, -3600, 86400 + 3599, 86400 + 3600]
    made = [intent(n, created=SECOND + second) for n, second in enumerate(edges)]
    (tmp_path / "a.json").write_text(page(*made))
    assert [row["id"] for row in rows(read(tmp_path / "a.json"))] == ["pi_1", "pi_2"]


DASHBOARD = """\
id,Description,Seller Message,Created (UTC),Amount,Amount Refunded,Currency,Converted Amount,\
Converted Amount Refunded,Fee,Tax,Converted Currency,Mode,Status,Customer ID,Captured,order_id (metadata)
ch_1,"Hats, ""red"" ones",Payment complete.,2026-09-14 10:05,"1,234.50",0.00,usd,1234.50,0.00,36.10,0,usd,Live,Paid,cus_1,true,o1
ch_2,,,2026-09-14 10:06:07,5000,500,jpy,33.00,3.30,1.20,0,usd,Live,Refunded,,true,
ch_3,,,2026-09-14 10:07,1.500,0.00,kwd,4.80,0.00,0,0,usd,Live,Failed,,false,
"""


def test_the_dashboards_payments(read: ReadFiles, tmp_path: Path) -> None:
    (tmp_path / "payments.csv").write_text(DASHBOARD)
    one, two, three = rows(read(tmp_path / "payments.csv"))
    assert one == {
        "id": "ch_1",
        "created_us": f"{SECOND + 300}000000",
        "status": "succeeded",
        "amount": "123450",
        "amount_received": "123450",
        "currency": "usd",
        "livemode": "true",
        "customer": "cus_1",
        "meta_local": "",
        "meta_order": "o1",
        "session": "",
        "charge": "ch_1",
        "charge_status": "succeeded",
        "charge_created_us": f"{SECOND + 300}000000",
        "amount_captured": "123450",
        "amount_refunded": "0",
        "disputed": "",
        "failure_code": "",
        "fee": "3610",
        "fee_currency": "usd",
        "idempotency_key": "",
    }
    assert (two["amount"], two["amount_refunded"], two["status"]) == ("5000", "500", "succeeded")
    assert (three["amount"], three["status"], three["charge_status"]) == (
        "1500",
        "requires_payment_method",
        "failed",
    )


def test_the_unified_export_of_a_european_locale(read: ReadFiles, tmp_path: Path) -> None:
    (tmp_path / "unified_payments.csv").write_text(
        "\ufeffid;Created date (UTC);Amount;Amount Refunded;Currency;Captured;Status;PaymentIntent ID\r\n"
        "ch_1;2026-09-14 10:05:01;399,00;0,00;eur;true;Paid;pi_1\r\n",
        "utf-8",
    )
    (found,) = rows(read(tmp_path / "unified_payments.csv"))
    assert (found["id"], found["charge"], found["amount"]) == ("pi_1", "ch_1", "39900")


BALANCE = """\
balance_transaction_id,created_utc,currency,gross,fee,net,reporting_category,source_id,charge_id,\
payment_intent_id,payment_metadata[order_id],customer_facing_amount,customer_facing_currency
txn_1,2026-09-14 10:02:11,eur,60.00,8.70,51.30,charge,ch_1,ch_1,pi_1,o1,70.00,usd
txn_2,2026-09-14 10:03:11,eur,-20.00,0,-20.00,partial_capture_reversal,ch_1,ch_1,pi_1,o1,-23.00,usd
txn_3,2026-09-15 09:12:45,eur,-5.00,0.00,-5.00,refund,re_1,ch_1,pi_1,o1,-6.00,usd
txn_4,2026-09-20 11:00:00,eur,-50.00,15.00,-65.00,dispute,dp_1,ch_9,pi_9,,,
txn_5,2026-09-15 11:00:00,eur,-50.00,0,-50.00,payout,po_1,,,,,
"""


def test_the_itemized_balance_report(read: ReadFiles, tmp_path: Path) -> None:
    (tmp_path / "balance.csv").write_text(BALANCE)
    found = read(tmp_path / "balance.csv")
    (one,) = rows(found)
    assert (one["id"], one["charge"], one["meta_order"]) == ("pi_1", "ch_1", "o1")
    assert (one["amount"], one["amount_captured"], one["currency"]) == ("7000", "4700", "usd")
    assert (one["fee"], one["fee_currency"]) == ("870", "eur")
    (refund,) = rows(found, "refunds")
    assert (refund["id"], refund["amount"], refund["payment_intent"]) == ("re_1", "600", "pi_1")
    (dispute,) = rows(found, "disputes")  # later than the window, and all the same its business
    assert (dispute["id"], dispute["amount"], dispute["currency"]) == ("dp_1", "5000", "eur")


def test_all_activity(read: ReadFiles, tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text(
        '"id","Type","Source","Amount","Fee","Net","Currency","Created (UTC)","Available On (UTC)"\n'
        '"txn_1","charge","ch_1","29.00","1","28","aud","2026-09-14 10:21","2026-09-16 00:00"\n'
        '"txn_2","refund","re_1","-29.00","0.00","-29.00","aud","2026-09-14 11:21","2026-09-16 00:00"\n'
    )
    found = read(tmp_path / "all.csv")
    (one,) = rows(found)
    assert (one["id"], one["charge"], one["amount"]) == ("ch_1", "ch_1", "2900")
    assert [row["id"] for row in rows(found, "refunds")] == ["re_1"]


def test_plain_columns_are_in_minor_units(read: ReadFiles, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        f"id,created,amount,currency,status\npi_1,{SECOND},1999,usd,processing\n"
    )
    (found,) = rows(read(tmp_path / "a.csv"))
    assert (found["amount"], found["status"], found["created_us"]) == (
        "1999",
        "processing",
        f"{SECOND}000000",
    )


def test_parquet(read: ReadFiles, tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "a.parquet"
    duckdb.sql(
        "SELECT 'pi_1' AS id, TIMESTAMP '2026-09-14 10:05:00.123456' AS created, 1999 AS amount,"
        " 'usd' AS currency, 'succeeded' AS status"
    ).write_parquet(str(path))
    (found,) = rows(read(path))
    assert (found["amount"], found["created_us"]) == ("1999", f"{SECOND + 300}123456")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.json", '[{"object": "payment_intent", "id": 1}]', "line 1: not a payment_intent"),
        ("a.json", '[\n{"object": "payment_intent"\n', "line 3"),
        ("a.ndjson", '{"object":"charge","id":"ch_1","created":1}\n{"object"', "line 2"),
        ("a.json", "[]", "no payment intents and no charges"),
        ("a.json", "[1]", "line 1: an object is expected"),
        ("a.csv", "", "is empty"),
        ("a.csv", "id,Amount\nch_1,1\n", "created is missing"),
        ("a.csv", DASHBOARD.replace("5000,500", "5000.5,500"), "line 3: amount '5000.5'"),
        ("a.csv", DASHBOARD.replace(",Refunded,", ",Odd,"), "line 3: status 'Odd'"),
        (
            "a.csv",
            DASHBOARD.replace("2026-09-14 10:06:07", "9/14/26 10:06"),
            "line 3: created '9/14",
        ),
        (
            "a.csv",
            DASHBOARD.replace(',"Hats, ""red"" ones"', ',"Two\nlines"').replace("5000,5", "x,5"),
            "line 4",
        ),
        (
            "a.csv",
            BALANCE.replace(",-5.00,0.00", ",-5.001,0.00").replace("-6.00", ""),
            "line 4: gross",
        ),
        ("a.csv", "id,created,amount,currency,status\na,b\n", "a.csv"),
        ("a.parquet", "PAR1 but nothing else", "a.parquet"),
    ],
)
def test_what_cannot_be_read(
    read: ReadFiles, tmp_path: Path, name: str, text: str, told: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(PayopsError) as raised:
        read(tmp_path / name)
    assert name in str(raised.value)
    assert told in str(raised.value)
    assert raised.value.hint


def test_a_file_that_is_not_there(read: ReadFiles, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read(tmp_path / "*.json")


LEDGER_CSV = """\
id,status,amount,created_at,currency,ref
1,paid,19.990,2026-09-14 12:05:00,USD,pi_1
2,paid,-5,2026-09-14T10:05:00.5Z,,
3,new,1e2,2026-09-14 12:05:00+0200,jpy,pi_3
4,paid,7,2026-09-01 12:05:00,jpy,pi_4
"""


@pytest.mark.parametrize("form", ["csv", "ndjson", "parquet", "words", "array", "gz"])
def test_a_ledger(read: ReadFiles, tmp_path: Path, form: str) -> None:
    import duckdb

    (tmp_path / "s.json").write_text(page(intent(1)))
    source = tmp_path / "rows.csv"
    text = LEDGER_CSV
    if form == "words":
        text = text.replace(
            "id,status,amount,created_at,currency,ref",
            "key,status,amount,created_at,currency,processor_ref",
        )
    source.write_text(text)
    path = tmp_path / f"ledger.{form}"
    loaded = duckdb.sql(f"FROM read_csv('{source}', all_varchar = true)")
    match form:
        case "ndjson":
            path.write_text(
                "".join(
                    json.dumps(dict(zip(loaded.columns, row, strict=True))) + "\n"
                    for row in loaded.fetchall()
                )
            )
        case "array":
            path.write_text(
                json.dumps(
                    [dict(zip(loaded.columns, row, strict=True)) for row in loaded.fetchall()]
                )
            )
        case "parquet":
            loaded.write_parquet(str(path))
        case "gz":
            path.write_bytes(gzip.compress(text.encode()))
        case _:
            path.write_text(text)
    found = read(tmp_path / "s.json", ledger_files=(f"payments={path}",))
    one, two, three = rows(found, "ledger-payments")
    assert (one["key"], one["amount"], one["currency"]) == ("1", "19.990", "usd")
    assert one["created_us"] == f"{SECOND + 300}000000"  # 12:05 in Berlin
    assert one["processor_ref"] == "pi_1"
    assert two["created_us"] == f"{SECOND + 300}500000"
    assert two["currency"] == "usd"
    assert float(three["amount"]) == 100
    assert three["created_us"] == one["created_us"]
    assert found.ledgers["payments"].count == 3


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("19.990", "EUR 19.99", "line 2: amount 'EUR 19.99'"),
        ("2026-09-14 12:05:00,", "yesterday,", "line 2: created_at 'yesterday'"),
        ("\n2,", "\n,", "line 3: id is empty"),
        ("created_at", "made", "has no column 'created_at'"),
    ],
)
def test_a_ledger_that_cannot_be_read(
    read: ReadFiles, tmp_path: Path, old: str, new: str, told: str
) -> None:
    (tmp_path / "s.json").write_text(page(intent(1)))
    (tmp_path / "l.csv").write_text(LEDGER_CSV.replace(old, new, 1))
    with pytest.raises(PayopsError) as raised:
        read(tmp_path / "s.json", ledger_files=(str(tmp_path / "l.csv"),))
    assert told in str(raised.value)
