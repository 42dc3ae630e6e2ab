-- Collections with exact numbers; `inside` the window that is asked for.
SELECT
    {id} AS key,
    {transaction} AS of,
    {connection} AS by,
    {owner}::text AS owner,
    {type}::text AS type,
    {status}::text AS status,
    lower({code}) AS currency,
    {has_amount} AS has_amount,
    {amount} AS amount,
    {amount_text} AS amount_text,
    {is_commission} AS is_commission,
    coalesce(lower({status}::text) = ANY(%(moved)s::text[]), false) AS is_collected,
    coalesce(lower({status}::text) = ANY(%(waived)s::text[]), false) AS is_waived,
    {inside} AS inside
FROM {table}
