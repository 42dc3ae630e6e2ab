-- Who belongs to whom, and what is wrong with the pair. Run by match.py, statement by statement.
--
-- Given (match.py makes them): the views source_intents, source_refunds, source_disputes,
-- source_sessions, source_payments (every ledger of payments, `ledger` is its name) and
-- source_local_refunds (every ledger of refunds), all columns text or integers as the spool has
-- them, absent is NULL; the tables run (one row: the window, now, grace, livemode), ledgers (what
-- each ledger can say), words (ledger, value, word), exponents (currency, factor), verdicts
-- (classify.py) and absent (what the other side was asked for and does not have); and the macros
-- fingerprint(text) -> 64-bit integer (any hash) and whole_minor(text, major, factor) -> minor units,
-- NULL when they are not whole. The rest is plain SQL with window functions.
--
-- First the ledger is read into narrow integers, and the intents are read past it: pairs in which
-- everything agrees are only counted, whatever is odd keeps its columns. Then the odd rows of the
-- ledger are read again with all of theirs, and judged in detail. A fingerprint alone decides nothing
-- about a pair that is odd; of a plain pair, amount, currency and state agree too.

-- kind: 1 says paid and nothing else, 2 says that nothing was taken, 0 anything else.
CREATE TABLE narrow_rows AS
SELECT
    fingerprint(p.key) AS local,
    CASE WHEN p.processor_ref IS NOT NULL THEN fingerprint(p.processor_ref) END AS intent,
    CASE WHEN p.order_id IS NOT NULL THEN fingerprint(p.order_id) END AS ordered,
    CASE
        WHEN g.fee OR p.refunded_amount IS NOT NULL THEN 0
        WHEN w.word = 'succeeded' THEN 1
        WHEN w.word IN ('failed', 'canceled') THEN 2
        ELSE 0
    END AS kind,
    whole_minor(p.amount, g.major, x.factor) - coalesce(whole_minor(p.deduction, g.major, x.factor), 0) AS minor,
    whole_minor(p.amount, g.major, x.factor) AS stored,
    p.currency,
    p.created_us >= (SELECT since_us FROM run) AND p.created_us < (SELECT until_us FROM run) AS inside
FROM source_payments AS p
JOIN ledgers AS g ON g.name = p.ledger
LEFT JOIN words AS w
    ON w.ledger = p.ledger AND w.value = CASE WHEN g.fold THEN lower(p.status) ELSE p.status END
LEFT JOIN exponents AS x ON x.currency = p.currency;

-- Whatever a refund or a dispute names is looked at in detail.
CREATE TABLE named_intents AS
SELECT fingerprint(payment_intent) AS intent FROM source_refunds WHERE payment_intent IS NOT NULL
UNION
SELECT fingerprint(payment_intent) FROM source_disputes WHERE payment_intent IS NOT NULL;

CREATE TABLE pairs AS
SELECT
    intent, local, ordered, stripe_kind, plain, currency, stripe_minor, ledger_minor,
    stripe_inside, ledger_inside, alone,
    CASE WHEN NOT plain AND intent IS NOT NULL THEN [
            id, CAST(created_us AS VARCHAR), status,
            CAST(amount AS VARCHAR), CAST(amount_received AS VARCHAR), currency,
            livemode, customer, meta_local,
            meta_order, session, charge,
            charge_status, CAST(charge_created_us AS VARCHAR), CAST(amount_captured AS VARCHAR),
            CAST(amount_refunded AS VARCHAR), disputed, failure_code,
            CAST(fee AS VARCHAR), fee_currency, idempotency_key
        ] END AS kept
FROM (
    SELECT
        i.*, coalesce(l.local, i.meta_hash) AS local, coalesce(l.ordered, i.order_hash) AS ordered,
        coalesce(i.kind, 0) AS stripe_kind,
        coalesce(i.kind > 0 AND i.kind = l.kind AND i.currency = l.currency
            AND (i.kind = 2 OR i.amount = l.minor) AND n.intent IS NULL, FALSE) AS plain,
        i.amount AS stripe_minor, l.stored AS ledger_minor,
        coalesce(i.inside, FALSE) AS stripe_inside, coalesce(l.inside, FALSE) AS ledger_inside,
        l.local IS NULL AS alone
    FROM (
        SELECT
            *,
            fingerprint(id) AS intent,
            CASE WHEN meta_order IS NOT NULL THEN fingerprint(meta_order) END AS order_hash,
            CASE WHEN meta_local IS NOT NULL THEN fingerprint(meta_local) END AS meta_hash,
            CASE
                WHEN coalesce(livemode <> (SELECT livemode FROM run), FALSE) THEN 0
                WHEN status = 'succeeded' AND amount > 0 AND coalesce(amount_received, amount) = amount
                    AND coalesce(amount_captured, amount) = amount AND coalesce(amount_refunded, 0) = 0
                    AND coalesce(disputed, 'false') = 'false' THEN 1
                WHEN status IN ('requires_payment_method', 'canceled')
                    AND coalesce(amount_received, 0) = 0 AND coalesce(amount_captured, 0) = 0 THEN 2
                ELSE 0
            END AS kind,
            created_us >= (SELECT since_us FROM run) AND created_us < (SELECT until_us FROM run) AS inside
        FROM source_intents
    ) AS i
    LEFT JOIN named_intents AS n ON n.intent = i.intent
    FULL JOIN narrow_rows AS l ON l.intent = i.intent
) AS joined;

DROP TABLE narrow_rows;

-- Pairs that look plain and are not: an intent that is there twice (fetched twice, or two rows), an
-- order that was paid twice, a row with several charges or with a refund.
CREATE TABLE special_intents AS
SELECT intent FROM pairs WHERE intent IS NOT NULL GROUP BY intent HAVING count(*) > 1
UNION
SELECT fingerprint(payment_intent) FROM source_sessions
WHERE payment_intent IS NOT NULL AND meta_local IS NOT NULL
    AND fingerprint(meta_local) IN (SELECT local FROM pairs WHERE alone AND intent IS NOT NULL);

CREATE TABLE special_orders AS
SELECT ordered FROM pairs
WHERE ordered IS NOT NULL AND intent IS NOT NULL AND stripe_kind <> 2
GROUP BY ordered HAVING count(*) > 1;

CREATE TABLE special_rows AS
SELECT local FROM pairs WHERE alone AND local IS NOT NULL AND stripe_kind <> 2
UNION
SELECT fingerprint(payment_key) FROM source_local_refunds WHERE payment_key IS NOT NULL;

CREATE TABLE odd AS
SELECT p.intent, p.local, p.plain, p.kept FROM pairs AS p
LEFT JOIN special_intents AS i ON i.intent = p.intent
LEFT JOIN special_orders AS o ON o.ordered = p.ordered
LEFT JOIN special_rows AS l ON l.local = p.local
WHERE NOT p.plain OR i.intent IS NOT NULL OR o.ordered IS NOT NULL OR l.local IS NOT NULL;

