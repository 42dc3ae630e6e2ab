-- Every session of the server, with whom it waits for. Of other roles' sessions a role without
-- pg_read_all_stats sees little more than that they are there (backend_type is NULL): `hidden`.
-- Who waits comes from pg_locks, which everybody may read; pg_blocking_pids is asked of those alone,
-- since it holds up the lock manager for a moment. Before PostgreSQL 14 there is no waitstart.
SELECT
    activity.pid,
    coalesce(activity.application_name, '') AS application,
    coalesce(activity.usename, '') AS role,
    coalesce(activity.datname, '') AS database,
    coalesce(host(activity.client_addr), '') AS client,
    coalesce(activity.backend_type, '') AS kind,
    activity.backend_type IS NULL AS hidden,
    coalesce(activity.state, '') AS state,
    coalesce(activity.wait_event_type, '') AS waits_for,
    extract(epoch FROM clock_timestamp() - activity.xact_start)::float8 AS transaction_s,
    extract(epoch FROM clock_timestamp() - activity.query_start)::float8 AS query_s,
    extract(epoch FROM clock_timestamp() - activity.state_change)::float8 AS state_s,
    CASE WHEN activity.backend_type IS NULL THEN '' ELSE left(coalesce(activity.query, ''), 400) END
        AS query,
    CASE WHEN waiting.pid IS NULL THEN ARRAY[]::int[] ELSE pg_blocking_pids(activity.pid) END
        AS blocked_by,
    extract(epoch FROM clock_timestamp() - waiting.since)::float8 AS waiting_s,
    coalesce(waiting.what, '') AS waiting_what
FROM pg_stat_activity AS activity
LEFT JOIN (
    SELECT
        lock.pid,
        min((to_jsonb(lock) ->> 'waitstart')::timestamptz) AS since,
        min(coalesce(class.relname, lock.locktype)) AS what
    FROM pg_locks AS lock
    LEFT JOIN pg_class AS class ON class.oid = lock.relation
        AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    WHERE NOT lock.granted
    GROUP BY lock.pid
) AS waiting ON waiting.pid = activity.pid
WHERE activity.pid <> pg_backend_pid()
    AND (activity.datid IS NOT NULL OR activity.backend_type = 'client backend')
