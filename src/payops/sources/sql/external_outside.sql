-- What outside processors took in a window, by connection and currency; minor units. An amount that is
-- NULL or not whole minor units is in no sum. Fees and commissions are added up first and rounded
-- then: a float's fraction of a cent is no cent. Rows alike are counted before their numbers are
-- read exactly, which takes its time for a million floats.
SELECT
    sum.by::text AS connection,
    lower(connection.processor) AS processor,
    sum.currency,
    coalesce(sum(times) FILTER (WHERE is_amount AND is_whole), 0)::bigint AS count,
    coalesce(sum(times) FILTER (WHERE is_amount AND is_whole IS NOT TRUE), 0)::bigint AS inexact,
    coalesce(sum(amount * scale * times) FILTER (WHERE is_amount AND is_whole), 0) AS minor,
    round(coalesce(sum(fee * scale * times) FILTER (WHERE abs(fee) < 1e16), 0)) AS fee,
    round(coalesce(sum(commission * scale * times) FILTER (WHERE abs(commission) < 1e16), 0))
        AS commission,
    round(coalesce(
        sum(commission * scale * times)
            FILTER (WHERE abs(commission) < 1e16 AND collected IS NOT TRUE),
        0
    )) AS uncollected
FROM (
    SELECT *, abs(amount) < 1e16 AND amount * scale = trunc(amount * scale) AS is_whole
    FROM (
        SELECT *, {scale} AS scale
        FROM (
            SELECT
                by, lower(code) AS currency, {digits} AS digits, times, is_amount, collected,
                {amount} AS amount,
                {fee} AS fee,
                {commission} AS commission
            FROM (
                SELECT
                    by, code, raw_amount, raw_fee, raw_commission, collected,
                    grouping(raw_amount) = 0 AS is_amount,
                    count(*) AS times
                FROM (
                    SELECT
                        {connection} AS by,
                        {code} AS code,
                        {amount_column} AS raw_amount,
                        {fee_column} AS raw_fee,
                        {commission_column} AS raw_commission,
                        {collected} AS collected
                    FROM {table}
                    WHERE {matches} AND {is_paid}
                ) AS sale
                GROUP BY GROUPING SETS (
                    (by, code, raw_amount),
                    (by, code, raw_fee),
                    (by, code, raw_commission, collected)
                )
            ) AS alike
        ) AS exact
    ) AS scaled
) AS sum
LEFT JOIN ({connections}) AS connection ON connection.key::text = sum.by::text
GROUP BY sum.by, connection.processor, sum.currency
ORDER BY count DESC, length(sum.by::text), sum.by, sum.currency
LIMIT %(most)s