CREATE TABLE plain_totals AS
SELECT
    p.currency, count(*) AS cases, sum(p.stripe_minor) AS money,
    count(*) FILTER (WHERE p.stripe_inside) AS stripe_count,
    sum(p.stripe_minor) FILTER (WHERE p.stripe_inside) AS stripe_minor,
    count(*) FILTER (WHERE p.ledger_inside) AS ledger_count,
    sum(p.ledger_minor) FILTER (WHERE p.ledger_inside) AS ledger_minor
FROM pairs AS p
LEFT JOIN special_intents AS i ON i.intent = p.intent
LEFT JOIN special_orders AS o ON o.ordered = p.ordered
LEFT JOIN special_rows AS l ON l.local = p.local
WHERE p.plain AND (p.stripe_inside OR p.ledger_inside)
    AND i.intent IS NULL AND o.ordered IS NULL AND l.local IS NULL
GROUP BY p.currency;

DROP TABLE pairs;
CREATE TABLE odd_rows AS SELECT DISTINCT local FROM odd WHERE local IS NOT NULL;
CREATE TABLE odd_plain AS SELECT DISTINCT intent FROM odd WHERE plain;

CREATE TABLE found_intents AS
SELECT
    kept[1] AS id,
    CAST(kept[2] AS BIGINT) AS created_us,
    kept[3] AS status,
    CAST(kept[4] AS BIGINT) AS amount,
    CAST(kept[5] AS BIGINT) AS amount_received,
    kept[6] AS currency,
    kept[7] AS livemode,
    kept[8] AS customer,
    kept[9] AS meta_local,
    kept[10] AS meta_order,
    kept[11] AS session,
    kept[12] AS charge,
    kept[13] AS charge_status,
    CAST(kept[14] AS BIGINT) AS charge_created_us,
    CAST(kept[15] AS BIGINT) AS amount_captured,
    CAST(kept[16] AS BIGINT) AS amount_refunded,
    kept[17] AS disputed,
    kept[18] AS failure_code,
    CAST(kept[19] AS BIGINT) AS fee,
    kept[20] AS fee_currency,
    kept[21] AS idempotency_key
FROM odd WHERE kept IS NOT NULL
UNION ALL
SELECT i.* FROM source_intents AS i WHERE fingerprint(i.id) IN (SELECT intent FROM odd_plain);

CREATE TABLE found_rows AS
SELECT l.* FROM source_payments AS l WHERE fingerprint(l.key) IN (SELECT local FROM odd_rows);

-- What is known of an intent's refunds and disputes. A row fetched twice counts once.
CREATE TABLE refunds AS
SELECT * FROM (
    SELECT r.*, row_number() OVER (
        PARTITION BY id ORDER BY status = 'succeeded' DESC, status, amount, created_us
    ) AS copy
    FROM source_refunds AS r
) AS numbered WHERE copy = 1;

CREATE TABLE disputes AS
SELECT * FROM (
    SELECT d.*, row_number() OVER (PARTITION BY id ORDER BY status, amount, created_us) AS copy
    FROM source_disputes AS d
) AS numbered WHERE copy = 1;

CREATE TABLE refunded AS
SELECT
    payment_intent,
    sum(amount) FILTER (WHERE status NOT IN ('failed', 'canceled')) AS given,
    sum(amount) FILTER (WHERE status IN ('pending', 'requires_action')) AS on_its_way,
    count(*) FILTER (WHERE status IN ('failed', 'canceled')) AS failed,
    max(created_us) AS last_us,
    count(*) AS refunds, min(id) AS one
FROM refunds WHERE payment_intent IS NOT NULL GROUP BY payment_intent;

-- An inquiry (warning_*) has moved no money, a dispute that was won has given it back.
CREATE TABLE disputed AS
SELECT
    payment_intent,
    max(amount) FILTER (WHERE status <> 'won' AND status NOT LIKE 'warning%' AND status <> 'prevented') AS live,
    bool_or(status = 'needs_response') AS due,
    max(created_us) AS last_us, min(id) AS one, min(status) AS status
FROM disputes WHERE payment_intent IS NOT NULL GROUP BY payment_intent;

-- A Checkout Session without an intent stands for one: nobody has paid in it yet, or no more will.
CREATE TABLE sessions AS
SELECT * FROM (
    SELECT s.*, row_number() OVER (
        PARTITION BY id ORDER BY status = 'complete' DESC, payment_intent NULLS LAST, status, created_us
    ) AS copy
    FROM source_sessions AS s
) AS numbered WHERE copy = 1;

CREATE TABLE ledger_rows AS
SELECT
    numbered.*,
    stored - coalesce(deducted, 0) AS minor,
    created_us >= (SELECT since_us FROM run) AND created_us < (SELECT until_us FROM run) AS inside
FROM (
    SELECT
        p.*, w.word, g.truncated, g.refund_words, g.partial_words, g.action_words, g.refunds_ledger,
        g.fee AS maps_fee,
        whole_minor(p.amount, g.major, x.factor) AS stored,
        whole_minor(p.deduction, g.major, x.factor) AS deducted,
        whole_minor(p.fee, g.major, x.factor) AS fee_minor,
        whole_minor(p.refunded_amount, g.major, x.factor) AS recorded,
        row_number() OVER (
            PARTITION BY p.ledger, p.key ORDER BY p.updated_us DESC NULLS LAST, p.status, p.amount, p.created_us
        ) AS copy
    FROM found_rows AS p
    JOIN ledgers AS g ON g.name = p.ledger
    LEFT JOIN words AS w
        ON w.ledger = p.ledger AND w.value = CASE WHEN g.fold THEN lower(p.status) ELSE p.status END
    LEFT JOIN exponents AS x ON x.currency = p.currency
) AS numbered WHERE copy = 1;

CREATE TABLE intents AS
SELECT
    known.*,
    CASE
        WHEN took > 0 THEN CASE
            WHEN given >= took THEN 'refunded' WHEN given > 0 THEN 'part_refunded' ELSE 'paid' END
        WHEN status = 'succeeded' THEN 'paid'
        WHEN status = 'processing' THEN 'processing'
        WHEN status = 'requires_capture' THEN 'held'
        WHEN status = 'requires_action' THEN 'action'
        WHEN status = 'requires_confirmation' THEN 'waiting'
        WHEN status = 'requires_payment_method' THEN CASE
            WHEN failure_code IS NOT NULL OR charge_status = 'failed' THEN 'declined' ELSE 'waiting' END
        WHEN status = 'canceled' THEN 'canceled'
    END AS state,
    created_us >= (SELECT since_us FROM run) AND created_us < (SELECT until_us FROM run) AS inside
