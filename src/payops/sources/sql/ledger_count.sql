-- How many payments were made in the same hours of some days, `day` days ago; none is no row. All of
-- the days are asked for at once, so that a table without an index is read once, not once a day.
SELECT payops_span.payops_day AS day, count(*) AS count
FROM {table}
JOIN (
    SELECT ordinality::int - 1, since, until
    FROM unnest(%(sinces)s::timestamptz[], %(untils)s::timestamptz[])
        WITH ORDINALITY AS span (since, until, ordinality)
) AS payops_span (payops_day, payops_since, payops_until) ON {matches}
GROUP BY payops_span.payops_day
