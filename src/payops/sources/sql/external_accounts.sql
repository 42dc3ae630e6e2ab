-- Owners whom the platform pays by Stripe Connect, the newest first.
SELECT {id}::text AS owner, {account}::text AS account
FROM {owners}
WHERE {account}::text LIKE 'acct\_%%'
ORDER BY {id} DESC
LIMIT %(most)s