FROM (
    SELECT
        i.*,
        FALSE AS is_session,
        CASE
            WHEN i.amount_received IS NULL AND i.amount_captured IS NULL
                THEN CASE WHEN i.status = 'succeeded' THEN i.amount ELSE 0 END
            ELSE greatest(coalesce(i.amount_received, 0), coalesce(i.amount_captured, 0))
        END AS took,
        greatest(coalesce(i.amount_refunded, 0), coalesce(r.given, 0) - coalesce(r.on_its_way, 0)) AS given,
        coalesce(r.on_its_way, 0) AS on_its_way, r.last_us AS refund_us, r.refunds, r.one AS refund,
        coalesce(r.failed, 0) AS failed_refunds,
        CASE
            WHEN d.payment_intent IS NOT NULL THEN coalesce(d.live, 0)
            WHEN i.disputed = 'true' THEN i.amount
            ELSE 0
        END AS dispute_minor,
        i.disputed = 'true' OR d.payment_intent IS NOT NULL AS ever_disputed,
        d.due AS dispute_due, d.last_us AS dispute_us, d.one AS dispute, d.status AS dispute_status,
        row_number() OVER (
            PARTITION BY i.id
            ORDER BY i.amount_received DESC NULLS LAST, i.amount_refunded DESC NULLS LAST, i.status, i.charge, i.created_us
        ) AS copy
    FROM found_intents AS i
    LEFT JOIN refunded AS r ON r.payment_intent = i.id
    LEFT JOIN disputed AS d ON d.payment_intent = i.id
) AS known WHERE copy = 1;

INSERT INTO intents BY NAME
SELECT
    s.id, s.created_us,
    CASE s.status WHEN 'open' THEN 'requires_payment_method' WHEN 'expired' THEN 'canceled'
        ELSE CASE WHEN s.payment_status = 'unpaid' THEN 'processing' ELSE 'succeeded' END END AS status,
    coalesce(s.amount_total, 0) AS amount,
    s.currency, s.livemode, s.meta_local, s.meta_order, s.id AS session,
    TRUE AS is_session,
    CASE WHEN s.status = 'complete' AND s.payment_status <> 'unpaid' THEN coalesce(s.amount_total, 0) ELSE 0 END AS took,
    0 AS given, 0 AS on_its_way, 0 AS dispute_minor, FALSE AS ever_disputed, 0 AS failed_refunds,
    CASE s.status WHEN 'open' THEN 'waiting' WHEN 'expired' THEN 'canceled'
        ELSE CASE WHEN s.payment_status = 'unpaid' THEN 'processing' ELSE 'paid' END END AS state,
    FALSE AS inside
FROM sessions AS s
WHERE s.payment_intent IS NULL AND (
    EXISTS (SELECT 1 FROM ledger_rows AS l WHERE l.session_ref = s.id OR l.processor_ref = s.id)
    OR EXISTS (SELECT 1 FROM ledger_rows AS l WHERE l.key = s.meta_local)
);

-- Matching, best evidence first. A reference to the processor may hold an intent, a charge or a
-- session, whatever its column is called.
CREATE TABLE links AS
SELECT l.ledger, l.key, i.id, 'processor_ref' AS matched_by
FROM ledger_rows AS l JOIN intents AS i ON i.id = l.processor_ref;

INSERT INTO links
SELECT named.ledger, named.key, min(known.id), 'charge'
FROM (
    SELECT ledger, key, charge_ref AS ref FROM ledger_rows WHERE charge_ref IS NOT NULL
    UNION ALL
    SELECT ledger, key, processor_ref FROM ledger_rows WHERE processor_ref IS NOT NULL
) AS named
JOIN (
    SELECT charge AS ref, id FROM intents WHERE charge IS NOT NULL UNION ALL SELECT id, id FROM intents
) AS known ON known.ref = named.ref
WHERE NOT EXISTS (SELECT 1 FROM links AS k WHERE k.ledger = named.ledger AND k.key = named.key)
GROUP BY named.ledger, named.key;

INSERT INTO links
SELECT named.ledger, named.key, min(i.id), 'session'
FROM (
    SELECT ledger, key, session_ref AS ref FROM ledger_rows WHERE session_ref IS NOT NULL
    UNION ALL
    SELECT ledger, key, processor_ref FROM ledger_rows WHERE processor_ref IS NOT NULL
) AS named
JOIN (
    SELECT session AS ref, id FROM intents WHERE session IS NOT NULL
    UNION
    SELECT id, payment_intent FROM sessions WHERE payment_intent IS NOT NULL
) AS via ON via.ref = named.ref
JOIN intents AS i ON i.id = via.id
WHERE NOT EXISTS (SELECT 1 FROM links AS k WHERE k.ledger = named.ledger AND k.key = named.key)
GROUP BY named.ledger, named.key;

-- Metadata names the row. Of several attempts for one row the one that took money is its own.
INSERT INTO links
SELECT ledger, key, id, 'metadata' FROM (
    SELECT
        l.ledger, l.key, i.id,
        row_number() OVER (
            PARTITION BY l.ledger, l.key ORDER BY i.took DESC, i.is_session, i.created_us DESC, i.id
        ) AS choice,
        row_number() OVER (PARTITION BY i.id ORDER BY l.created_us, l.ledger, l.key) AS taken
    FROM ledger_rows AS l
    JOIN (
        SELECT meta_local, id FROM intents WHERE meta_local IS NOT NULL
        UNION
        SELECT meta_local, payment_intent FROM sessions
        WHERE meta_local IS NOT NULL AND payment_intent IS NOT NULL
    ) AS named ON named.meta_local = l.key
    JOIN intents AS i ON i.id = named.id
    WHERE NOT EXISTS (SELECT 1 FROM links AS k WHERE k.ledger = l.ledger AND k.key = l.key)
        AND NOT EXISTS (SELECT 1 FROM links AS k WHERE k.id = i.id)
) AS ranked WHERE choice = 1 AND taken = 1;

-- An order has one row and one intent left: they are each other's. With more of either it stays open.
INSERT INTO links
SELECT ledger, key, id, 'metadata' FROM (
    SELECT
        l.ledger, l.key, i.id,
        count(*) OVER (PARTITION BY l.ledger, l.key) AS intents_of_it,
        count(*) OVER (PARTITION BY i.id) AS rows_of_it
    FROM ledger_rows AS l JOIN intents AS i ON i.meta_order = l.order_id
    WHERE NOT i.is_session
        AND NOT EXISTS (SELECT 1 FROM links AS k WHERE k.ledger = l.ledger AND k.key = l.key)
        AND NOT EXISTS (SELECT 1 FROM links AS k WHERE k.id = i.id)
) AS counted WHERE intents_of_it = 1 AND rows_of_it = 1;

