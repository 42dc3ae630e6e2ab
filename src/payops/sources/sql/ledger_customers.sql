-- The customers of a window with most attempts, and those with most failures by our fault. A
-- failure of ours is a `failed` row whose code is not among the issuers' `declines`; `first` is when
-- the first of them was.
SELECT customer, attempts, ours, declined, customers, failing, first
FROM (
    SELECT
        customer, attempts, ours, declined, first,
        count(*) OVER () AS customers,
        count(*) FILTER (WHERE ours > 0) OVER () AS failing,
        row_number() OVER (ORDER BY attempts DESC, customer) AS by_attempts,
        row_number() OVER (ORDER BY ours DESC, customer) AS by_ours
    FROM (
        SELECT
            customer,
            count(*) AS attempts,
            count(*) FILTER (WHERE failed AND NOT refused) AS ours,
            count(*) FILTER (WHERE failed AND refused) AS declined,
            min(created_at) FILTER (WHERE failed AND NOT refused) AS first
        FROM (
            SELECT
                customer,
                created_at,
                lower(status) = ANY(%(failed)s::text[]) AS failed,
                coalesce(
                    lower(failure_code) = ANY(%(declines)s::text[])
                    OR failure_code = ANY(%(own_declines)s::text[]),
                    false
                ) AS refused
            FROM ({payments}) AS payment
            WHERE customer IS NOT NULL
        ) AS attempt
        GROUP BY customer
    ) AS one
) AS ranked
WHERE by_attempts <= %(most)s OR by_ours <= %(most)s
ORDER BY ours DESC, attempts DESC, customer
