-- One row: counters, ages and settings that several checks need.
-- Counters are those of this database since stats_reset; NULL is since they were first counted, or
-- since the server's last crash.
SELECT
    current_database()::text AS database,
    current_user::text AS role,
    pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_all,
    pg_is_in_recovery() AS in_recovery,
    stat.xact_commit AS commits,
    stat.xact_rollback AS rollbacks,
    stat.deadlocks,
    extract(epoch FROM clock_timestamp() - stat.stats_reset)::float8 AS counted_s,
    own.datconnlimit AS connection_limit,
    (SELECT count(*) FROM pg_stat_activity WHERE datid = own.oid)::int AS connections_here,
    oldest.datname::text AS oldest_xid_database,
    oldest.xids,
    oldest_multi.datname::text AS oldest_multixact_database,
    oldest_multi.multixacts,
    current_setting('autovacuum_freeze_max_age')::bigint AS freeze_max_age,
    current_setting('autovacuum_multixact_freeze_max_age')::bigint AS multixact_freeze_max_age,
    current_setting('autovacuum')::bool AND current_setting('track_counts')::bool AS autovacuum,
    (
        SELECT extract(epoch FROM clock_timestamp() - min(prepared))::float8
        FROM pg_prepared_xacts WHERE database = current_database()
    ) AS oldest_prepared_s,
    statements.nspname::text AS statements_schema,
    EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_stat_statements')
        AS statements_available
FROM pg_database AS own
JOIN pg_stat_database AS stat ON stat.datid = own.oid
CROSS JOIN (
    SELECT datname, age(datfrozenxid)::bigint AS xids FROM pg_database ORDER BY 2 DESC LIMIT 1
) AS oldest
CROSS JOIN (
    SELECT datname, mxid_age(datminmxid)::bigint AS multixacts
    FROM pg_database ORDER BY 2 DESC LIMIT 1
) AS oldest_multi
LEFT JOIN (
    SELECT namespace.nspname
    FROM pg_extension AS extension
    JOIN pg_namespace AS namespace ON namespace.oid = extension.extnamespace
    WHERE extension.extname = 'pg_stat_statements'
) AS statements ON true
WHERE own.datname = current_database()
