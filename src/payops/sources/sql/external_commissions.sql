-- Paid transactions whose commission is not what amount and rate say, or cannot be reckoned. A
-- refund explains a commission of what was left, or none of what was wholly refunded.
SELECT
    key::text AS id, by::text AS connection, reference, status, currency,
    amount_text AS amount, fee_text AS fee, rate_text AS rate, commission_text AS commission,
    refunded_text AS refunded, collected
FROM ({sales}) AS sale
WHERE is_paid AND rate_text IS NOT NULL AND {is_wrong}
ORDER BY key
LIMIT %(most)s
