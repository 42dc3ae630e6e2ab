-- What became of the payments of a window. Rows alike are counted before their amount is read exactly:
-- shops have few prices, and reading a million floats as exact decimals takes seconds.
-- No currency is longer than 16 letters, and none that somebody wrote there may fill a report.
SELECT
    NULL::timestamptz AS since, status, failure_code, currency,
    sum(times)::bigint AS count,
    coalesce(sum(minor * times), 0) AS minor,
    coalesce(sum(times) FILTER (WHERE minor IS NULL), 0)::bigint AS inexact,
    min(first) AS first,
    max(last) AS last
FROM (
    SELECT
        status, failure_code, currency, times, first, last,
        CASE WHEN abs(scaled) < 1e18 AND scaled = trunc(scaled) THEN scaled END AS minor
    FROM (
        SELECT *, {in_minor_units} AS scaled
        FROM (
            SELECT
                payops_status AS status,
                payops_code AS failure_code,
                lower(coalesce(nullif(left(trim(payops_currency), 16), ''), %(currency)s::text)) AS currency,
                payops_times AS times,
                payops_first AS first,
                payops_last AS last,
                nullif({amount}, 'NaN') AS amount
            FROM (
                SELECT
                    payops_status, payops_code, payops_currency, {amount_column},
                    count(*) AS payops_times,
                    min(payops_at) AS payops_first,
                    max(payops_at) AS payops_last
                FROM (
                    SELECT
                        {created_at} AS payops_at,
                        {status}::text AS payops_status,
                        {failure_code}::text AS payops_code,
                        {currency}::text AS payops_currency,
                        {amount_column}
                    FROM {table}
                    WHERE {matches}
                ) AS payment
                GROUP BY 1, 2, 3, 4
            ) AS alike
        ) AS raw
    ) AS scaled_row
) AS counted
GROUP BY status, failure_code, currency
ORDER BY count DESC, status, failure_code, currency
LIMIT %(most)s
