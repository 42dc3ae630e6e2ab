-- Who holds the lock of `payops apply`. Of another role's session only some may be seen.
SELECT
    activity.pid AS pid,
    coalesce(activity.usename::text, '') AS role,
    coalesce(activity.application_name, '') AS application,
    coalesce(host(activity.client_addr), '') AS address,
    activity.xact_start AS since
FROM pg_locks AS lock
JOIN pg_stat_activity AS activity ON activity.pid = lock.pid
WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1
    AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND lock.classid::bigint = (%(key)s::bigint >> 32)
    AND lock.objid::bigint = (%(key)s::bigint & 4294967295)
