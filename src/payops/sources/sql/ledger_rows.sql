-- A ledger's rows of some statuses (all, without {matches}) in some time, in payops' words: the
-- others select from it. `minor` is NULL where the amount is NULL, NaN, not whole minor units, or
-- larger than any payment (infinity too), which no program that reads the report could hold.
-- No currency is longer than 16 letters, and none that somebody wrote there may fill a report.
SELECT
    scaled_row.id, scaled_row.processor_ref, scaled_row.status, scaled_row.failure_code, scaled_row.currency, scaled_row.created_at,
    scaled_row.completed_at, scaled_row.customer, scaled_row.order_id, scaled_row.paid_otherwise,
    CASE
        WHEN abs(scaled_row.scaled) < 1e18 AND scaled_row.scaled = trunc(scaled_row.scaled)
        THEN scaled_row.scaled
    END AS minor
FROM (
    SELECT
        raw.*,
        {in_minor_units} AS scaled
    FROM (
        SELECT
            {id}::text AS id,
            {processor_ref}::text AS processor_ref,
            {status}::text AS status,
            {failure_code}::text AS failure_code,
            lower(coalesce(nullif(left(trim({currency}::text), 16), ''), %(currency)s::text)) AS currency,
            {created_at} AS created_at,
            {completed_at} AS completed_at,
            {customer}::text AS customer,
            {order_id}::text AS order_id,
            {paid_otherwise} AS paid_otherwise,
            nullif({amount}, 'NaN') AS amount
        FROM {table}
        WHERE {matches}
    ) AS raw
) AS scaled_row
