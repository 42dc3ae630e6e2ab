-- How many paid transactions were looked at, and how many have no rate.
SELECT
    count(*) AS paid,
    count(*) FILTER (
        WHERE commission IS DISTINCT FROM due AND due IS NOT NULL AND NOT {is_wrong}
        AND NOT (commission IS NULL AND due = 0)
    ) AS refund_explains,
    count(*) FILTER (WHERE rate_text IS NULL) AS without_rate,
    (min(key::text) FILTER (WHERE rate_text IS NULL)) AS first_without_rate
FROM ({sales}) AS sale
WHERE is_paid
