-- Every index of the mapped tables. `columns` are its key columns in order, '' for an expression;
-- `first` is the text of the first one. `building` is one that is being made right now.
SELECT
    named.name AS table,
    index_class.relname::text AS name,
    index.indisvalid AND index.indisready AS valid,
    index.indpred IS NOT NULL AS partial,
    index.indisunique AS unique,
    coalesce(pg_get_indexdef(index.indexrelid, 1, true), '') AS first,
    ARRAY(
        SELECT coalesce(attribute.attname::text, '')
        FROM unnest(index.indkey::int2[]) WITH ORDINALITY AS key (number, place)
        LEFT JOIN pg_attribute AS attribute
            ON attribute.attrelid = index.indrelid AND attribute.attnum = key.number
            AND key.number > 0
        WHERE key.place <= index.indnkeyatts
        ORDER BY key.place
    ) AS columns,
    EXISTS (
        SELECT FROM pg_stat_progress_create_index AS progress
        WHERE progress.index_relid = index.indexrelid
    ) AS building
FROM unnest(%(names)s::text[]) AS named (name)
JOIN pg_index AS index ON index.indrelid = coalesce(
    to_regclass(quote_ident(named.name)),
    to_regclass(
        quote_ident(split_part(named.name, '.', 1)) || '.'
        || quote_ident(substr(named.name, strpos(named.name, '.') + 1))
    )
)
JOIN pg_class AS index_class ON index_class.oid = index.indexrelid
