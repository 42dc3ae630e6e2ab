-- Rows of payments_rows.sql as the spool's intents. An export of charges has one row an attempt.
SELECT
    coalesce(intent, id) AS id,
    created_us,
    intent_status_of(status) AS status,
    amount,
    CASE
        WHEN intent_status_of(status) = 'succeeded' AND captured IS DISTINCT FROM false
            THEN coalesce(amount_captured, amount)
        ELSE 0
    END AS amount_received,
    currency,
    livemode,
    customer,
    meta_local,
    meta_order,
    session,
    coalesce(charge, CASE WHEN kind = 'charges' THEN id END) AS charge,
    CASE intent_status_of(status)
        WHEN 'succeeded' THEN 'succeeded'
        WHEN 'requires_capture' THEN 'succeeded'
        WHEN 'processing' THEN 'pending'
        WHEN 'requires_payment_method' THEN 'failed'
    END AS charge_status,
    created_us AS charge_created_us,
    CASE
        WHEN intent_status_of(status) = 'succeeded' AND captured IS DISTINCT FROM false
            THEN coalesce(amount_captured, amount)
    END AS amount_captured,
    amount_refunded,
    disputed,
    failure_code,
    fee,
    fee_currency,
    NULL AS idempotency_key
FROM ({rows})
WHERE kind = '{kind}'
