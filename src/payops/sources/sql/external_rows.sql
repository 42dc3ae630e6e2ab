-- An outside processor's transactions with exact numbers, in the ledger's amount_unit: the others
-- select from it. `due` is amount x rate, half a minor unit away from zero; `due_after` the same of
-- what a refund left. `key` and `by` keep the columns' own types, for joins.
SELECT
    *,
    round(amount * rate * {per}, digits) AS due,
    round((amount - coalesce(refunded, 0)) * rate * {per}, digits) AS due_after
FROM (
    SELECT
        {id} AS key,
        {connection} AS by,
        {reference}::text AS reference,
        {status}::text AS status,
        {is_paid} AS is_paid,
        {is_refunded} AS is_refunded,
        {is_lost} AS is_lost,
        {digits} AS digits,
        lower({code}) AS currency,
        {amount} AS amount, {amount_text} AS amount_text,
        {fee} AS fee, {fee_text} AS fee_text,
        {net} AS net, {net_text} AS net_text,
        {refunded} AS refunded, {refunded_text} AS refunded_text,
        {rate} AS rate, {rate_text} AS rate_text,
        {commission} AS commission, {commission_text} AS commission_text,
        {collected} AS collected
    FROM {table}
    WHERE {matches}
) AS read
