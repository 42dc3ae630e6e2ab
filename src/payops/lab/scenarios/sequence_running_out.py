"""The numbers of a key run out: soon no row can be inserted.

At the last number of an integer key every INSERT fails, and Stripe has taken the money by then
(runbook 003, monthly review). Only the sequence is moved; no row has such a number.
"""

from __future__ import annotations

from psycopg import sql

from payops.domain.status import Status
from payops.errors import LabError
from payops.lab.scenario import Lab, Parameter, Parameters, Scenario

# One that fills a column of the application: highest is what that column can hold.
_FILLS = """
SELECT class.relname, least(sequence.seqmax, CASE kind.typname
    WHEN 'int2' THEN 32767 WHEN 'int4' THEN 2147483647 ELSE 9223372036854775807 END)
FROM pg_sequence AS sequence
JOIN pg_class AS class ON class.oid = sequence.seqrelid
JOIN pg_depend AS dependence ON dependence.objid = class.oid AND dependence.refobjsubid > 0
    AND dependence.classid = 'pg_class'::regclass AND dependence.deptype IN ('a', 'i')
JOIN pg_attribute AS field ON field.attrelid = dependence.refobjid
    AND field.attnum = dependence.refobjsubid
JOIN pg_type AS kind ON kind.oid = field.atttypid
WHERE sequence.seqincrement > 0 AND NOT sequence.seqcycle
ORDER BY 2, 1 LIMIT 1
"""


def inject(lab: Lab, parameters: Parameters) -> None:
    found = lab.postgres.execute(_FILLS).fetchone()
    if found is None:
        raise LabError(f"no key of {lab.info.preset} is filled by a sequence")
    name, highest = found
    before = lab.postgres.execute(
        sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(name))
    ).fetchone()
    assert before is not None  # noqa: S101  a sequence always has one row
    lab.remember(sequence=name, last=before[0], called=before[1])
    _set(lab, name, highest * parameters["percent"] // 100, called=True)


def heal(lab: Lab) -> None:
    kept = lab.recall()
    if "sequence" in kept:
        _set(lab, kept["sequence"], kept["last"], called=kept["called"])


def _set(lab: Lab, name: str, last: int, *, called: bool) -> None:
    lab.postgres.execute("SELECT setval(quote_ident(%s)::regclass, %s, %s)", (name, last, called))


SCENARIO = Scenario(
    title="The numbers of a key run out",
    runbook="003, monthly maintenance",
    breaks="a sequence that fills a key is near its last number",
    expected={"postgres.sequences": Status.CRIT},
    inject=inject,
    heal=heal,
    presets=("reference", "debtflow", "ireti-pos", "bookedbarber"),  # the other's keys are texts
    parameters={"percent": Parameter(95, 76, 99, "of its numbers; 75 are WARN, 90 CRIT")},
    outside="make the key's column a bigint",
)
