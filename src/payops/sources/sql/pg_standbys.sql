-- Who replicates from this server. An idle primary is no lag: where a standby has replayed all that
-- was written, bytes are 0, and the seconds that were last measured say nothing any more.
-- Without pg_read_all_stats the columns are NULL: `hidden`.
SELECT
    coalesce(application_name, '') AS name,
    coalesce(host(client_addr), '') AS client,
    coalesce(state, '') AS state,
    coalesce(sync_state, '') AS sync_state,
    state IS NULL AS hidden,
    behind.bytes,
    CASE WHEN behind.bytes = 0 THEN 0 ELSE extract(epoch FROM replay_lag) END::float8 AS seconds
FROM pg_stat_replication
CROSS JOIN LATERAL (
    SELECT pg_wal_lsn_diff(
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
        replay_lsn
    )::bigint AS bytes
) AS behind
