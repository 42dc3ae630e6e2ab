-- Bytes of this database, and of the mapped tables with their indexes and what is stored apart.
-- It looks at every file, so a database of many tables takes its time.
SELECT
    pg_database_size(current_database())::bigint AS bytes,
    coalesce(
        (
            SELECT jsonb_object_agg(found.name, pg_total_relation_size(found.oid))
            FROM (
                SELECT
                    named.name,
                    coalesce(
                        to_regclass(quote_ident(named.name)),
                        to_regclass(
                            quote_ident(split_part(named.name, '.', 1)) || '.'
                            || quote_ident(substr(named.name, strpos(named.name, '.') + 1))
                        )
                    )::oid AS oid
                FROM unnest(%(names)s::text[]) AS named (name)
            ) AS found
            WHERE found.oid IS NOT NULL
        ),
        jsonb_build_object()
    ) AS tables
