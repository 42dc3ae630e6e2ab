-- How many collections were looked at, and of how many commissions no transaction is named.
SELECT
    count(*) AS collections,
    count(*) FILTER (WHERE is_commission) AS commissions,
    count(*) FILTER (WHERE is_commission AND of IS NULL) AS without_transaction
FROM ({collections}) AS each
WHERE inside
