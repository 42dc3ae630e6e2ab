-- Replication slots. `retained` is the WAL that the server keeps for one; PostgreSQL 17 knows since
-- when it is inactive.
SELECT
    slot_name::text AS name,
    slot_type::text AS kind,
    active,
    coalesce(wal_status, '') AS wal_status,
    pg_wal_lsn_diff(
        CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
        restart_lsn
    )::bigint AS retained,
    extract(
        epoch FROM clock_timestamp() - (to_jsonb(slot) ->> 'inactive_since')::timestamptz
    )::float8 AS inactive_s
FROM pg_replication_slots AS slot
WHERE NOT temporary
