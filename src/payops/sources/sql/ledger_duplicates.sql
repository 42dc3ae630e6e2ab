-- Payments of the same order (or customer) and amount that followed another within %(within)s
-- seconds, by currency. `first` and `second` are the latest pair's keys.
SELECT
    currency,
    count(*) AS count,
    sum(minor) AS minor,
    max(created_at) AS last,
    (array_agg(earlier ORDER BY created_at DESC))[1] AS first,
    (array_agg(id ORDER BY created_at DESC))[1] AS second
FROM (
    SELECT
        id, currency, minor, created_at,
        lag(id) OVER same AS earlier,
        created_at - lag(created_at) OVER same AS after
    FROM (
        SELECT
            id, currency, minor, created_at,
            coalesce('order ' || order_id, 'customer ' || customer) AS whose
        FROM ({payments}) AS payment
    ) AS named
    WHERE whose IS NOT NULL AND minor > 0
    WINDOW same AS (PARTITION BY whose, currency, minor ORDER BY created_at, id)
) AS paired
WHERE after <= make_interval(secs => %(within)s)
GROUP BY currency
ORDER BY count DESC, currency
