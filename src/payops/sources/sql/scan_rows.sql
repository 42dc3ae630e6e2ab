-- Rows of one table, each with its key, and of each text column its beginning.
SELECT {key} AS key, {values} AS values
FROM {table} {sampled}
{newest}
LIMIT %(rows)s