INSERT INTO links
SELECT ledger, key, id, 'idempotency_key' FROM (
    SELECT
        l.ledger, l.key, i.id,
        count(*) OVER (PARTITION BY l.ledger, l.key) AS intents_of_it,
        count(*) OVER (PARTITION BY i.id) AS rows_of_it
    FROM ledger_rows AS l
    JOIN (
        SELECT i.id, coalesce(i.idempotency_key, k.idempotency_key) AS idempotency_key
        FROM intents AS i LEFT JOIN (SELECT DISTINCT * FROM source_keys) AS k ON k.id = i.id
    ) AS i ON i.idempotency_key = l.idempotency_key
    WHERE NOT EXISTS (SELECT 1 FROM links AS k WHERE k.ledger = l.ledger AND k.key = l.key)
        AND NOT EXISTS (SELECT 1 FROM links AS k WHERE k.id = i.id)
) AS counted WHERE intents_of_it = 1 AND rows_of_it = 1;

-- The first row of an intent is judged with it, further ones are duplicates.
CREATE TABLE paired AS
SELECT
    k.ledger, k.key, k.id, k.matched_by,
    row_number() OVER (
        PARTITION BY k.id
        ORDER BY CASE WHEN l.word IN ('succeeded', 'refunded', 'partially_refunded', 'disputed') THEN 0 ELSE 1 END,
            CASE k.matched_by WHEN 'processor_ref' THEN 0 ELSE 1 END, l.created_us, l.ledger, l.key
    ) AS place,
    first_value(k.key) OVER (
        PARTITION BY k.id
        ORDER BY CASE WHEN l.word IN ('succeeded', 'refunded', 'partially_refunded', 'disputed') THEN 0 ELSE 1 END,
            CASE k.matched_by WHEN 'processor_ref' THEN 0 ELSE 1 END, l.created_us, l.ledger, l.key
    ) AS first_key
FROM links AS k JOIN ledger_rows AS l ON l.ledger = k.ledger AND l.key = k.key;

-- Two intents that both kept money, for one order or one row of the ledger: the later is too much.
-- One order of two known customers is two orders.
CREATE TABLE charged AS
SELECT
    i.id, i.amount, i.currency, coalesce(i.charge_created_us, i.created_us) AS charged_us,
    coalesce(l.order_id, i.meta_order) AS order_id,
    coalesce(l.customer_id, '') AS customer,
    coalesce(l.key, i.meta_local) AS local_key
FROM intents AS i
LEFT JOIN paired AS p ON p.id = i.id AND p.place = 1
LEFT JOIN ledger_rows AS l ON l.ledger = p.ledger AND l.key = p.key
WHERE i.took > i.given;

CREATE TABLE second_charges AS
SELECT id, min(earlier) AS earlier, bool_or(same) AS same FROM (
    SELECT b.id, a.id AS earlier, a.amount = b.amount AND a.currency = b.currency AS same
    FROM charged AS a JOIN charged AS b ON a.order_id = b.order_id
    WHERE (a.charged_us, a.id) < (b.charged_us, b.id)
        AND (a.customer = b.customer OR a.customer = '' OR b.customer = '')
    UNION ALL
    SELECT b.id, a.id, a.amount = b.amount AND a.currency = b.currency
    FROM charged AS a JOIN charged AS b ON a.local_key = b.local_key
    WHERE (a.charged_us, a.id) < (b.charged_us, b.id)
) AS both_ways GROUP BY id;

-- Refunds: the ledger's rows beside Stripe's.
CREATE TABLE local_refunds AS
SELECT numbered.*,
    created_us >= (SELECT since_us FROM run) AND created_us < (SELECT until_us FROM run) AS inside
FROM (
    SELECT
        f.*, w.word,
        whole_minor(f.amount, g.major, x.factor) AS minor,
        row_number() OVER (
            PARTITION BY f.ledger, f.key ORDER BY f.updated_us DESC NULLS LAST, f.status, f.amount, f.created_us
        ) AS copy
    FROM source_local_refunds AS f
    JOIN ledgers AS g ON g.name = f.ledger
    LEFT JOIN words AS w
        ON w.ledger = f.ledger AND w.value = CASE WHEN g.fold THEN lower(f.status) ELSE f.status END
    LEFT JOIN exponents AS x ON x.currency = f.currency
) AS numbered WHERE copy = 1;

CREATE TABLE refund_links AS
SELECT f.ledger, f.key, r.id, 'processor_ref' AS matched_by
FROM local_refunds AS f JOIN refunds AS r ON r.id = f.processor_ref;

-- A refund without a reference: the only one of its payment with this amount.
INSERT INTO refund_links
SELECT ledger, key, id, 'payment and amount' FROM (
    SELECT
        f.ledger, f.key, r.id,
        count(*) OVER (PARTITION BY f.ledger, f.key) AS refunds_of_it,
        count(*) OVER (PARTITION BY r.id) AS rows_of_it
    FROM local_refunds AS f
    JOIN paired AS p ON p.key = f.payment_key
    JOIN refunds AS r ON r.payment_intent = p.id AND r.amount = f.minor
    WHERE f.processor_ref IS NULL
        AND NOT EXISTS (SELECT 1 FROM refund_links AS k WHERE k.id = r.id)
) AS counted WHERE refunds_of_it = 1 AND rows_of_it = 1;

CREATE TABLE refund_cases AS
SELECT
    r.id AS stripe_id, r.payment_intent, r.created_us AS stripe_us, r.status AS stripe_status,
    r.amount AS stripe_minor, r.currency AS stripe_currency, r.charge, r.reason,
    f.ledger, f.key, f.processor_ref, f.created_us AS ledger_us, f.status AS local_status, f.word, f.minor AS ledger_minor,
    f.amount AS stored_text, f.currency AS ledger_currency, coalesce(f.payment_key, p.key) AS payment_key, p.ledger AS payments,
    k.matched_by,
    coalesce(r.created_us >= (SELECT since_us FROM run) AND r.created_us < (SELECT until_us FROM run), FALSE) AS stripe_inside,
    coalesce(f.inside, FALSE) AS ledger_inside,
    greatest(coalesce(r.created_us, f.created_us), coalesce(f.created_us, r.created_us))
        > (SELECT now_us - grace_us FROM run) AS young,
    row_number() OVER (PARTITION BY coalesce(r.id, f.ledger || ' ' || f.key) ORDER BY f.created_us, f.ledger, f.key) AS place,
    a.id IS NOT NULL AS confirmed,
    CAST(NULL AS VARCHAR) AS class, CAST(NULL AS VARCHAR) AS severity, CAST(NULL AS HUGEINT) AS money
