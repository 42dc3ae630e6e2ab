-- The last payments of a window that failed.
SELECT id, processor_ref, status, failure_code, currency, minor, created_at
FROM ({payments}) AS payment
ORDER BY created_at DESC, id
LIMIT %(most)s
