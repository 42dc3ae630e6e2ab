-- Whom an incident concerns, each customer once: those whose payment failed by our fault since
-- `failing_since`, or is open for too long (created before `stuck_before`), and `others`; and how
-- many payments failed by our fault before and after `middle`, the newest of them at `newest`.
WITH judged AS (
    SELECT
        customer,
        created_at,
        created_at >= %(failing_since)s
            AND lower(status) = ANY(%(failed)s::text[])
            AND NOT coalesce(
                lower(failure_code) = ANY(%(declines)s::text[])
                OR failure_code = ANY(%(own_declines)s::text[]),
                false
            ) AS failing,
        created_at < %(stuck_before)s AND lower(status) = ANY(%(open)s::text[]) AS stuck
    FROM ({payments}) AS payment
)
SELECT
    (
        SELECT count(*) FROM (
            SELECT customer FROM judged WHERE (failing OR stuck) AND customer IS NOT NULL
            UNION
            SELECT unnest(%(others)s::text[])
        ) AS every_one
    ) AS customers,
    count(*) FILTER (WHERE failing AND created_at < %(middle)s) AS earlier,
    count(*) FILTER (WHERE failing AND created_at >= %(middle)s) AS later,
    max(created_at) FILTER (WHERE failing) AS newest
FROM judged
