-- The tables that are mapped, as the statistics know them. A name is taken whole first, then as
-- schema.table. `trigger` is how many dead rows make autovacuum come, by the table's own options
-- before the server's.
SELECT
    named.name,
    class.relkind::text AS kind,
    greatest(class.reltuples, 0)::bigint AS rows,
    coalesce(stat.n_dead_tup, 0) AS dead,
    extract(
        epoch FROM clock_timestamp() - greatest(stat.last_autovacuum, stat.last_vacuum)
    )::float8 AS vacuumed_s,
    coalesce(option.enabled, 'true')::bool AS autovacuum,
    least(
        nullif(current_setting('autovacuum_vacuum_max_threshold', true)::float8, -1),
        coalesce(option.threshold, current_setting('autovacuum_vacuum_threshold'))::float8
        + coalesce(option.scale, current_setting('autovacuum_vacuum_scale_factor'))::float8
            * greatest(class.reltuples, 0)
    )::float8 AS trigger,
    age(class.relfrozenxid)::bigint AS xids
FROM unnest(%(names)s::text[]) AS named (name)
JOIN pg_class AS class ON class.oid = coalesce(
    to_regclass(quote_ident(named.name)),
    to_regclass(
        quote_ident(split_part(named.name, '.', 1)) || '.'
        || quote_ident(substr(named.name, strpos(named.name, '.') + 1))
    )
)
LEFT JOIN pg_stat_all_tables AS stat ON stat.relid = class.oid
CROSS JOIN LATERAL (
    SELECT
        min(option_value) FILTER (WHERE option_name = 'autovacuum_enabled') AS enabled,
        min(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_threshold') AS threshold,
        min(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_scale_factor') AS scale
    FROM pg_options_to_table(class.reloptions)
) AS option
