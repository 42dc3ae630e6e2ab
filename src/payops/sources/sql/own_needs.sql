-- Which of the names are there: a table, schema.table, table.column or schema.table.column.
SELECT
    wanted.name::text AS name,
    to_regclass(quote_ident(wanted.name)) IS NOT NULL
        OR (cardinality(part) = 2
            AND to_regclass(quote_ident(part[1]) || '.' || quote_ident(part[2])) IS NOT NULL)
        OR EXISTS (
            SELECT FROM pg_attribute AS attribute
            WHERE attribute.attrelid = CASE cardinality(part)
                    WHEN 2 THEN to_regclass(quote_ident(part[1]))
                    WHEN 3 THEN to_regclass(quote_ident(part[1]) || '.' || quote_ident(part[2]))
                END
                AND attribute.attname = part[cardinality(part)]
                AND attribute.attnum > 0 AND NOT attribute.attisdropped
        ) AS there
FROM unnest(%(names)s::text[]) AS wanted (name)
CROSS JOIN LATERAL string_to_array(wanted.name, '.') AS part
