-- How long payments took from their making to their completion, in seconds. A time before its own
-- beginning is left out: it is no measurement, nor is one that never came (infinity).
SELECT
    count(*) AS count,
    avg(seconds) AS average,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) AS median,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95,
    max(seconds) AS longest
FROM (
    SELECT extract(epoch FROM completed_at - created_at)::float8 AS seconds
    FROM ({payments}) AS payment
    WHERE completed_at >= created_at AND isfinite(completed_at) AND isfinite(created_at)
) AS finished
