-- Connections to outside processors as they are now. Credentials are never selected: of the signing
-- secret it is asked whether it is NULL.
SELECT
    {id}::text AS id,
    {owner}::text AS owner,
    lower({processor}::text) AS processor,
    lower({status}::text) AS status,
    {created_at} AS created_at,
    {last_sync} AS last_sync,
    {last_transaction} AS last_transaction,
    {expires_at} AS expires_at,
    nullif(left({webhook_url}::text, 2000), '') AS webhook_url,
    {has_secret} AS has_secret,
    {errors}::text AS errors,
    left({last_error}::text, 500) AS last_error
FROM {connections}
WHERE %(only)s::text IS NULL OR {id}::text = %(only)s::text
ORDER BY length({id}::text), {id}::text
LIMIT %(most)s
