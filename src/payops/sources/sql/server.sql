-- State of the server. On a replica that has replayed all it received nothing lags, however long
-- ago the last transaction was; without a receiver only that age is left to go by.
-- A role without pg_monitor sees of others' sessions that they are there, not what they are: they
-- are counted, and parallel workers with them.
SELECT
    current_setting('server_version') AS version,
    current_database()::text AS database,
    pg_is_in_recovery() AS in_recovery,
    CASE
        WHEN NOT pg_is_in_recovery() THEN NULL
        WHEN EXISTS (SELECT FROM pg_stat_wal_receiver)
            AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
        ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
    END::float8 AS replay_lag_s,
    current_setting('max_connections')::int AS max_connections,
    current_setting('superuser_reserved_connections')::int
        + coalesce(current_setting('reserved_connections', true)::int, 0) AS reserved,
    coalesce(backends.count, 0)::int AS connections,
    backends.states AS states
FROM (
    SELECT sum(count) AS count, coalesce(jsonb_object_agg(state, count), jsonb_build_object()) AS states
    FROM (
        SELECT coalesce(state, 'hidden') AS state, count(*) AS count
        FROM pg_stat_activity
        WHERE backend_type = 'client backend'
            OR (backend_type IS NULL AND datid IS NOT NULL AND usesysid IS NOT NULL)
        GROUP BY 1
    ) AS by_state
) AS backends
