-- How long the payments of a window took from creation to completion, in milliseconds, in all or by
-- the hour or day (UTC) of their creation. One that was completed before it was created says that
-- two clocks differ: it is counted, and in no average.
SELECT
    since,
    count(*) FILTER (WHERE took >= 0) AS count,
    count(*) FILTER (WHERE took < 0) AS negative,
    avg(took) FILTER (WHERE took >= 0) AS average,
    percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY took) FILTER (WHERE took >= 0) AS cuts,
    max(took) AS longest
FROM (
    SELECT
        date_trunc(%(unit)s::text, created_at) AS since,
        extract(epoch FROM completed_at - created_at)::double precision * 1000 AS took
    FROM ({payments}) AS payment
    WHERE isfinite(completed_at) AND isfinite(created_at)
) AS timed
GROUP BY since
ORDER BY since
