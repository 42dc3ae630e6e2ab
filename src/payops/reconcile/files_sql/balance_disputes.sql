SELECT
    source AS id, created_us, NULL AS status, -amount AS amount, currency,
    intent AS payment_intent, charge
FROM ({rows})
WHERE category = 'dispute' AND source IS NOT NULL
