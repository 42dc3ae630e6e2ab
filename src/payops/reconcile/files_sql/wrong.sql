-- The first record of which something cannot be read, and what.
SELECT _n, wrong_
FROM (SELECT _n, CASE {cases} END AS wrong_ FROM ({rows}))
WHERE wrong_ IS NOT NULL
ORDER BY _n
LIMIT 1
