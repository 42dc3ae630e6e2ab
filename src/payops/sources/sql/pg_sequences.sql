-- Sequences that go up, the fullest first. What ends first is the sequence or the column that it
-- fills: a bigint sequence on an integer column ends at 2^31. `last` is NULL for one that was never
-- used, and for one that this role may not read (`hidden`). pg_sequences is no use here: it takes
-- no column.
SELECT
    namespace.nspname::text AS schema,
    class.relname::text AS name,
    coalesce(owner.table_name, '') AS table_name,
    coalesce(owner.column_name, '') AS column_name,
    least(
        sequence.seqmax,
        CASE owner.type WHEN 'int2' THEN 32767 WHEN 'int4' THEN 2147483647 END
    ) AS highest,
    CASE WHEN readable.yes THEN pg_sequence_last_value(class.oid) END AS last,
    NOT readable.yes AS hidden,
    sequence.seqcycle AS cycles
FROM pg_sequence AS sequence
JOIN pg_class AS class ON class.oid = sequence.seqrelid
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
CROSS JOIN LATERAL (
    SELECT has_sequence_privilege(class.oid, 'SELECT, USAGE') AND class.relpersistence <> 't' AS yes
) AS readable
LEFT JOIN LATERAL (
    SELECT
        of_table.relname::text AS table_name,
        attribute.attname::text AS column_name,
        type.typname::text AS type
    FROM pg_depend AS depend
    JOIN pg_class AS of_table ON of_table.oid = depend.refobjid
    JOIN pg_attribute AS attribute
        ON attribute.attrelid = depend.refobjid AND attribute.attnum = depend.refobjsubid
    JOIN pg_type AS type ON type.oid = attribute.atttypid
    WHERE depend.classid = 'pg_class'::regclass AND depend.objid = class.oid
        AND depend.refclassid = 'pg_class'::regclass AND depend.deptype IN ('a', 'i')
    LIMIT 1
) AS owner ON true
WHERE sequence.seqincrement > 0 AND class.relpersistence <> 't'
ORDER BY
    coalesce(CASE WHEN readable.yes THEN pg_sequence_last_value(class.oid) END, 0)::float8
    / least(sequence.seqmax, CASE owner.type WHEN 'int2' THEN 32767 WHEN 'int4' THEN 2147483647 END)
    DESC
