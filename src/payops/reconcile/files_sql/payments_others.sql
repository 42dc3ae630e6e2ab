-- Rows of payments_rows.sql that are refunds or disputes; a dispute has no reason column.
SELECT
    id, created_us, status, amount, currency, intent AS payment_intent, charge{reason}
FROM ({rows})
WHERE kind = '{kind}'
