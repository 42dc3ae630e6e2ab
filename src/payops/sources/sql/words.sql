-- Every word of one column, with how many rows have it; the most frequent first.
SELECT {column}::text AS word, count(*) AS count
FROM {table}
GROUP BY 1
ORDER BY 2 DESC
LIMIT %(most)s
