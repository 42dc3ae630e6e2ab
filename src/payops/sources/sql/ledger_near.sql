-- A few rows of a ledger in the columns of ledger_copy.sql, the newest first. Times
-- are microseconds since the epoch; an amount that is no finite number is NULL.
SELECT
    {id}::text AS key,
    {status}::text AS status,
    {amount} AS amount,
    {deduction} AS deduction,
    lower(coalesce(nullif(trim({currency}::text), ''), %(currency)s::text)) AS currency,
    {created_us} AS created_us,
    {updated_us} AS updated_us,
    {completed_us} AS completed_us,
    {processor_ref}::text AS processor_ref,
    {charge_ref}::text AS charge_ref,
    {session_ref}::text AS session_ref,
    {idempotency_key}::text AS idempotency_key,
    {order_id}::text AS order_id,
    {customer_id}::text AS customer_id,
    {failure_code}::text AS failure_code,
    {payment_key}::text AS payment_key,
    {refunded_amount} AS refunded_amount,
    {fee} AS fee
FROM {table}
WHERE {matches}
ORDER BY created_us DESC NULLS LAST, key
LIMIT %(most)s
