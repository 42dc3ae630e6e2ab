"""What is asked of the tables and views that match.sql leaves behind."""

from __future__ import annotations

ORDER = """money DESC NULLS LAST, CASE severity WHEN 'CRIT' THEN 0 WHEN 'WARN' THEN 1 ELSE 2 END,
    coalesce(stripe_us, ledger_us)"""
FINDINGS = f"""
SELECT f.*, coalesce(r.id, i.id) AS suggested_id, coalesce(r.key, i.key) AS suggested_key,
    coalesce(r.how, i.how) AS suggested_how
FROM (
    SELECT * FROM findings WHERE class IN ({{classes}})
    ORDER BY {ORDER}, id, refund_id, ledger, key {{limit}}
) AS f
LEFT JOIN suggestions AS r ON f.id IS NULL AND r.ledger = f.ledger AND r.key = f.key
LEFT JOIN suggestions AS i ON f.key IS NULL AND i.id = f.id
ORDER BY {ORDER}, f.id, f.refund_id, f.ledger, f.key
"""  # noqa: S608  our own texts
LIVE = """
SELECT i.id, coalesce(l.order_id, i.meta_order) AS order_id, NULL AS customer FROM intents AS i
LEFT JOIN paired AS p ON p.id = i.id AND p.place = 1
LEFT JOIN ledger_rows AS l ON l.ledger = p.ledger AND l.key = p.key
WHERE NOT i.is_session AND (i.took > i.given OR i.state IN ('processing', 'held', 'action'))
    AND coalesce(l.order_id, i.meta_order) IN (SELECT name FROM asked_orders)
UNION ALL
SELECT DISTINCT id, NULL, customer FROM source_intents
WHERE customer IN (SELECT name FROM asked_customers)
    AND (status IN ('processing', 'requires_capture', 'requires_action')
        OR coalesce(amount_received, 0) > coalesce(amount_refunded, 0))
"""
