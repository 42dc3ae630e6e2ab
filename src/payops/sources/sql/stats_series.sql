-- What became of the payments of a window, by the hour or day (in UTC) of their creation.
SELECT
    date_trunc(%(unit)s::text, created_at) AS since,
    status,
    failure_code,
    currency,
    count(*) AS count,
    coalesce(sum(minor), 0) AS minor,
    count(*) FILTER (WHERE minor IS NULL) AS inexact,
    min(created_at) AS first,
    max(created_at) AS last
FROM ({payments}) AS payment
GROUP BY 1, status, failure_code, currency
ORDER BY 1, count DESC, status, failure_code, currency
LIMIT %(most)s
