-- The oldest open payments.
SELECT id, processor_ref, status, currency, minor, created_at
FROM ({payments}) AS payment
ORDER BY created_at, id
LIMIT %(sample)s
