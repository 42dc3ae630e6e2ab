-- Columns of one table with their types. %(whole)s is the configured name taken as it is; where no
-- such table is, %(schema)s and %(name)s are its parts before and after the first dot.
WITH found AS (
    SELECT coalesce(
        to_regclass(quote_ident(%(whole)s::text)),
        to_regclass(quote_ident(%(schema)s::text) || '.' || quote_ident(%(name)s::text))
    ) AS oid
)
SELECT
    namespace.nspname::text AS schema,
    class.relname::text AS table,
    class.relkind::text AS kind,
    attribute.attname::text AS column,
    type_namespace.nspname::text AS type_schema,
    type.typname::text AS type_name,
    coalesce(base.typname, type.typname)::text AS base_name,
    format_type(attribute.atttypid, attribute.atttypmod) AS shown,
    EXISTS (
        SELECT FROM pg_index AS index
        WHERE index.indrelid = class.oid AND index.indisunique AND index.indisvalid
            AND index.indpred IS NULL AND index.indnkeyatts = 1
            AND index.indkey[0] = attribute.attnum
    ) AS is_unique
FROM found
JOIN pg_class AS class ON class.oid = found.oid
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
JOIN pg_attribute AS attribute
    ON attribute.attrelid = class.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
JOIN pg_type AS type ON type.oid = attribute.atttypid
JOIN pg_namespace AS type_namespace ON type_namespace.oid = type.typnamespace
LEFT JOIN pg_type AS base ON type.typtype = 'd' AND base.oid = type.typbasetype
ORDER BY attribute.attnum
