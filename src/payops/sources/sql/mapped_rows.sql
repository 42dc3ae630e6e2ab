-- Rows of a mapped table as texts, found by the values of one of its columns.
SELECT ARRAY[{columns}]::text[] AS values
FROM {table}
WHERE {by} = ANY(%(wanted)s::text[])
ORDER BY {order}
LIMIT %(most)s
