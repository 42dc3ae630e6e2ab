"""Matching 1M x 1M rows that lie in a spool, against a bare DuckDB join of the same files.

The spool is made by DuckDB: 1M intents in four files and as many rows of the ledger in another
order, of which 5 % were declined, 1 % are still pending though they were paid, 0.5 % each are
missing on either side, and 1 % were refunded. Each measurement is a whole process, in turn with its
base. There are two bases: the barest, which joins by the reference and compares three columns, and
one that reads every column of both files, as whoever wants to show evidence has to.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.pairs import Pair, measure, python
from payops.reconcile.spool_schema import INTENTS, LEDGER, REFUNDS

ROWS = 1_000_000
RUNS = 3
GOAL_RATIO = 1.5
GOAL_MB = 400
_FIRST_US = 1_760_000_000_000_000


def run() -> Iterator[str]:
    """The lines of a Markdown table, one as each measurement ends."""
    yield "| what | against | ours, median | base, median | ratio | goal |"
    yield "|---|---|---|---|---|---|"
    with tempfile.TemporaryDirectory(prefix="payops-bench-") as folder:
        spool = Path(folder) / "spool"
        make_spool(spool, ROWS)
        ours = python("-c", _OURS, str(spool))
        what = f"match {ROWS // 1_000_000}M x {ROWS // 1_000_000}M"
        pair = measure(ours, python("-c", _join(spool, _COMPARED)), runs=RUNS)
        yield _row(what, "barest DuckDB join: three columns", pair, GOAL_RATIO)
        pair = measure(ours, python("-c", _join(spool, _ALL)), runs=RUNS)
        yield _row(what, "DuckDB join reading all columns", pair, GOAL_RATIO)
        pair = measure(ours, python("-c", _RUNBOOK, str(spool)), runs=1)
        yield _row(what, "runbook 002's script (Python dicts)", pair, 1.0)
        megabytes, found = _memory(ours)
        verdict = "met" if megabytes <= GOAL_MB else "MISSED"
        yield (
            f"| peak memory of it | | {megabytes} MB | | | at most {GOAL_MB} MB: {verdict} |\n\n"
            f"Found: {found}. datacompy is not measured: it is not among the dependencies."
        )


def make_spool(spool: Path, rows: int) -> None:
    """Both sides of a merchant with `rows` payments."""
    import duckdb

    for kind in ("intents", "ledger-payments", "refunds"):
        (spool / kind).mkdir(parents=True)
    connection = duckdb.connect()
    connection.execute(
        f"""CREATE TABLE story AS SELECT
            i, 'pi_3' || substr(md5('p' || i), 1, 23) AS pi,
            'ch_3' || substr(md5('c' || i), 1, 23) AS ch,
            substr(md5('k' || i), 1, 8) || '-' || substr(md5('k' || i), 9, 27) AS key,
            'cus_' || substr(md5('u' || i // 3), 1, 14) AS cus,
            {_FIRST_US} + i * 1000000 AS made, 100 + hash(i) % 100000 AS amount,
            CASE WHEN i % 20 = 1 THEN 'declined' WHEN i % 100 = 2 THEN 'refunded'
                WHEN i % 100 = 3 THEN 'pending' WHEN i % 200 = 4 THEN 'unrecorded'
                WHEN i % 200 = 5 THEN 'unknown' ELSE 'paid' END AS tale
        FROM range({rows}) AS numbers (i)"""
    )
    intents = {
        "id": "pi",
        "created_us": "made",
        "status": "CASE tale WHEN 'declined' THEN 'requires_payment_method' ELSE 'succeeded' END",
        "amount": "amount",
        "amount_received": "CASE tale WHEN 'declined' THEN 0 ELSE amount END",
        "currency": "'usd'",
        "livemode": "'true'",
        "customer": "cus",
        "meta_local": "key",
        "meta_order": "'order-' || i",
        "charge": "ch",
        "charge_status": "CASE tale WHEN 'declined' THEN 'failed' ELSE 'succeeded' END",
        "charge_created_us": "made + 1000000",
        "amount_captured": "CASE tale WHEN 'declined' THEN 0 ELSE amount END",
        "amount_refunded": "CASE tale WHEN 'refunded' THEN amount ELSE 0 END",
        "disputed": "'false'",
        "failure_code": "CASE tale WHEN 'declined' THEN 'card_declined' END",
    }
    ledger = {
        "key": "key",
        "status": "CASE tale WHEN 'declined' THEN 'failed' WHEN 'refunded' THEN 'refunded' "
        "WHEN 'pending' THEN 'pending' ELSE 'succeeded' END",
        "amount": "amount",
        "currency": "'usd'",
        "created_us": "made - 300000",
        "updated_us": "made + 2000000",
        "completed_us": "made + 2000000",
        "processor_ref": "pi",
        "idempotency_key": "'pay-order-' || i",
        "order_id": "'order-' || i",
        "customer_id": "cus",
    }
    refunds = {
        "id": "'re_3' || substr(md5('r' || i), 1, 23)",
        "created_us": "made + 3600000000",
        "status": "'succeeded'",
        "amount": "amount",
        "currency": "'usd'",
        "payment_intent": "pi",
        "charge": "ch",
    }
    for number in range(4):
        some = f"tale <> 'unknown' AND i % 4 = {number} ORDER BY i DESC"
        _copy(connection, INTENTS, intents, some, spool / "intents" / f"{number}.csv")
    shuffled = "tale <> 'unrecorded' ORDER BY hash(i, 7)"
    _copy(connection, LEDGER, ledger, shuffled, spool / "ledger-payments" / "rows.csv")
    _copy(connection, REFUNDS, refunds, "tale = 'refunded'", spool / "refunds" / "0.csv")


def _copy(
    connection: object, columns: tuple[str, ...], values: dict[str, str], where: str, path: Path
) -> None:
    chosen = ", ".join(f"{values.get(each, 'NULL')} AS {each}" for each in columns)
    query = f"COPY (SELECT {chosen} FROM story WHERE {where}) TO '{path}' (HEADER, DELIMITER ',')"
    connection.execute(query)  # type: ignore[attr-defined]


# Memory and what was found. Not by getrusage: a child's maximum begins with
# what its parent had when it was forked.
_PEAK = """
status = Path("/proc/self/status").read_text()
peak = next(int(line.split()[1]) for line in status.splitlines() if line[:6] == "VmHWM:") // 1024
"""
_OURS = (
    f"""
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from msgspec import convert
from payops.config.ledger import Ledger
from payops.domain.discrepancy import HARMLESS, MatchClass
from payops.domain.window import Window
from payops.reconcile.match import Match, MatchOptions

words = "pending succeeded failed canceled refunded partially_refunded disputed".split()
columns = {{"id": "id", "status": "status", "amount": "amount", "created_at": "created_at"}}
ledger = convert(
    {{"table": "payments", "columns": columns, "statuses": {{word: [word] for word in words}}}},
    Ledger,
)
since = datetime.fromtimestamp({_FIRST_US} // 1000000, UTC) - timedelta(days=1)
window = Window(since, since + timedelta(days=400))
with Match(Path(sys.argv[1]), MatchOptions(window, window.until, {{"payments": ledger}})) as match:
    match.run()
    totals = match.totals().payments
    wanted = [each for each in MatchClass if each not in HARMLESS]
    listed = list(match.findings(wanted, 20))
found = ", ".join(f"{{each.value}} {{t.count:,}}" for each, t in totals.items() if t.count)
"""
    + _PEAK
    + "print(peak, found, sep='\\n')\n"
)
_COMPARED = (
    "count(*), sum(i.amount), count(*) FILTER (i.status <> l.status), "
    "count(*) FILTER (i.amount <> CAST(l.amount AS BIGINT)), "
    "count(*) FILTER (i.currency <> l.currency)"
)
_ALL = ", ".join([f"count(i.{each})" for each in INTENTS] + [f"count(l.{each})" for each in LEDGER])
# Runbook 002, 'Step 3: Compare and Reconcile': two exports, a set each, and a loop.
_RUNBOOK = """
import csv, sys
from pathlib import Path

def rows(kind):
    for path in sorted((Path(sys.argv[1]) / kind).glob("*.csv")):
        with open(path, newline="") as file:
            yield from csv.DictReader(file)

stripe_data, db_data = list(rows("intents")), list(rows("ledger-payments"))
stripe_ids = {charge["id"] for charge in stripe_data}
db_ids = {row["processor_ref"] for row in db_data if row["processor_ref"]}
orphaned = stripe_ids - db_ids
pending = [r for r in db_data if r["status"] == "pending" and r["processor_ref"] in stripe_ids]
print(len(orphaned), len(pending))
"""


def _join(spool: Path, wanted: str) -> str:
    whole = {"created_us", "updated_us", "completed_us", "charge_created_us", "amount_received"}

    def source(kind: str, columns: tuple[str, ...]) -> str:
        numbers = whole | ({"amount"} if columns is INTENTS else set())
        types = ", ".join(
            f"'{each}': '{'BIGINT' if each in numbers else 'VARCHAR'}'" for each in columns
        )
        return (
            f"read_csv('{spool / kind}/*.csv', header = true, auto_detect = false, delim = ',', "
            f"columns = {{{types}}})"
        )

    query = (
        f"SELECT {wanted} FROM {source('intents', INTENTS)} AS i "
        f"FULL JOIN {source('ledger-payments', LEDGER)} AS l ON i.id = l.processor_ref"
    )
    return (
        "import duckdb\n"
        "connection = duckdb.connect(config={'memory_limit': '256MB', 'threads': 2, "
        f"'temp_directory': {str(spool)!r}, 'preserve_insertion_order': False}})\n"
        f"print(connection.execute({query!r}).fetchall())\n"
    )


def _memory(command: list[str]) -> tuple[int, str]:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    megabytes, found = done.stdout.strip().split("\n")
    return int(megabytes), found


def _row(what: str, against: str, pair: Pair, goal: float) -> str:
    ours, base = (statistics.median(times) for times in (pair.ours, pair.base))
    verdict = "met" if pair.ratio <= goal else "MISSED"
    return (
        f"| {what} | {against} | {ours:.2f} s | {base:.2f} s | {pair.ratio:.2f} "
        f"| at most {goal}: {verdict} |"
    )


if __name__ == "__main__":
    for line in run():
        print(line, flush=True)
    sys.exit(0)
