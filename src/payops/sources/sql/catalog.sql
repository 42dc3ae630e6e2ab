-- Columns of several tables, each under the name that the configuration has for it: that name taken
-- whole, else split at its first dot.
SELECT
    wanted.name::text AS asked,
    namespace.nspname::text AS schema,
    class.relname::text AS table,
    attribute.attname::text AS column,
    coalesce(base.typname, type.typname)::text AS type,
    (SELECT array_agg(enumlabel::text ORDER BY enumsortorder) FROM pg_enum
        WHERE enumtypid = type.oid) AS labels,
    CASE WHEN coalesce(base.typname, type.typname) IN ('varchar', 'bpchar')
            AND attribute.atttypmod > 4
        THEN attribute.atttypmod - 4 END AS longest,
    has_schema_privilege(namespace.oid, 'USAGE')
        AND has_column_privilege(class.oid, attribute.attnum, 'SELECT') AS readable
FROM unnest(%(names)s::text[]) AS wanted (name)
CROSS JOIN LATERAL (
    SELECT coalesce(
        to_regclass(quote_ident(wanted.name)),
        to_regclass(quote_ident(split_part(wanted.name, '.', 1)) || '.'
            || quote_ident(substr(wanted.name, strpos(wanted.name, '.') + 1)))
    ) AS oid
) AS found
JOIN pg_class AS class ON class.oid = found.oid AND class.relkind IN ('r', 'p', 'v', 'm', 'f')
JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
JOIN pg_attribute AS attribute
    ON attribute.attrelid = class.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
JOIN pg_type AS type ON type.oid = attribute.atttypid
LEFT JOIN pg_type AS base ON type.typtype = 'd' AND base.oid = type.typbasetype
ORDER BY wanted.name, attribute.attnum
