-- The oldest of some collections.
SELECT
    id, owner, connection, transaction, type, coalesce(status, '') AS status, currency, minor, at,
    reason, retries
FROM ({collections}) AS collection
ORDER BY at NULLS FIRST, length(id), id
LIMIT %(most)s
