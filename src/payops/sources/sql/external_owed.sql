-- Collections by status and currency.
SELECT
    coalesce(status, '') AS status,
    currency,
    count(*) AS count,
    coalesce(sum(minor), 0) AS minor,
    count(*) FILTER (WHERE minor IS NULL) AS inexact,
    min(at) AS oldest
FROM ({collections}) AS collection
GROUP BY status, currency
ORDER BY count DESC, status, currency
