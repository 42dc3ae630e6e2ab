-- The states of rows that are asked for by one of their names.
SELECT
    {id}::text AS key,
    {status}::text AS status,
    {name}::text AS name,
    {completed_us} AS completed_us
FROM {table}
WHERE {matches}
