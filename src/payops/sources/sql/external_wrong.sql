-- The condition under which a transaction's commission is looked at more closely.
(
    amount IS NULL OR rate IS NULL OR (commission IS NULL AND commission_text IS NOT NULL)
    OR rate < 0 OR rate > %(most_rate)s::numeric
    OR NOT (
        coalesce(commission, 0) = due
        OR (coalesce(refunded, 0) <> 0 AND coalesce(commission, 0) = due_after)
        OR (is_refunded AND coalesce(commission, 0) = 0)
    )
)
