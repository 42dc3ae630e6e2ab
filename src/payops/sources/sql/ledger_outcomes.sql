-- What became of the payments of a window, most frequent first.
SELECT
    status,
    failure_code,
    currency,
    count(*) AS count,
    coalesce(sum(minor), 0) AS minor,
    count(*) FILTER (WHERE minor IS NULL) AS inexact,
    count(*) FILTER (WHERE coalesce(processor_ref, '') = '' AND NOT paid_otherwise)
        AS without_reference,
    min(created_at) AS first,
    max(created_at) AS last
FROM ({payments}) AS payment
GROUP BY status, failure_code, currency
ORDER BY count DESC, status, failure_code, currency
LIMIT %(most)s
