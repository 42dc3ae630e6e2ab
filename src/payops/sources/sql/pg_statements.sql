-- The slowest statements by their mean, of those that ran often enough; maintenance is left out,
-- since a nightly dump or a VACUUM may take its time. Of other roles' statements a role without
-- pg_read_all_stats sees no text: `hidden`.
SELECT
    left(statements.query, 400) AS query,
    statements.calls,
    statements.mean_exec_time::float8 AS mean_ms,
    statements.max_exec_time::float8 AS max_ms,
    statements.query IS NULL OR statements.query = '<insufficient privilege>' AS hidden
FROM {schema}.pg_stat_statements AS statements
JOIN pg_database AS own ON own.oid = statements.dbid
WHERE own.datname = current_database()
    AND statements.calls >= %(calls)s
    AND statements.query !~* '^[[:space:]]*(copy|vacuum|analyze|create|alter|drop|reindex|refresh|cluster|explain)'
ORDER BY statements.mean_exec_time DESC
LIMIT 10