FROM refunds AS r
FULL JOIN refund_links AS k ON k.id = r.id
FULL JOIN local_refunds AS f ON f.ledger = k.ledger AND f.key = k.key
LEFT JOIN paired AS p ON p.id = r.payment_intent AND p.place = 1
LEFT JOIN absent AS a
    ON a.side = CASE WHEN r.id IS NULL THEN 'stripe' ELSE 'ledger' END
    AND a.id = CASE WHEN r.id IS NULL THEN f.processor_ref WHEN f.key IS NULL THEN r.id END;

-- Without a ledger of refunds, or with a file that names none of Stripe's, there is no book of them:
-- the payment's own row tells, and the sum of what is recorded for it.
DELETE FROM refund_cases
WHERE NOT EXISTS (SELECT 1 FROM ledgers WHERE kind = 'refunds') OR NOT (SELECT knows_refunds FROM run);

CREATE TABLE recorded_refunds AS
SELECT payment_key, sum(minor) AS minor FROM local_refunds
WHERE payment_key IS NOT NULL AND word IN ('succeeded', 'refunded', 'partially_refunded')
    AND NOT (SELECT knows_refunds FROM run)
GROUP BY payment_key;

UPDATE refund_cases SET class = CASE
    WHEN key IS NOT NULL AND stripe_id IS NOT NULL THEN CASE
        WHEN place > 1 THEN 'duplicate_in_ledger'
        WHEN word IS NULL THEN 'unexpected_status'
        WHEN stripe_currency <> ledger_currency THEN 'currency_mismatch'
        WHEN word IN ('failed', 'canceled') AND stripe_status IN ('failed', 'canceled') THEN 'matched'
        WHEN ledger_minor IS NULL OR ledger_minor <> stripe_minor THEN 'refund_partial_mismatch'
        WHEN stripe_status IN ('pending', 'requires_action') AND word NOT IN ('failed', 'canceled') THEN 'in_flight'
        WHEN stripe_status = 'succeeded' AND word IN ('succeeded', 'refunded', 'partially_refunded') THEN 'matched'
        WHEN young THEN 'in_flight'
        ELSE 'status_mismatch' END
    WHEN stripe_id IS NOT NULL THEN CASE
        WHEN stripe_status IN ('failed', 'canceled') THEN 'not_charged'
        WHEN young THEN 'in_flight'
        ELSE 'refund_missing' END
    WHEN word IS NULL THEN 'unexpected_status'
    WHEN processor_ref IS NULL AND word IN ('failed', 'canceled') THEN 'not_charged'
    WHEN young THEN 'in_flight'
    WHEN processor_ref IS NULL THEN 'no_reference'
    ELSE 'missing_in_stripe' END;

UPDATE refund_cases SET
    severity = CASE class
        WHEN 'refund_missing' THEN 'WARN'
        WHEN 'refund_partial_mismatch' THEN CASE WHEN ledger_minor > stripe_minor THEN 'CRIT' ELSE 'WARN' END
        WHEN 'currency_mismatch' THEN 'CRIT'
        WHEN 'status_mismatch' THEN CASE WHEN stripe_status IN ('failed', 'canceled') AND word NOT IN ('pending', 'processing') THEN 'CRIT' ELSE 'WARN' END
        WHEN 'missing_in_stripe' THEN CASE WHEN word IN ('failed', 'canceled') THEN 'WARN' ELSE 'CRIT' END
        WHEN 'no_reference' THEN CASE WHEN word IN ('pending', 'processing') THEN 'WARN' ELSE 'CRIT' END
        WHEN 'duplicate_in_ledger' THEN 'WARN'
        WHEN 'unexpected_status' THEN 'WARN'
        ELSE 'OK' END,
    money = CASE class
        WHEN 'refund_missing' THEN stripe_minor
        WHEN 'refund_partial_mismatch' THEN abs(stripe_minor - coalesce(ledger_minor, 0))
        WHEN 'currency_mismatch' THEN stripe_minor
        WHEN 'status_mismatch' THEN stripe_minor
        WHEN 'missing_in_stripe' THEN CASE WHEN word IN ('failed', 'canceled') THEN 0 ELSE ledger_minor END
        WHEN 'no_reference' THEN CASE WHEN word IN ('pending', 'processing') THEN 0 ELSE ledger_minor END
        WHEN 'duplicate_in_ledger' THEN ledger_minor
        WHEN 'unexpected_status' THEN coalesce(ledger_minor, stripe_minor)
        ELSE coalesce(stripe_minor, ledger_minor) END;

-- What the refunds of one payment come to: a payment whose refund has its own finding has none for it.
CREATE TABLE refund_findings AS
SELECT
    payment_intent,
    bool_or(class IN ('refund_missing', 'refund_partial_mismatch', 'status_mismatch', 'currency_mismatch')
        AND (stripe_inside OR ledger_inside)) AS found,
    bool_and(young) AS young, bool_and(class IN ('matched', 'not_charged')) AS settled
FROM refund_cases WHERE payment_intent IS NOT NULL AND stripe_id IS NOT NULL GROUP BY payment_intent;

-- Every row of a side that is odd, once: pairs, further rows of an intent, and what stands alone.
CREATE TABLE facts AS
SELECT
    l.ledger, l.key, i.id, p.matched_by, p.place, p.first_key,
    l.status AS local_status, l.word, l.stored, l.minor, l.amount AS stored_text, l.currency AS ledger_currency,
    l.created_us AS ledger_us, l.updated_us, l.completed_us, l.processor_ref, l.charge_ref, l.session_ref, l.order_id AS local_order,
    l.customer_id, l.failure_code AS local_failure, l.idempotency_key AS local_idempotency_key, coalesce(l.recorded, b.minor) AS recorded, l.fee_minor, l.truncated, l.maps_fee, l.deducted,
    i.status AS stripe_status, i.state AS true_state, i.amount, i.took, i.given, i.on_its_way, i.currency AS stripe_currency,
    i.created_us AS stripe_us, i.charge_created_us, i.livemode, i.customer, i.charge, i.failure_code, i.fee, i.fee_currency,
    i.meta_local, i.meta_order, i.refund, i.refunds, i.failed_refunds, i.dispute, i.dispute_status, i.dispute_minor, i.dispute_due, i.ever_disputed,
    i.idempotency_key, i.session, coalesce(i.is_session, FALSE) AS is_session,
    coalesce(i.inside, FALSE) AND p.place IS NOT DISTINCT FROM CASE WHEN l.key IS NULL THEN NULL ELSE 1 END AS stripe_inside,
    coalesce(l.inside, FALSE) AS ledger_inside,
    s.earlier, coalesce(s.same, FALSE) AS same_amount,
    coalesce(f.found, FALSE) AS refund_found, coalesce(f.settled, FALSE) AS refund_settled,
    coalesce(f.young, i.refund_us > (SELECT now_us - grace_us FROM run), FALSE) AS refund_young,
    coalesce(i.dispute_us > (SELECT now_us - grace_us FROM run), FALSE) AS dispute_young,
    greatest(coalesce(i.created_us, l.created_us), coalesce(i.charge_created_us, 0), coalesce(l.created_us, i.created_us))
        > (SELECT now_us - grace_us FROM run) AS young,
    a.id IS NOT NULL AS confirmed, coalesce(a.other_mode, FALSE) AS other_mode,
    -- How much of Stripe's state this ledger can say in its status at all.
    CASE
        WHEN l.key IS NULL THEN i.state
        WHEN i.state = 'action' AND NOT l.action_words AND l.word IN ('pending', 'processing') THEN 'waiting'
        WHEN i.state = 'refunded' AND l.word = 'succeeded' AND NOT l.refund_words AND (l.refunds_ledger OR l.recorded IS NOT NULL) THEN 'paid'
        WHEN i.state = 'part_refunded' AND l.word = 'succeeded' AND NOT l.partial_words AND (l.refunds_ledger OR l.recorded IS NOT NULL) THEN 'paid'
        ELSE i.state
    END AS state
