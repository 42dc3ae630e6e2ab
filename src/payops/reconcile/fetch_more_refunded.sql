-- Intents whose charge says that more was refunded than the refunds at hand make.
SELECT intent.id
FROM read_csv($intents, all_varchar = true, header = true) AS intent
LEFT JOIN (
    SELECT charge, sum(CAST(amount AS BIGINT)) AS amount
    FROM read_csv($refunds, all_varchar = true, header = true)
    WHERE status IS NULL OR status NOT IN ('failed', 'canceled')
    GROUP BY charge
) AS refunded ON refunded.charge = intent.charge
WHERE CAST(intent.amount_refunded AS BIGINT) > coalesce(refunded.amount, 0)
ORDER BY intent.id
