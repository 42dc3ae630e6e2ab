-- This server as a replica. Where all that was received is replayed it is not behind, however long
-- ago the last transaction was; without a receiver only that age is left to go by.
SELECT
    EXISTS (SELECT FROM pg_stat_wal_receiver) AS receiver,
    pg_is_wal_replay_paused() AS paused,
    pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::bigint AS bytes,
    CASE
        WHEN EXISTS (SELECT FROM pg_stat_wal_receiver)
            AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
        ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())
    END::float8 AS seconds
WHERE pg_is_in_recovery()
