-- Collections that may be wrong: of a transaction or connection that does not exist, of another
-- connection or owner, of another amount than the commission, of what was never paid, or twice.
SELECT
    collection.key::text AS id,
    collection.of::text AS transaction,
    collection.by::text AS connection,
    own.key IS NOT NULL AS connection_found,
    own.owner AS connection_owner,
    collection.owner, collection.type, collection.status, collection.currency,
    collection.amount_text AS amount,
    collection.is_commission, collection.is_collected, collection.is_waived, collection.times,
    sale.key IS NOT NULL AS found,
    sale.by::text AS sale_connection,
    its.owner AS sale_owner,
    sale.status AS sale_status,
    sale.currency AS sale_currency,
    sale.amount_text AS sale_amount,
    sale.rate_text AS sale_rate,
    sale.commission_text AS sale_commission,
    sale.refunded_text AS sale_refunded
FROM (
    SELECT
        *,
        count(*) FILTER (WHERE is_commission AND is_collected) OVER (PARTITION BY of) AS times
    FROM ({collections}) AS each
) AS collection
LEFT JOIN ({sales}) AS sale ON {same_sale}
LEFT JOIN ({connections}) AS own ON own.key = collection.by::text
LEFT JOIN ({connections}) AS its ON its.key = sale.by::text
WHERE collection.inside
    AND (
        (collection.of IS NOT NULL AND sale.key IS NULL)
        OR (collection.by IS NOT NULL AND own.key IS NULL AND {has_connections})
        OR collection.by::text <> sale.by::text
        OR collection.owner <> coalesce(its.owner, own.owner)
        OR (
            collection.is_commission AND NOT collection.is_waived AND sale.key IS NOT NULL
            AND (
                sale.is_lost
                OR collection.currency <> sale.currency
                OR (
                    collection.has_amount
                    AND collection.amount IS DISTINCT FROM coalesce(sale.due, sale.commission)
                    AND NOT (
                        coalesce(sale.refunded, 0) <> 0
                        AND collection.amount IS NOT DISTINCT FROM sale.due_after
                    )
                )
                OR (collection.times > 1 AND collection.is_collected)
            )
        )
    )
ORDER BY collection.key
LIMIT %(most)s
