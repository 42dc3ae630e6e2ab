-- Payments above their currency's limit (minor units), by currency; `largest` is one's key.
SELECT
    payment.currency,
    count(*) AS count,
    sum(payment.minor) AS minor,
    max(payment.minor) AS most,
    (array_agg(payment.id ORDER BY payment.minor DESC, payment.id))[1] AS largest,
    min(payment.created_at) AS first
FROM ({payments}) AS payment
JOIN unnest(%(currencies)s::text[], %(limits)s::bigint[]) AS high (currency, minor)
    ON payment.currency = high.currency AND payment.minor > high.minor
GROUP BY payment.currency
ORDER BY count DESC, payment.currency
