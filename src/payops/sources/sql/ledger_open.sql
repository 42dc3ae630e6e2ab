-- Open payments by currency.
SELECT
    currency,
    count(*) AS count,
    coalesce(sum(minor), 0) AS minor,
    count(*) FILTER (WHERE minor IS NULL) AS inexact,
    count(*) FILTER (WHERE coalesce(processor_ref, '') = '') AS without_reference,
    count(*) FILTER (WHERE created_at < now() - interval '2 hours') AS hours,
    count(*) FILTER (WHERE created_at < now() - interval '1 day') AS days,
    min(created_at) AS oldest
FROM ({payments}) AS payment
GROUP BY currency
ORDER BY count DESC, currency
