-- What the event log knows of these events.
SELECT
    {event_id}::text AS event_id,
    {status}::text AS status,
    {processed}::text AS processed,
    {processed_at}::text AS processed_at,
    left({error}::text, 200) AS error
FROM {table}
WHERE {event_id}::text = ANY(%(events)s::text[])