FROM intents AS i
FULL JOIN paired AS p ON p.id = i.id
FULL JOIN ledger_rows AS l ON l.ledger = p.ledger AND l.key = p.key
LEFT JOIN recorded_refunds AS b ON b.payment_key = l.key
LEFT JOIN second_charges AS s ON s.id = i.id AND coalesce(p.place, 1) = 1
LEFT JOIN refund_findings AS f ON f.payment_intent = i.id AND coalesce(p.place, 1) = 1
LEFT JOIN absent AS a
    ON a.side = CASE WHEN i.id IS NULL THEN 'stripe' ELSE 'ledger' END
    AND a.id = CASE
        WHEN i.id IS NULL THEN coalesce(l.processor_ref, l.charge_ref, l.session_ref)
        WHEN l.key IS NULL THEN i.id END;

CREATE TABLE judged AS
SELECT
    j.*,
    coalesce(livemode <> (SELECT livemode FROM run), FALSE) AS wrong_mode,
    coalesce(stripe_currency <> ledger_currency, FALSE) AS other_currency,
    -- What Stripe took beside what the ledger has: NULL agrees (or cannot be compared).
    CASE
        WHEN took > 0 AND word IN ('succeeded', 'refunded', 'partially_refunded', 'disputed')
            AND stripe_currency = ledger_currency
            AND NOT (minor IS NOT NULL AND (minor = took OR (truncated AND took = minor - 1)))
        THEN CASE
            WHEN minor IS NULL THEN 'amount_mismatch'
            WHEN took < amount AND minor = amount THEN 'partial_capture'
            ELSE 'amount_mismatch' END
    END AS money_class,
    took > 0 AND truncated AND minor IS NOT NULL AND took = minor - 1 AS cut_cents,
    CASE
        WHEN refund_young OR given IS NULL OR word NOT IN ('succeeded', 'refunded', 'partially_refunded') THEN NULL
        WHEN recorded IS NOT NULL AND took > 0 AND recorded <> given AND on_its_way = 0
            THEN CASE WHEN recorded = 0 THEN 'refund_missing' ELSE 'refund_partial_mismatch' END
    END AS recorded_class,
    coalesce(maps_fee AND took > 0 AND fee IS NOT NULL AND fee_minor IS NOT NULL
        AND fee_currency = ledger_currency AND fee <> fee_minor, FALSE) AS other_fee,
    coalesce(took > 0 AND dispute_minor > 0 AND word IN ('succeeded', 'refunded', 'partially_refunded')
        AND NOT dispute_young, FALSE) AS unrecorded_dispute,
    CASE
        WHEN word = 'disputed' AND ever_disputed AND took > 0 THEN 'matched'
        WHEN v.class IN ('refund_missing', 'refund_partial_mismatch') AND (refund_young OR on_its_way > 0) THEN 'in_flight'
        WHEN v.class IN ('refund_missing', 'refund_partial_mismatch') AND refund_settled AND NOT refund_found
            AND state <> 'paid' THEN 'status_mismatch'
        ELSE v.class
    END AS pair_class,
    CASE
        WHEN v.class IN ('refund_missing', 'refund_partial_mismatch') AND refund_settled AND NOT refund_found
            AND state <> 'paid' THEN 'WARN'
        ELSE v.severity
    END AS pair_severity,
    CASE
        WHEN v.class IN ('refund_missing', 'refund_partial_mismatch') AND refund_settled AND NOT refund_found
            AND state <> 'paid' THEN 'none'
        ELSE v.risk
    END AS pair_risk
FROM facts AS j
LEFT JOIN verdicts AS v ON v.local_word = j.word AND v.stripe_state = j.state;

-- One class a row; the order is told in classify.py.
CREATE TABLE classed AS
SELECT
    j.*,
    CASE
        WHEN wrong_mode OR other_mode THEN 'livemode_or_account_mismatch'
        WHEN key IS NOT NULL AND id IS NOT NULL THEN CASE
            WHEN place > 1 THEN 'duplicate_in_ledger'
            WHEN word IS NULL OR true_state IS NULL THEN 'unexpected_status'
            WHEN earlier IS NOT NULL THEN 'duplicate_charge'
            WHEN young THEN CASE WHEN pair_class = 'matched' AND money_class IS NULL AND NOT other_currency THEN 'matched' ELSE 'in_flight' END
            WHEN pair_class = 'status_mismatch' AND pair_severity = 'CRIT' THEN 'status_mismatch'
            WHEN other_currency AND (took > 0 OR word IN ('succeeded', 'refunded', 'partially_refunded', 'disputed')) THEN 'currency_mismatch'
            WHEN unrecorded_dispute THEN 'dispute_unrecorded'
            WHEN pair_class IN ('refund_missing', 'refund_partial_mismatch') THEN pair_class
            WHEN recorded_class IS NOT NULL AND pair_class <> 'in_flight' THEN recorded_class
            WHEN money_class IS NOT NULL THEN money_class
            WHEN pair_class = 'status_mismatch' THEN 'status_mismatch'
            WHEN other_fee THEN 'fee_mismatch'
            ELSE pair_class END
        WHEN key IS NULL THEN CASE
            WHEN true_state IS NULL THEN 'unexpected_status'
            WHEN took > 0 AND earlier IS NOT NULL THEN 'duplicate_charge'
            WHEN took = 0 AND true_state <> 'processing' THEN 'not_charged'
            WHEN young OR true_state = 'processing' THEN 'in_flight'
            ELSE 'missing_in_ledger' END
        WHEN word IS NULL THEN 'unexpected_status'
        WHEN coalesce(processor_ref, charge_ref, session_ref) IS NULL AND word IN ('failed', 'canceled') THEN 'not_charged'
        WHEN young THEN 'in_flight'
        WHEN coalesce(processor_ref, charge_ref, session_ref) IS NULL THEN 'no_reference'
        ELSE 'missing_in_stripe'
    END AS class
