-- Of one table: its kind (pg_class.relkind), the planner's guess of its rows (-1: never counted),
-- the columns of its primary key, and a column by which an index finds the newest rows: a time
-- first, else a number.
SELECT
    class.relkind::text AS kind,
    class.reltuples::float8 AS guess,
    coalesce(
        (
            SELECT array_agg(attribute.attname::text ORDER BY place.n)
            FROM pg_index AS index
            CROSS JOIN unnest(index.indkey::int2[]) WITH ORDINALITY AS place (attnum, n)
            JOIN pg_attribute AS attribute
                ON attribute.attrelid = class.oid AND attribute.attnum = place.attnum
            WHERE index.indrelid = class.oid AND index.indisprimary
        ),
        ARRAY[]::text[]
    ) AS key,
    (
        SELECT attribute.attname::text
        FROM pg_index AS index
        JOIN pg_class AS named ON named.oid = index.indexrelid
        JOIN pg_am AS method ON method.oid = named.relam AND method.amname = 'btree'
        JOIN pg_attribute AS attribute
            ON attribute.attrelid = class.oid AND attribute.attnum = index.indkey[0]
        JOIN pg_type AS type ON type.oid = attribute.atttypid
        WHERE index.indrelid = class.oid AND index.indisvalid AND index.indpred IS NULL
            AND type.typname IN ('timestamptz', 'timestamp', 'int8', 'int4')
        ORDER BY
            type.typname LIKE 'timestamp%%' DESC,
            attribute.attname IN ('created_at', 'received_at') DESC,
            index.indisprimary DESC,
            attribute.attnum
        LIMIT 1
    ) AS newest
FROM pg_class AS class
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE namespace.nspname = %(schema)s AND class.relname = %(name)s
