-- How many payments were made in the same hours of one day; `day` days ago.
SELECT {day}::int AS day, count(*) AS count FROM {table} WHERE {matches}
