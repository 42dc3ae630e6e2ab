-- What outside processors took in a window, by connection and currency; minor units. An amount that is
-- NULL or not whole minor units is in no sum. Fees and commissions are added up first and rounded
-- then: a float's fraction of a cent is no cent.
SELECT
    sale.by::text AS connection,
    lower(connection.processor) AS processor,
    sale.currency,
    count(*) FILTER (WHERE sale.is_whole) AS count,
    count(*) FILTER (WHERE sale.is_whole IS NOT TRUE) AS inexact,
    coalesce(sum(sale.scaled) FILTER (WHERE sale.is_whole), 0) AS minor,
    round(coalesce(sum(sale.fee * sale.scale) FILTER (WHERE abs(sale.fee) < 1e16), 0)) AS fee,
    round(coalesce(
        sum(sale.commission * sale.scale) FILTER (WHERE abs(sale.commission) < 1e16), 0
    )) AS commission,
    round(coalesce(
        sum(sale.commission * sale.scale)
            FILTER (WHERE abs(sale.commission) < 1e16 AND sale.collected IS NOT TRUE),
        0
    )) AS uncollected
FROM (
    SELECT
        by, currency, fee, commission, collected, scale,
        amount * scale AS scaled,
        abs(amount) < 1e16 AND amount * scale = trunc(amount * scale) AS is_whole
    FROM (
        SELECT by, currency, amount, fee, commission, collected, {scale} AS scale
        FROM ({sales}) AS each
        WHERE is_paid
    ) AS paid
) AS sale
LEFT JOIN ({connections}) AS connection ON connection.key::text = sale.by::text
GROUP BY sale.by, connection.processor, sale.currency
ORDER BY count DESC, length(sale.by::text), sale.by, sale.currency
