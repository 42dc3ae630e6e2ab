-- Columns of one table. %(whole)s is the configured name taken as it is; where no such table is,
-- %(schema)s and %(name)s are its parts before and after the first dot.
WITH found AS (
    SELECT coalesce(
        to_regclass(quote_ident(%(whole)s::text)),
        to_regclass(quote_ident(%(schema)s::text) || '.' || quote_ident(%(name)s::text))
    ) AS oid
)
SELECT
    namespace.nspname::text AS schema,
    class.relname::text AS table,
    attribute.attname::text AS column,
    coalesce(base.typname, type.typname)::text AS type,
    type_namespace.nspname::text AS type_schema,
    type.typname::text AS type_name,
    (SELECT array_agg(enumlabel::text) FROM pg_enum WHERE enumtypid = type.oid) AS labels
FROM found
JOIN pg_class AS class ON class.oid = found.oid AND class.relkind IN ('r', 'p', 'v', 'm', 'f')
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
JOIN pg_attribute AS attribute
    ON attribute.attrelid = class.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
JOIN pg_type AS type ON type.oid = attribute.atttypid
JOIN pg_namespace AS type_namespace ON type_namespace.oid = type.typnamespace
LEFT JOIN pg_type AS base ON type.typtype = 'd' AND base.oid = type.typbasetype
ORDER BY attribute.attnum