FROM judged AS j;

-- Who might belong together, as a suggestion: one of each with this customer, or this amount, near in time.
CREATE TABLE lonely AS
SELECT ledger, key, id, coalesce(minor, took) AS minor, coalesce(ledger_currency, stripe_currency) AS currency,
    coalesce(ledger_us, stripe_us) AS at_us, coalesce(customer_id, customer) AS customer
    , count(*) OVER (PARTITION BY key IS NULL, coalesce(minor, took), coalesce(ledger_currency, stripe_currency)) AS alike
FROM classed
WHERE (key IS NULL AND class IN ('missing_in_ledger', 'in_flight') AND took > 0)
    OR (id IS NULL AND class IN ('no_reference', 'missing_in_stripe'));

CREATE TABLE suggestions AS
SELECT ledger, key, id, how FROM (
    SELECT t.*,
        count(*) OVER (PARTITION BY ledger, key, how) AS intents_of_it,
        count(*) OVER (PARTITION BY id, how) AS rows_of_it,
        min(how) OVER (PARTITION BY ledger, key) AS best_of_row, min(how) OVER (PARTITION BY id) AS best_of_intent
    FROM (
        SELECT l.ledger, l.key, i.id,
            CASE WHEN l.customer = i.customer THEN 'customer and amount' ELSE 'near amount' END AS how
        FROM lonely AS l JOIN lonely AS i
            ON l.minor = i.minor AND l.currency = i.currency AND l.key IS NOT NULL AND i.id IS NOT NULL
            AND abs(l.at_us - i.at_us) <= 3600000000
        -- Hundreds at one price are a tie anyway.
        WHERE l.alike <= 200 AND i.alike <= 200 AND (l.customer = i.customer OR l.customer IS NULL OR i.customer IS NULL OR l.customer NOT LIKE 'cus\_%' ESCAPE '\')
    ) AS t
) AS counted WHERE intents_of_it = 1 AND rows_of_it = 1 AND how = best_of_row AND how = best_of_intent;

CREATE TABLE cases AS
SELECT
    c.*,
    'payments' AS book,
    CASE class
        WHEN 'livemode_or_account_mismatch' THEN 'CRIT'
        WHEN 'duplicate_in_ledger' THEN CASE WHEN word IN ('succeeded', 'partially_refunded', 'disputed') THEN 'CRIT' ELSE 'WARN' END
        WHEN 'unexpected_status' THEN CASE WHEN took > given THEN 'CRIT' ELSE 'WARN' END
        WHEN 'duplicate_charge' THEN CASE WHEN same_amount THEN 'CRIT' ELSE 'WARN' END
        WHEN 'currency_mismatch' THEN 'CRIT'
        WHEN 'dispute_unrecorded' THEN CASE WHEN coalesce(dispute_due, TRUE) THEN 'CRIT' ELSE 'WARN' END
        WHEN 'amount_mismatch' THEN CASE WHEN took > minor THEN 'CRIT' ELSE 'WARN' END
        WHEN 'partial_capture' THEN 'WARN'
        WHEN 'fee_mismatch' THEN 'WARN'
        WHEN 'missing_in_ledger' THEN CASE WHEN took > given THEN 'CRIT' ELSE 'WARN' END
        WHEN 'missing_in_stripe' THEN CASE WHEN word IN ('succeeded', 'refunded', 'partially_refunded', 'disputed') THEN 'CRIT' ELSE 'WARN' END
        WHEN 'no_reference' THEN CASE WHEN word IN ('succeeded', 'refunded', 'partially_refunded', 'disputed') THEN 'CRIT' ELSE 'WARN' END
        WHEN 'refund_missing' THEN CASE WHEN coalesce(recorded, 0) > given OR word IN ('refunded', 'partially_refunded') THEN 'CRIT' ELSE 'WARN' END
        WHEN 'refund_partial_mismatch' THEN CASE WHEN recorded IS NOT NULL THEN CASE WHEN recorded > given THEN 'CRIT' ELSE 'WARN' END ELSE pair_severity END
        WHEN 'status_mismatch' THEN pair_severity
        ELSE 'OK' END AS severity,
    CASE class
        WHEN 'livemode_or_account_mismatch' THEN CASE WHEN id IS NOT NULL THEN took - given
            WHEN word IN ('succeeded', 'partially_refunded', 'disputed') THEN minor ELSE 0 END
        WHEN 'duplicate_in_ledger' THEN CASE WHEN word IN ('succeeded', 'partially_refunded', 'disputed') THEN minor ELSE 0 END
        WHEN 'unexpected_status' THEN CASE WHEN id IS NULL THEN minor ELSE took - given END
        WHEN 'duplicate_charge' THEN took - given
        WHEN 'currency_mismatch' THEN CASE WHEN took > 0 THEN took - given ELSE minor END
        WHEN 'dispute_unrecorded' THEN dispute_minor
        WHEN 'amount_mismatch' THEN CASE WHEN minor IS NULL THEN took ELSE abs(took - minor) END
        WHEN 'partial_capture' THEN amount - took
        WHEN 'fee_mismatch' THEN abs(fee - fee_minor)
        WHEN 'missing_in_ledger' THEN took - given
        WHEN 'missing_in_stripe' THEN CASE WHEN word IN ('succeeded', 'partially_refunded', 'disputed') THEN minor ELSE 0 END
        WHEN 'no_reference' THEN CASE WHEN word IN ('succeeded', 'partially_refunded', 'disputed') THEN minor ELSE 0 END
        WHEN 'refund_missing' THEN CASE WHEN recorded > 0 THEN abs(recorded - given) WHEN word = 'succeeded' THEN given ELSE took - given END
        WHEN 'refund_partial_mismatch' THEN CASE
            WHEN recorded IS NOT NULL THEN abs(recorded - given) WHEN pair_risk = 'net' THEN took - given ELSE given END
        WHEN 'status_mismatch' THEN CASE pair_risk
            WHEN 'net' THEN took - given WHEN 'booked' THEN minor WHEN 'held' THEN amount ELSE 0 END
        ELSE coalesce(CASE WHEN stripe_inside AND NOT is_session THEN amount END, stored, amount, 0) END AS money,
    CASE WHEN class IN ('missing_in_stripe', 'no_reference', 'duplicate_in_ledger') OR id IS NULL THEN ledger_currency
        WHEN class = 'fee_mismatch' THEN fee_currency ELSE stripe_currency END AS currency,
    concat_ws(', ',
        CASE WHEN earlier IS NOT NULL AND class <> 'duplicate_charge' THEN 'duplicate_charge' END,
        CASE WHEN other_currency AND class <> 'currency_mismatch' THEN 'currency_mismatch' END,
        CASE WHEN unrecorded_dispute AND class <> 'dispute_unrecorded' THEN 'dispute_unrecorded' END,
        CASE WHEN pair_class NOT IN ('matched', 'in_flight') AND pair_class <> class AND class NOT IN ('matched', 'in_flight') THEN pair_class END,
        CASE WHEN recorded_class IS NOT NULL AND recorded_class <> class THEN recorded_class END,
        CASE WHEN money_class IS NOT NULL AND money_class <> class THEN money_class END,
        CASE WHEN other_fee AND class <> 'fee_mismatch' THEN 'fee_mismatch' END
    ) AS also,
    -- A payment whose refund has a finding of its own is told there, with the refund's id.
    class IN ('refund_missing', 'refund_partial_mismatch') AND refund_found AS folded
FROM classed AS c
WHERE stripe_inside OR ledger_inside;

-- Refunds that are told by their payment's own finding: those that the ledger alone believes in, and
-- those of a payment that is not recorded itself.
CREATE TABLE folded_refunds AS
SELECT r.ledger, r.key, r.stripe_id FROM refund_cases AS r
JOIN cases AS c ON c.key = r.payment_key AND c.class IN ('refund_missing', 'refund_partial_mismatch') AND NOT c.folded
WHERE r.stripe_id IS NULL AND r.class IN ('missing_in_stripe', 'no_reference')
UNION
SELECT r.ledger, r.key, r.stripe_id FROM refund_cases AS r
JOIN cases AS c ON c.id = r.payment_intent AND c.class IN ('missing_in_ledger', 'duplicate_charge', 'livemode_or_account_mismatch')
WHERE r.key IS NULL AND c.key IS NULL AND r.class = 'refund_missing';

-- What a person is told: payments that are not told by their refund, and refunds by themselves.
CREATE VIEW told_refunds AS
SELECT r.* FROM refund_cases AS r
WHERE (stripe_inside OR ledger_inside)
    AND class NOT IN ('matched', 'in_flight', 'not_charged')
    AND NOT EXISTS (SELECT 1 FROM folded_refunds AS f WHERE f.ledger = r.ledger AND f.key = r.key)
    AND NOT EXISTS (SELECT 1 FROM folded_refunds AS f WHERE f.key IS NULL AND f.stripe_id = r.stripe_id);

CREATE VIEW findings AS
SELECT c.*, CAST(NULL AS VARCHAR) AS refund_id, CAST(NULL AS VARCHAR) AS refund_row,
    CAST(NULL AS VARCHAR) AS refund_ledger, c.stripe_us AS happened_us
FROM cases AS c WHERE NOT folded
UNION ALL BY NAME
SELECT
    'refunds' AS book, class, severity, money, coalesce(stripe_currency, ledger_currency) AS currency,
    coalesce(payments, ledger) AS ledger, payment_key AS key, payment_intent AS id,
    stripe_id AS refund_id, key AS refund_row, ledger AS refund_ledger, processor_ref, matched_by, place,
    local_status, word, stripe_status, ledger_minor AS minor, ledger_minor AS stored, stored_text,
    stripe_minor AS amount, stripe_minor AS took, 0 AS given, charge,
    stripe_currency, ledger_currency, stripe_us, ledger_us, stripe_us AS happened_us, confirmed, '' AS also, FALSE AS folded,
    stripe_inside, ledger_inside, FALSE AS is_session
FROM told_refunds;

-- Counts and sums: each row adds to one class of one side; a finding is counted where it is told.
CREATE VIEW case_totals AS
SELECT class, currency, count(*) FILTER (WHERE NOT folded) AS cases,
    sum(money) FILTER (WHERE NOT folded) AS money,
    count(*) FILTER (WHERE severity = 'CRIT' AND NOT folded) AS crit,
    count(*) FILTER (WHERE severity = 'WARN' AND NOT folded) AS warn,
    0 AS stripe_count, NULL AS stripe_minor, 0 AS ledger_count, NULL AS ledger_minor
FROM cases GROUP BY class, currency
UNION ALL
SELECT class, stripe_currency, 0, NULL, 0, 0, count(*), sum(amount), 0, NULL
FROM cases WHERE stripe_inside GROUP BY class, stripe_currency
UNION ALL
SELECT class, ledger_currency, 0, NULL, 0, 0, 0, NULL, count(*), sum(stored)
FROM cases WHERE ledger_inside GROUP BY class, ledger_currency
UNION ALL
SELECT class, coalesce(stripe_currency, ledger_currency), count(*), sum(money),
    count(*) FILTER (WHERE severity = 'CRIT'), count(*) FILTER (WHERE severity = 'WARN'), 0, NULL, 0, NULL
FROM told_refunds GROUP BY class, coalesce(stripe_currency, ledger_currency);

CREATE VIEW refund_totals AS
SELECT class, coalesce(stripe_currency, ledger_currency) AS currency, count(*) AS cases, sum(money) AS money,
    0 AS crit, 0 AS warn, 0 AS stripe_count, NULL AS stripe_minor, 0 AS ledger_count, NULL AS ledger_minor
FROM refund_cases WHERE stripe_inside OR ledger_inside GROUP BY 1, 2
UNION ALL
SELECT class, stripe_currency, 0, NULL, 0, 0, count(*), sum(stripe_minor), 0, NULL
FROM refund_cases WHERE stripe_inside AND place = 1 GROUP BY 1, 2
UNION ALL
SELECT class, ledger_currency, 0, NULL, 0, 0, 0, NULL, count(*), sum(ledger_minor)
FROM refund_cases WHERE ledger_inside GROUP BY 1, 2;

-- What the other side is to be asked for by its id.
CREATE VIEW missing AS
SELECT
    'ledger' AS side, c.id, c.charge, c.session, c.meta_local, c.idempotency_key, NULL AS ledger,
    FALSE AS refund, money, stripe_us AS created_us
FROM cases AS c WHERE class = 'missing_in_ledger' AND NOT confirmed
UNION ALL
SELECT 'stripe', coalesce(processor_ref, charge_ref, session_ref), NULL, NULL, NULL, NULL, ledger, FALSE, money, NULL
FROM cases WHERE class = 'missing_in_stripe' AND NOT confirmed
UNION ALL
SELECT 'ledger', stripe_id, NULL, NULL, NULL, NULL, NULL, TRUE, money, NULL
FROM refund_cases WHERE class = 'refund_missing' AND NOT confirmed AND stripe_inside
UNION ALL
SELECT 'stripe', processor_ref, NULL, NULL, NULL, NULL, ledger, TRUE, money, NULL
FROM refund_cases WHERE class = 'missing_in_stripe' AND NOT confirmed AND ledger_inside;
