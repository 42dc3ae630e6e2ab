-- Names of the user's own tables and columns, to suggest the nearest one. `shown` is the name to
-- write down, `name` the one to compare.
SELECT
    CASE WHEN pg_table_is_visible(class.oid) THEN class.relname
        ELSE namespace.nspname || '.' || class.relname END::text AS shown,
    class.relname::text AS name,
    'table'::text AS kind
FROM pg_class AS class
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
WHERE class.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND namespace.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
UNION ALL
SELECT class.relname || '.' || attribute.attname, attribute.attname::text, 'column'
FROM pg_class AS class
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
JOIN pg_attribute AS attribute
    ON attribute.attrelid = class.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
WHERE class.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND namespace.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
LIMIT 20000
