-- One `payops apply` a database. Held by an open transaction, so that it ends with its connection
-- and works behind a pooler too.
SELECT pg_try_advisory_xact_lock(%(key)s::bigint) AS taken
