-- Which database this is, in the same words on a primary and on its replicas, after every restart
-- and for every role. Where the system identifier may not be read, the database's own oids stand in.
SELECT
    current_database()::text AS database,
    database.oid::text AS oid,
    pg_is_in_recovery() AS in_recovery,
    current_setting('default_transaction_read_only') AS read_only,
    has_function_privilege('pg_control_system()', 'execute') AS has_identifier,
    md5((
        SELECT string_agg(namespace.oid || namespace.nspname, ',' ORDER BY namespace.oid)
        FROM pg_namespace AS namespace
        WHERE namespace.nspname !~ '^pg_' AND namespace.nspname <> 'information_schema'
    ) || database.datdba || database.datname) AS oids
FROM pg_database AS database
WHERE database.datname = current_database()
