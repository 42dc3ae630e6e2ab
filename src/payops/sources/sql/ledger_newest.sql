-- Stripe's ids in the newest payments that have one.
SELECT coalesce({processor_ref}::text, {session_ref}::text, {charge_ref}::text) AS reference
FROM {table}
WHERE coalesce({processor_ref}::text, {session_ref}::text, {charge_ref}::text) ~ '^(pi|cs|ch|py|re)_'
ORDER BY {created_at} DESC
LIMIT %(at_most)s
