-- How many customers met each failure code in a window, and how many any: one customer who tries
-- ten times is no incident, ten customers are.
SELECT
    grouping(failure_code) = 1 AS is_total,
    failure_code,
    count(DISTINCT customer) AS customers
FROM ({payments}) AS payment
GROUP BY GROUPING SETS ((failure_code), ())
