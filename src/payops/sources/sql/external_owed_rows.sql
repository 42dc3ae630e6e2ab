-- Collections with their amount in minor units; the others select from it. `minor` is NULL where the
-- amount is NULL or not whole minor units.
SELECT
    *,
    CASE
        WHEN abs(amount) < 1e16 AND amount * {scale} = trunc(amount * {scale})
        THEN trunc(amount * {scale})
    END AS minor
FROM (
    SELECT
        {id}::text AS id,
        {owner}::text AS owner,
        {connection}::text AS connection,
        {transaction}::text AS transaction,
        lower({type}::text) AS type,
        lower({status}::text) AS status,
        lower({code}) AS currency,
        {digits} AS digits,
        {amount} AS amount,
        {at} AS at,
        left({reason}::text, 500) AS reason,
        {retries}::text AS retries
    FROM {table}
    WHERE {of_status}
) AS raw
WHERE (%(since)s::timestamptz IS NULL OR at >= %(since)s::timestamptz)
    AND (%(until)s::timestamptz IS NULL OR at < %(until)s::timestamptz)
    AND (%(of)s::text IS NULL OR connection = %(of)s::text)
