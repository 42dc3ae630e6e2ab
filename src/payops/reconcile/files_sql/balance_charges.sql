-- Balance transactions of payments, as intents: a partial capture makes two, which are summed.
SELECT
    coalesce(any_value(intent), charge) AS id,
    min(created_us) AS created_us,
    'succeeded' AS status,
    sum(amount) FILTER (amount > 0) AS amount,
    sum(amount) AS amount_received,
    any_value(currency) AS currency,
    NULL AS livemode,
    any_value(customer) AS customer,
    any_value(meta_local) AS meta_local,
    any_value(meta_order) AS meta_order,
    NULL AS session,
    charge,
    'succeeded' AS charge_status,
    min(created_us) AS charge_created_us,
    sum(amount) AS amount_captured,
    NULL AS amount_refunded,
    NULL AS disputed,
    NULL AS failure_code,
    sum(fee) AS fee,
    any_value(fee_currency) AS fee_currency,
    NULL AS idempotency_key
FROM ({rows})
WHERE category IN ('charge', 'payment', 'partial_capture_reversal') AND charge IS NOT NULL
GROUP BY charge
