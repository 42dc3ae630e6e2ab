-- How many rows have something in one column, of the first so many; its values stay where they are.
SELECT count(*)::bigint AS looked, count(*) FILTER (WHERE filled)::bigint AS filled
FROM (SELECT {column} IS NOT NULL AS filled FROM {table} LIMIT %(rows)s) AS first_rows
