-- The newest events of which the raw body and its signature were kept.
SELECT
    {event_id}::text AS event_id,
    {payload}::text AS payload,
    {signature}::text AS signature,
    pg_typeof({payload})::text AS kind
FROM {table}
WHERE {payload} IS NOT NULL AND {signature} IS NOT NULL
ORDER BY {received_at} DESC
LIMIT %(at_most)s
