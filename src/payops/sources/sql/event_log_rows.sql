-- What the event log says of its rows that match; times with a zone, an error's beginning alone.
SELECT
    coalesce({event_id}::text, '') AS event_id,
    {type}::text AS type,
    {status}::text AS status,
    {processed}::text AS processed,
    {received_at} AS received_at,
    {processed_at} AS processed_at,
    {attempts}::bigint AS attempts,
    left({error}::text, 200) AS error
FROM {table}
WHERE {matches}
ORDER BY {received_at} DESC
LIMIT %(most)s
