SELECT
    source AS id, created_us, 'succeeded' AS status, -amount AS amount, currency,
    intent AS payment_intent, charge, NULL AS reason
FROM ({rows})
WHERE category IN ('refund', 'payment_refund') AND source IS NOT NULL
