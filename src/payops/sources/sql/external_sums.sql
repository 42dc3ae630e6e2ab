-- Each connection with what it records of itself, beside its transactions by status and currency.
-- One statement, so one snapshot: a payment that is being recorded is on both sides or on none.
WITH sums AS (
    SELECT
        by, status, currency,
        count(*) AS count,
        count(*) - count(*) FILTER (WHERE abs(amount) < 1e16) AS inexact,
        sum(amount * {scale}) FILTER (WHERE abs(amount) < 1e16) AS minor,
        sum(refunded * {scale}) FILTER (WHERE abs(refunded) < 1e16) AS refunded,
        sum(fee * {scale}) FILTER (WHERE abs(fee) < 1e16) AS fee,
        sum(net * {scale}) FILTER (WHERE abs(net) < 1e16) AS net,
        count(*) FILTER (
            WHERE net <> amount - coalesce(fee, 0)
            AND net <> amount - coalesce(fee, 0) - coalesce(refunded, 0)
        ) AS broken
    FROM ({sales}) AS sale
    GROUP BY by, status, currency
)
SELECT
    coalesce(connection.id, sums.by::text) AS connection,
    connection.id IS NOT NULL AS known,
    connection.owner, connection.processor, connection.state, connection.currency,
    connection.total_transactions, connection.total_volume,
    sums.status,
    coalesce(sums.currency, '') AS sum_currency,
    coalesce(sums.count, 0) AS count,
    coalesce(sums.minor, 0) AS minor,
    coalesce(sums.refunded, 0) AS refunded,
    sums.fee, sums.net,
    coalesce(sums.inexact, 0) AS inexact,
    coalesce(sums.broken, 0) AS broken
FROM (
    SELECT
        {id}::text AS id,
        {owner}::text AS owner,
        {processor}::text AS processor,
        {state}::text AS state,
        nullif(lower(trim({connection_currency}::text)), '') AS currency,
        {total_transactions} AS total_transactions,
        {total_volume} AS total_volume
    FROM {connections}
) AS connection
FULL JOIN sums ON sums.by::text = connection.id
ORDER BY length(coalesce(connection.id, sums.by::text)), connection, sums.status, sum_currency
LIMIT %(most)s
