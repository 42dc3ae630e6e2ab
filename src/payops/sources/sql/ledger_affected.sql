-- Whom an incident concerns, each customer once: those whose payment is among `keys`, failed by our
-- fault since `failing_since`, or is open for too long (created before `stuck_before`); and how many
-- payments failed by our fault before and after `middle`, the newest of them at `newest`.
SELECT
    count(DISTINCT customer) FILTER (WHERE failing OR stuck OR named) AS customers,
    count(*) FILTER (WHERE failing AND created_at < %(middle)s) AS earlier,
    count(*) FILTER (WHERE failing AND created_at >= %(middle)s) AS later,
    max(created_at) FILTER (WHERE failing) AS newest
FROM (
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
        created_at < %(stuck_before)s AND lower(status) = ANY(%(open)s::text[]) AS stuck,
        id = ANY(%(keys)s::text[]) AS named
    FROM ({payments}) AS payment
) AS judged
